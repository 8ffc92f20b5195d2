"""Label Studio's results of the demo's two projects: written as a person would leave them, and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .pictures import Shot

Result = list[dict[str, Any]]


def choices(media: str, answers: Mapping[str, str]) -> Result:
    """An image's annotation, one result per control."""
    return [
        {"from_name": name, "to_name": media, "type": "choices", "value": {"choices": [option]}}
        for name, option in answers.items()
    ]


def said(result: Result) -> dict[str, str]:
    """The other way round: what a result answers, by control."""
    return {item["from_name"]: item["value"]["choices"][0] for item in result}


def timeline(shots: Sequence[Shot]) -> Result:
    """A video's annotation: a region per shot, and its attribute with the same id."""
    result: Result = []
    for number, shot in enumerate(shots):
        region = {"id": f"shot{number}", "to_name": "video"}
        ranges = [{"start": shot.start, "end": shot.end}]
        value = {"ranges": ranges, "timelinelabels": [shot.scene]}
        result.append({**region, "from_name": "scene", "type": "timelinelabels", "value": value})
        if shot.part:
            part = {"ranges": ranges, "choices": [shot.part]}
            result.append({**region, "from_name": "part", "type": "choices", "value": part})
    return result


def frames_right(shots: Sequence[Shot], result: Result) -> tuple[int, int]:
    """The frames whose scene is right, and how many there are."""
    shown = {frame: shot.scene for shot in shots for frame in range(shot.start, shot.end + 1)}
    answered = {
        frame: item["value"]["timelinelabels"][0]
        for item in result
        if item["type"] == "timelinelabels"
        for span in item["value"]["ranges"]
        for frame in range(span["start"], span["end"] + 1)
    }
    return sum(answered.get(frame) == scene for frame, scene in shown.items()), len(shown)
