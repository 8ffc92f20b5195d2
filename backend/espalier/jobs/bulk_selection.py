"""Frames that a person selected: hits of a search, or a list."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..errors import BadRequest
from .bulk_labels import Label, label_in

Numbering = Literal["frames", "label studio"]
"""How frames of a video are counted: those of the file from 1, as search results name them, or as Label Studio's player
does, on the clock of the `Video` tag's frameRate. Elsewhere both are the same."""


@dataclass(frozen=True)
class SelectedFrames:
    """Frames of one task, from `first` to `last`, both included and counted from 1.

    Without `last` they go to the end; without either they are all. tag: the media tag that shows them; None for all
    that the labels are about. labels: what these frames get instead of the labels that all others get.
    """

    task: int
    tag: str | None = None
    first: int | None = None
    last: int | None = None
    numbering: Numbering = "frames"
    labels: tuple[Label, ...] = ()

    def __post_init__(self) -> None:
        for name in ("task", "first", "last"):
            value = getattr(self, name)
            if not (isinstance(value, int) and not isinstance(value, bool)) and (value is not None or name == "task"):
                raise BadRequest(f"the {name} of selected frames must be a whole number, got {value!r}")
        if self.tag is not None and not isinstance(self.tag, str):
            raise BadRequest(f"the tag of selected frames must be a text, got {self.tag!r}")
        if self.first is not None and self.first < 1:
            raise BadRequest(f"task {self.task}: frames are counted from 1, got {self.first}")
        if self.last is not None and self.last < (self.first or 1):
            raise BadRequest(f"task {self.task}: the frames must be first <= last, got {self.first} to {self.last}")
        if self.numbering not in get_args(Numbering):
            raise BadRequest(f"numbering must be one of {', '.join(get_args(Numbering))}, got {self.numbering!r}")

    def to_json(self) -> dict[str, Any]:
        """Without what is not said: there may be thousands."""
        said = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        told = {name: value for name, value in said.items() if value is not None and value not in ("frames", ())}
        if self.labels:
            told["labels"] = [[name, *path] for name, path in self.labels]
        return told

    @classmethod
    def from_json(cls, value: object) -> SelectedFrames:
        """From `to_json` or a person's request, in which `frame` may stand for first and last."""
        if not isinstance(value, Mapping) or "task" not in value:
            raise BadRequest(f"selected frames must be an object with a task, got {value!r}")
        given = dict(value)
        if "frame" in given:
            if "first" in given or "last" in given:
                raise BadRequest(f"task {given['task']}: say either frame, or first and last, got {value!r}")
            given["first"] = given["last"] = given.pop("frame")
        known = {entry.name for entry in dataclasses.fields(cls)}
        if unknown := sorted(set(given) - known):
            raise BadRequest(f"selected frames have no {', '.join(unknown)}; they have {', '.join(sorted(known))}")
        if "labels" in given:
            if not isinstance(given["labels"], list):
                raise BadRequest(f"task {given['task']}: labels must be a list of labels, got {given['labels']!r}")
            given["labels"] = tuple(dict.fromkeys(map(label_in, given["labels"])))
        return cls(**given)

    @classmethod
    def of_hit(cls, hit: object, *, whole_scene: bool = True) -> SelectedFrames:
        """One hit of a search. Of a video one hit stands for the whole scene around it, where it says so."""
        if not isinstance(hit, Mapping) or "task" not in hit:
            raise BadRequest(f"a hit must be an object with a task and a frame, as a search prints it, got {hit!r}")
        scene = hit.get("scene") if whole_scene else None
        if isinstance(scene, Mapping):
            return cls(hit["task"], hit.get("tag"), scene.get("first"), scene.get("last"))
        return cls(hit["task"], hit.get("tag"), hit.get("frame"), hit.get("frame"))


def of_hits(answer: object, *, whole_scenes: bool = True) -> tuple[SelectedFrames, ...]:
    """The hits of a search's answer, or of a bare list of hits."""
    hits = answer.get("hits") if isinstance(answer, Mapping) else answer
    if not isinstance(hits, list):
        raise BadRequest("hits are the JSON that `espalier search --json` prints: an object with `hits`, or their list")
    return tuple(SelectedFrames.of_hit(hit, whole_scene=whole_scenes) for hit in hits)
