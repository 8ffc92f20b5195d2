"""Decisions of a review as a person sends them: about one place of one task each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import BadRequest
from .bulk_labels import Label
from .reviewed import Decision


@dataclass(frozen=True)
class Chosen:
    """tag None: the only one. first and last, from 1 and inclusive; None for all of the media. answers: of a
    correction. seen: what was answered when it was looked at (`Item.seen`), or "" for whatever it is now."""

    task: int
    decision: Decision
    tag: str | None = None
    first: int | None = None
    last: int | None = None
    answers: tuple[Label, ...] = ()
    seen: str = ""


def chosen_in(decisions: object) -> dict[int, list[Chosen]]:
    """By task, from JSON: {task, tag, first, last, seen} with approve, reject, or answers [{classification, option}].

    Raises BadRequest for what says none of the three or two at once, and for two decisions about one place.
    """
    if not isinstance(decisions, list) or not decisions:
        raise BadRequest("decisions must be a list of at least one decision")
    found: dict[int, dict[tuple[Any, ...], Chosen]] = {}
    for one in map(_chosen, decisions):
        places = found.setdefault(one.task, {})
        place = one.tag, one.first, one.last
        if place in places:
            raise BadRequest(f"task {one.task}: two decisions about the same place, say one")
        places[place] = one
    return {task: list(found[task].values()) for task in sorted(found)}


def _chosen(value: object) -> Chosen:
    if not isinstance(value, Mapping) or not isinstance(value.get("task"), int):
        raise BadRequest(f"a decision must be an object with a task, got {value!r}")
    said = [name for name in ("approve", "reject", "answers") if value.get(name)]
    if len(said) != 1:
        raise BadRequest(
            f"task {value['task']}: say one of approve, reject or answers, got {', '.join(said) or 'none'}"
        )
    decision: Decision = {"approve": "approved", "reject": "rejected", "answers": "corrected"}[said[0]]  # type: ignore[assignment]
    answers = tuple(dict.fromkeys(_label(one) for one in value.get("answers") or ()))
    place = value.get("tag"), value.get("first"), value.get("last")
    return Chosen(value["task"], decision, *place, answers, str(value.get("seen") or ""))


def _label(value: object) -> Label:
    if isinstance(value, Mapping):
        name, option = value.get("classification"), value.get("option")
        if (
            isinstance(name, str)
            and isinstance(option, list)
            and option
            and all(isinstance(one, str) for one in option)
        ):
            return name, tuple(option)
    raise BadRequest(f"an answer must be an object with a classification and the path of an option, got {value!r}")
