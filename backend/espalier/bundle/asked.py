"""What is asked of a bundle besides the files: which model, how sure, and which frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from espalier_ontology.frames import Frames
from espalier_ontology.tree import Ontology

from ..errors import BadRequest
from ..jobs.parameters import RunParameters
from ..learning.decision import Decision

_WHOLE = ("first", "last", "stride")
_TRUE = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True)
class Asked:
    """model: `best` or `last`. precision: `fp32` or `int8`; None is the bundle's own choice.

    cutoff, cutoffs: in [0, 1], for everything, and by classification or `classification/option`; where none is given,
    those of the bundle hold. first, last: the first and last frame of a video, counted from 1; last None is its end.
    stride: every n-th frame is looked at, and stands for those up to the next; 0 chooses by length. media: the tag
    that the files are for, where the labeling configuration shows several. regions: with Label Studio's JSON.
    scores: with the score of every option, for pictures.
    """

    model: str = "best"
    precision: str | None = None
    cutoff: float | None = None
    cutoffs: Mapping[str, float] = field(default_factory=dict)
    classifications: tuple[str, ...] | None = None
    first: int = 1
    last: int | None = None
    stride: int = 0
    media: str | None = None
    regions: bool = False
    scores: bool = False

    def __post_init__(self) -> None:
        if self.model not in ("best", "last"):
            raise BadRequest(f"model must be best or last, got {self.model!r}")
        if self.precision not in (None, "fp32", "int8"):
            raise BadRequest(f"precision must be fp32 or int8, got {self.precision!r}")
        self._run()

    def check(self, ontology: Ontology) -> None:
        """Raises BadRequest for what the bundle does not know."""
        self._run().check(ontology)
        names = [tag.name for tag in ontology.media]
        if self.media is not None and self.media not in names:
            raise BadRequest(f"media must be one of {', '.join(names)}, got {self.media!r}")

    def decision(self, ontology: Ontology, within: Frames, stride: int) -> Decision:
        return self._run().decision(ontology, within, stride)

    def _run(self) -> RunParameters:
        return RunParameters(
            classifications=self.classifications,
            first=self.first,
            last=self.last,
            stride=self.stride,
            confidence=self.cutoff,
            confidences=dict(self.cutoffs),
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Asked:
        """From a request's JSON. Raises BadRequest naming what is unknown or out of range."""
        known = {entry.name for entry in dataclasses.fields(cls)}
        unknown = sorted(set(value) - known)
        if unknown:
            raise BadRequest(f"{unknown[0]!r} is nothing that can be asked for; known are {', '.join(sorted(known))}")
        given = dict(value)
        if isinstance(given.get("classifications"), list):
            given["classifications"] = tuple(given["classifications"])
        for name in ("regions", "scores"):
            if not isinstance(given.get(name, False), bool):
                raise BadRequest(f"{name} must be true or false, got {given[name]!r}")
        return cls(**given)

    @classmethod
    def from_query(cls, pairs: Mapping[str, list[str]]) -> Asked:
        """From names and texts, as addresses and forms hold them; cutoffs are `name=number`, as often as wanted."""
        value: dict[str, Any] = {}
        for name, texts in pairs.items():
            if name in _WHOLE:
                value[name] = _number(name, texts[-1], int)
            elif name == "cutoff":
                value[name] = _number(name, texts[-1], float)
            elif name == "cutoffs":
                value[name] = dict(cutoff_of(text) for text in texts)
            elif name == "classifications":
                value[name] = tuple(texts)
            elif name in ("regions", "scores"):
                value[name] = _TRUE.get(texts[-1].lower(), texts[-1])
            else:
                value[name] = texts[-1]
        return cls.from_json(value)


def cutoff_of(text: str) -> tuple[str, float]:
    """`Weather/Rain=0.7` as a name and a cutoff."""
    name, equals, number = text.rpartition("=")
    if not (name and equals):
        raise BadRequest(f"cutoffs are written `classification=0.7` or `classification/option=0.7`, got {text!r}")
    return name, float(_number(f"the cutoff of {name!r}", number, float))


def _number(name: str, text: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(text)
    except ValueError:
        raise BadRequest(f"{name} must be a number, got {text!r}") from None
