"""Conditions on frames: which of a project's may be found. All that are given hold together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids
from ..errors import BadRequest
from ..jobs.house import House
from ..store.frame_ids import frame_of, media_of
from ..store.rows import Project
from .fields import known_fields, number_in, words_in
from .searchable import Searchable, searchable

KINDS = ("image", "sequence", "video")
Label = tuple[str, ...]
"""A classification, and below it a path of options; a classification alone means any answer to it."""


@dataclass(frozen=True)
class Conditions:
    """label: what people answered. predicted: what the version that serves answers, with a confidence in these bounds.

    unlabeled: people have answered nothing about the frame (True), or something (False). tasks: ids. media: kinds, or
    digests. first, last: frames (or items) as people count them, from 1, inclusive. from_s, to_s: of videos.
    """

    label: Label | None = None
    predicted: Label | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    unlabeled: bool | None = None
    tasks: tuple[int, ...] | None = None
    media: tuple[str, ...] | None = None
    first: int | None = None
    last: int | None = None
    from_s: float | None = None
    to_s: float | None = None

    @classmethod
    def from_json(cls, value: object) -> Conditions:
        """Of a request. None and {} are no conditions. Raises BadRequest naming what is unknown or out of range."""
        if value is None:
            return cls()
        given = known_fields(value, cls, "conditions")
        unlabeled = given.get("unlabeled")
        if unlabeled is not None and not isinstance(unlabeled, bool):
            raise BadRequest(f"the condition unlabeled must be true or false, got {unlabeled!r}")
        made = cls(
            label=_label(given, "label"),
            predicted=_label(given, "predicted"),
            min_confidence=number_in(given, "min_confidence", 0, 1),
            max_confidence=number_in(given, "max_confidence", 0, 1),
            unlabeled=unlabeled,
            tasks=_tasks(given.get("tasks")),
            media=words_in(given, "media"),
            first=number_in(given, "first", 1, whole=True),
            last=number_in(given, "last", 1, whole=True),
            from_s=number_in(given, "from_s", 0),
            to_s=number_in(given, "to_s", 0),
        )
        for low, high in (("min_confidence", "max_confidence"), ("first", "last"), ("from_s", "to_s")):
            least, most = getattr(made, low), getattr(made, high)
            if least is not None and most is not None and least > most:
                raise BadRequest(f"the condition {low}={least} is above {high}={most}: nothing could be found")
        return made

    def __bool__(self) -> bool:
        return self != Conditions()


def allowed(house: House, project: Project, conditions: Conditions) -> Ids | None:
    """The frames for which they hold, of those that can be searched, ascending; None where there are no conditions.

    Raises BadRequest for a label that the labeling configuration does not have.
    """
    return allowed_in(searchable(house, project), conditions) if conditions else None


def allowed_in(found: Searchable, conditions: Conditions) -> Ids | None:
    if not conditions:
        return None
    ids = found.frames.ids
    holds = np.ones(len(ids), np.bool_)
    if conditions.media is not None:
        holds &= _of_media(found, conditions.media)[media_of(ids)]
    if conditions.tasks is not None or conditions.first is not None or conditions.last is not None:
        holds &= _shown_in(found, conditions)
    if conditions.from_s is not None or conditions.to_s is not None:
        holds &= _in_time(found, conditions)
    if conditions.label is not None:
        _require(found, "label", conditions.label)
        holds &= found.labels.people().holds(ids, conditions.label)
    if conditions.unlabeled is not None:
        holds &= found.labels.people().holds(ids) != conditions.unlabeled
    if (conditions.predicted, conditions.min_confidence, conditions.max_confidence) != (None, None, None):
        holds &= _predicted(found, conditions)
    return ids[holds]


def _of_media(found: Searchable, wanted: tuple[str, ...]) -> NDArray[np.bool_]:
    """By the number of a media."""
    shown = found.shown
    digests = [number for name in wanted if (number := shown.number_of.get(name)) is not None]
    chosen = np.zeros(len(shown.all_media) + 1, np.bool_)
    chosen[1:] = np.isin(shown.kinds, [name for name in wanted if name in KINDS])
    chosen[digests] = True
    if unknown := [name for name in wanted if name not in KINDS and name not in shown.number_of]:
        raise BadRequest(f"the condition media takes {', '.join(KINDS)}, or digests of media here, got {unknown[0]!r}")
    return chosen


def _shown_in(found: Searchable, conditions: Conditions) -> NDArray[np.bool_]:
    """Shown by one of the tasks, as one of the frames."""
    shown, ids = found.shown, found.frames.ids
    rows = np.ones(len(shown.tasks), np.bool_)
    if conditions.tasks is not None:
        rows &= np.isin(shown.tasks, np.array(conditions.tasks, np.int64))
    first = (conditions.first or 1) - 1
    stop = np.iinfo(np.int64).max if conditions.last is None else conditions.last
    # Of videos a range of frames is asked for, of sequences a range of items; an image is its frame 0.
    is_video = shown.kinds[shown.media - 1] == "video"
    rows &= is_video | ((shown.items >= first) & (shown.items < stop))
    of_media = np.zeros(len(shown.all_media) + 1, np.bool_)
    of_media[shown.media[rows]] = True
    numbers, frames = media_of(ids), frame_of(ids)
    in_video = np.zeros(len(shown.all_media) + 1, np.bool_)
    in_video[1:] = shown.kinds == "video"
    holds: NDArray[np.bool_] = of_media[numbers] & (~in_video[numbers] | ((frames >= first) & (frames < stop)))
    return holds


def _in_time(found: Searchable, conditions: Conditions) -> NDArray[np.bool_]:
    """Of videos alone; frames follow each other at an even pace, half-open in time."""
    shown, ids = found.shown, found.frames.ids
    numbers = media_of(ids) - 1
    times_s = frame_of(ids) * shown.durations_s[numbers] / np.maximum(shown.lengths[numbers], 1)
    to_s = np.inf if conditions.to_s is None else conditions.to_s
    within: NDArray[np.bool_] = (times_s >= (conditions.from_s or 0)) & (times_s < to_s)
    within &= shown.kinds[numbers] == "video"
    return within


def _predicted(found: Searchable, conditions: Conditions) -> NDArray[np.bool_]:
    """The option, or any, with a confidence in the bounds."""
    if conditions.predicted is not None:
        _require(found, "predicted", conditions.predicted)
    least, most = conditions.min_confidence, conditions.max_confidence
    return found.labels.version().holds(found.frames.ids, conditions.predicted, least=least, most=most)


def _require(found: Searchable, name: str, label: Label) -> None:
    """Raises BadRequest for what the labeling configuration does not have."""
    ontology = found.labels.reading().ontology
    if label[0] not in ontology:
        known = ", ".join(repr(one.name) for one in ontology) or "none"
        raise BadRequest(f"the condition {name}: there is no classification {label[0]!r}; there are {known}")
    classification = ontology.classification(label[0])
    if len(label) > 1 and classification.option(label[1:]) is None:
        options = ", ".join(repr("/".join(option.path)) for option in classification.options[:20])
        raise BadRequest(f"the condition {name}: {label[0]!r} has no option {'/'.join(label[1:])!r}; it has {options}")


def _label(given: Mapping[str, Any], name: str) -> Label | None:
    value = given.get(name)
    if value is None:
        return None
    parts = value.split(":", 1) if isinstance(value, str) else value
    if isinstance(value, str) and len(parts) == 2:
        parts = [parts[0], *parts[1].split("/")]
    if not isinstance(parts, list) or not parts or not all(isinstance(part, str) and part.strip() for part in parts):
        raise BadRequest(
            f"the condition {name} must be a classification, `classification: option`, or a list of both with the "
            f"path of a nested option, got {value!r}"
        )
    return tuple(part.strip() for part in parts)


def _tasks(value: object) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(id, int) and not isinstance(id, bool) for id in value):
        raise BadRequest(f"the condition tasks must be a list of task ids, got {value!r}")
    return tuple(value)
