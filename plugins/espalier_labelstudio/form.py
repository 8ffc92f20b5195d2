"""The forms of the Data Manager's dialogs: their fields, and what people entered there, as Espalier is asked it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
ALL = "all"


def select(name: str, label: str, options: Sequence[tuple[str, str]]) -> Json:
    """options: each value and its words; the first is chosen."""
    listed = [{"value": value, "label": words} for value, words in options]
    return {"type": "select", "name": name, "label": label, "options": listed, "value": options[0][0]}


def number(name: str, label: str, value: int | None, least: int) -> Json:
    return {"type": "number", "name": name, "label": label, "value": value, "min": least}


def run_asked(tasks: list[int], said: Mapping[str, Any]) -> Json:
    """A run of Espalier over these tasks. Label Studio sends text for most fields, and 0 for an empty number."""
    asked: Json = {
        "tasks": tasks,
        "first": max(1, whole(said.get("first"))),
        "stride": whole(said.get("stride")),
        "parents": said.get("parents") or "run",
        "existing": said.get("existing") or "add",
    }
    if last := whole(said.get("last")):
        asked["last"] = last
    if (version := said.get("version")) and version != ALL:
        asked["version"] = version
    if (question := said.get("classification")) and question != ALL:
        asked["classifications"] = [question]
    if (device := said.get("device")) and device != "auto":
        asked["device"] = device
    confidence = said.get("confidence")
    if confidence not in (None, "", 0, "0"):
        asked["confidence"] = share(confidence)
    return asked


def whole(value: object) -> int:
    """0 for what is no number."""
    try:
        return int(float(str(value)))
    except (ValueError, OverflowError):
        return 0


def share(value: object) -> float:
    """-1 for what is no number: Espalier itself refuses what lies beyond 0 and 1, in words."""
    try:
        return float(str(value))
    except ValueError:
        return -1.0
