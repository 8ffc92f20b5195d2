"""What a person chooses for one bulk label: which frames are given which labels, and as what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from espalier_ontology.tree import Ontology

from ..errors import BadRequest
from .bulk_labels import Label, check_labels, label_in
from .bulk_selection import SelectedFrames, of_hits

AS = ("predictions", "annotations")

_FLAGS = ("with_parents", "also_annotated", "show")
_TEXTS = ("by", "note")


@dataclass(frozen=True)
class BulkParameters:
    """In JSON `as_` is called "as"; a single label may be called "label", and "hits" of a search may stand for frames:
    of a video each for the scene around it, or with "scenes": false for its one frame.

    labels: what is given; with an attribute also the parents that nobody has answered yet, as far as they are named.
    Frames that have labels of their own get those instead.
    frames, ids: frames of tasks, and ids of frames as a search names them; of several tasks that show a frame, the
    lowest is meant.
    """

    labels: tuple[Label, ...]
    frames: tuple[SelectedFrames, ...] = ()
    ids: tuple[int, ...] = ()
    as_: Literal["predictions", "annotations"] = "predictions"
    """Predictions are a proposal: they are shown, and not learned from. Annotations are a person's answer."""
    with_parents: bool = False
    """Also give the parents, where nobody has answered them and only one answer opens the attribute."""
    also_annotated: bool = False
    """As annotations: write one also where a person has annotated the task, beside theirs; otherwise such tasks are
    left out."""
    show: bool = False
    """As predictions: let the label stream show them. It shows one version, and then no other one; a task that is
    opened from the Data Manager shows all of them anyway."""
    by: str = ""
    """Who gives the labels. The e-mail address of a user of Label Studio makes annotations theirs."""
    note: str = ""
    search: Mapping[str, Any] | None = None
    """The search that found the frames, as it was asked."""
    review: Mapping[str, Any] | None = None
    """The predictions that somebody looked at before: version, and run where they are a run's."""

    def __post_init__(self) -> None:
        if not self.frames and not self.ids:
            raise BadRequest("no frames were selected: name at least one task")
        if not self.labels and (self.ids or not all(one.labels for one in self.frames)):
            raise BadRequest('no label was named: name at least one, such as "Weather: Rain"')
        if self.as_ not in AS:
            raise BadRequest(f"as must be one of {', '.join(AS)}, got {self.as_!r}")
        for names, kind, what in ((_FLAGS, bool, "true or false"), (_TEXTS, str, "a text")):
            for name in names:
                if not isinstance(getattr(self, name), kind):
                    raise BadRequest(f"{name} must be {what}, got {getattr(self, name)!r}")
        for name, what in (("search", "the request of a search"), ("review", "what was reviewed")):
            if not isinstance(getattr(self, name), (Mapping, type(None))):
                raise BadRequest(f"{name} must be {what}, a JSON object, got {getattr(self, name)!r}")
        if self.also_annotated and self.as_ == "predictions":
            raise BadRequest("also_annotated is about annotations: predictions are written beside them in any case")
        if self.show and self.as_ == "annotations":
            raise BadRequest("show is about predictions: annotations are always shown")

    def check(self, ontology: Ontology) -> None:
        """Raises BadRequest for what this ontology does not ask, or could never hold together."""
        for labels in {self.labels, *(one.labels for one in self.frames)}:
            check_labels(ontology, labels)
        tags = {media.name for media in ontology.media}
        if unknown := sorted({one.tag for one in self.frames if one.tag is not None} - tags):
            raise BadRequest(f"there is no media tag {unknown[0]!r}; there are {', '.join(sorted(tags))}")

    def to_json(self) -> dict[str, Any]:
        """Without the frames, of which there may be very many: they are kept task by task."""
        said = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name not in ("frames", "ids")}
        said["as"] = said.pop("as_")
        said["labels"] = [[name, *path] for name, path in self.labels]
        return said

    @classmethod
    def from_json(cls, value: object, *, frames: Iterable[SelectedFrames] = ()) -> BulkParameters:
        """From a person's request, or from `to_json` and the frames. Raises BadRequest for what is unknown or wrong."""
        if not isinstance(value, Mapping):
            raise BadRequest(f"a bulk label must be a JSON object, got {value!r}")
        known = {entry.name for entry in fields(cls)} - {"as_"} | {"as", "label", "hits", "scenes"}
        if unknown := sorted(map(str, set(value) - known)):
            raise BadRequest(f"a bulk label has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        given = dict(value)
        if "label" in given and "labels" in given:
            raise BadRequest("a bulk label has either a label or labels")
        labels = [given.pop("label")] if "label" in given else given.pop("labels", [])
        if not isinstance(labels, list):
            raise BadRequest(f"labels must be a list of labels, got {labels!r}")
        given["labels"] = tuple(dict.fromkeys(label_in(one) for one in labels))
        selected = given.pop("frames", [])
        if not isinstance(selected, list):
            raise BadRequest(f"frames must be a list of selected frames, got {selected!r}")
        scenes = given.pop("scenes", True)
        if not isinstance(scenes, bool):
            raise BadRequest(f"scenes must be true or false, got {scenes!r}")
        hits = of_hits(given.pop("hits", []), whole_scenes=scenes)
        given["frames"] = (*frames, *map(SelectedFrames.from_json, selected), *hits)
        ids = given.get("ids", [])
        if not isinstance(ids, list) or not all(isinstance(id, int) and not isinstance(id, bool) for id in ids):
            raise BadRequest(f"ids must be a list of frame ids, got {ids!r}")
        given["ids"] = tuple(ids)
        if "as" in given:
            given["as_"] = given.pop("as")
        return cls(**given)
