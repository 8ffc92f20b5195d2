"""Decisions: the parameters by which scores become answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from espalier_ontology.frames import Frames
from espalier_ontology.tree import Classification, Path

from ..errors import BadRequest
from .cutoffs import Cutoffs
from .head import Head


@dataclass(frozen=True)
class Decision:
    """How sure to be, and how steady.

    cutoff: for every option, in [0, 1]. cutoffs: by classification, one number, or one per option (by path, by
    `Animal / Cat`, or by last name). What is closest to the person holds: `cutoffs`, then `cutoff`, then those of the
    `version`, then the classification's own `model_score_threshold`, then those that training chose.

    For ranges of a video alone: an option that was answered at its cutoff stays answered while its confidence is within
    `margin` of it; gaps shorter than `min_gap` frames are bridged; then ranges shorter than `min_length` frames are
    dropped, unless everything looked at is shorter. The mean confidence of a range is never under the cutoff.
    """

    cutoff: float | None = None
    cutoffs: Mapping[str, float | Mapping[str, float] | Mapping[Path, float]] = field(default_factory=dict)
    stride: int = 1
    """Only every stride-th frame was looked at; it speaks for the stride - 1 after it, too."""
    within: Frames | None = None
    """Answers stay inside these frames; None means the whole media. Answers to the media as a whole are not cut."""
    margin: float = 0.1
    min_length: int = 2
    min_gap: int = 2
    only: frozenset[str] | None = None
    """The classifications to answer; None means all."""
    version: Mapping[str, Mapping[Path, float]] = field(default_factory=dict)
    """The model version's own cutoffs, by classification and option."""

    def __post_init__(self) -> None:
        given = [self.cutoff] if self.cutoff is not None else []
        for chosen in self.cutoffs.values():
            given += chosen.values() if isinstance(chosen, Mapping) else [chosen]
        for value in given:
            if not (math.isfinite(value) and 0.0 <= value <= 1.0):
                raise BadRequest(f"a cutoff must be within 0 and 1, got {value}")
        if self.stride < 1 or self.min_length < 0 or self.min_gap < 0 or not 0.0 <= self.margin <= 1.0:
            raise BadRequest(
                f"stride must be at least 1, min_length and min_gap at least 0 and margin within 0 and 1, "
                f"got {self.stride}, {self.min_length}, {self.min_gap} and {self.margin}"
            )

    def of(self, classification: Classification, head: Head) -> Cutoffs:
        """The cutoff of each option of a head, float64 (k,)."""
        cutoffs = head.cutoffs.copy()
        if self.cutoff is not None:
            cutoffs[:] = self.cutoff
        else:
            if "model_score_threshold" in classification.settings:
                cutoffs[:] = _threshold(classification)
            own = self.version.get(classification.name, {})
            for column, path in enumerate(head.options):
                cutoffs[column] = own.get(path, cutoffs[column])
        chosen = self.cutoffs.get(classification.name)
        if isinstance(chosen, Mapping):
            named: dict[object, float] = dict(chosen.items())
            for column, path in enumerate(head.options):
                for name in (path, " / ".join(path), "/".join(path), path[-1]):
                    if name in named:
                        cutoffs[column] = named[name]
                        break
        elif chosen is not None:
            cutoffs[:] = chosen
        return cutoffs


def _threshold(classification: Classification) -> float:
    written = classification.settings["model_score_threshold"]
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= 1.0:
        raise BadRequest(
            f"model_score_threshold={written!r} of {classification.name!r} must be a number within 0 and 1"
        )
    return value
