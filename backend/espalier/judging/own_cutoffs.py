"""Own cutoffs: those that a version answers by instead of the ones of its training, option by option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from espalier_ontology.tree import Ontology, Path

from ..learning.cutoffs import Cutoffs
from ..learning.decision import Decision
from ..learning.model import Model
from ..learning.questions import Key

Strategy = Literal["best_f1", "precision", "by_hand"]
Kept = Literal["alone", "together", "no"]


@dataclass(frozen=True)
class OwnCutoff:
    """The cutoff of one option, in [0, 1], and how it came about.

    target: the precision that was asked for, with `precision` alone. kept: whether it is kept by the option alone, by
    all those of its question together that none keeps alone, or by no cutoff; then the cutoff is 1.
    """

    classification: str
    option: Path
    cutoff: float
    strategy: Strategy
    target: float | None = None
    kept: Kept = "alone"


@dataclass(frozen=True)
class OwnCutoffs:
    """In the order of the model's heads; options that are not there keep what training or the configuration says."""

    entries: tuple[OwnCutoff, ...] = ()

    def by_option(self) -> dict[str, dict[Path, float]]:
        """By classification, the cutoff of each option."""
        found: dict[str, dict[Path, float]] = {}
        for entry in self.entries:
            found.setdefault(entry.classification, {})[entry.option] = entry.cutoff
        return found

    def effective(self, ontology: Ontology, model: Model) -> dict[Key, Cutoffs]:
        """What answers go by where a run asks for nothing else: float64 (k,) for every trained head that is asked."""
        decision = Decision(version=self.by_option())
        return {
            key: decision.of(ontology.classification(head.classification), head)
            for key, head in model.heads.items()
            if head.trained and head.classification in ontology
        }

    def to_json(self) -> dict[str, Any]:
        """{} where there are none."""
        entries = [{**asdict(entry), "option": list(entry.option)} for entry in self.entries]
        return {"options": entries} if entries else {}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> OwnCutoffs:
        """What `to_json` gave."""
        return cls(
            tuple(OwnCutoff(**{**entry, "option": tuple(entry["option"])}) for entry in value.get("options", ()))
        )
