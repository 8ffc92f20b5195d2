"""Some frames of what a run would answer, to be looked at before it is started: few, and from everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from espalier_ontology.frames import Frames
from espalier_ontology.tree import Ontology

from ..store.frame_ids import FRAME_BITS
from ..store.records import Records
from .predicting import Predicted

MOST = 24


class SampledFrames:
    """Fed with the tasks of a run in their order; holds at most `MOST` frames, evenly from those that are looked at.

    tasks: how many there will be. ontology: theirs.
    """

    def __init__(self, records: Records, project_key: str, tasks: int, ontology: Ontology) -> None:
        self._records, self._key = records, project_key
        self._media_of = {one.name: one.media for one in ontology}
        self._chosen = set(evenly(tasks, MOST))
        self._each = MOST // max(1, len(self._chosen))
        self._seen = 0
        self._frames: list[dict[str, Any]] = []

    def add(self, predicted: Predicted) -> None:
        if self._seen in self._chosen:
            self._frames += list(self._of(predicted))[: MOST - len(self._frames)]
        self._seen += 1

    def to_json(self) -> list[dict[str, Any]]:
        """{id, task, tag, frame, answers: [{classification, option, confidence}]}: id is that of a thumbnail, frame is
        counted from 1."""
        return self._frames

    def _of(self, predicted: Predicted) -> Iterator[dict[str, Any]]:
        task_id = predicted.row.task_id
        numbers = {(one.tag, one.item): one.media for one in self._records.shown_in(self._key, task_id)}
        for tag, frames in predicted.looked_at.items():
            for frame in some_of(frames, max(1, self._each // len(predicted.looked_at))):
                media = numbers.get((tag, 0))
                if media is None or media.kind != "video":  # an item of a sequence is a media of its own
                    media = numbers.get((tag, frame))
                if media is None:  # it could not be read
                    continue
                answers = [
                    {
                        "classification": answer.classification,
                        "option": list(answer.option),
                        "confidence": round(answer.confidence, 4),
                    }
                    for answer in predicted.answers
                    if frame in answer.frames and self._media_of.get(answer.classification) == tag
                ]
                at = frame if media.kind == "video" else 0
                yield {
                    "id": media.number << FRAME_BITS | at,
                    "task": task_id,
                    "tag": tag,
                    "frame": frame + 1,
                    "answers": answers,
                }


def evenly(count: int, most: int) -> list[int]:
    """At most so many of the numbers below count, in order, from the middles of equal parts."""
    parts = min(count, most)
    return [(2 * part + 1) * count // (2 * parts) for part in range(parts)]


def some_of(frames: Frames, most: int) -> Iterator[int]:
    """At most so many of them, evenly, in order."""
    wanted = iter(evenly(len(frames), most))
    at, before = next(wanted, None), 0
    for start, stop in frames.ranges:
        while at is not None and at < before + stop - start:
            yield start + at - before
            at = next(wanted, None)
        before += stop - start
