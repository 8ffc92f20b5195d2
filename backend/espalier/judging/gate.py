"""The promotion gate: may a candidate replace the model that serves?

It is refused where it is worse beyond what chance explains: over everything, or in any one classification; where it
can no longer tell apart what people answer; where it lost a classification; and where it would answer a child without
its parent. Where there is too little to judge by, it is promoted: a young project must not stop learning over noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from espalier_ontology.tree import Ontology

from ..contract import Scores
from ..learning.model import Model
from ..learning.questions import Key
from .comparison import Comparison, compare
from .duel import FEW, Duel, fight, is_guessing
from .orphans import SAMPLE, orphans

MARGIN = 0.01
"""A loss of macro-F1 up to here is no reason, be it ever so certain."""
GUARD = 0.03
"""The same for a single classification, which is measured on less."""
_RELABELED = 0.25
"""From this share of changed labels on, it is asked whether what people answer now can be learned at all."""
_SKILL = 0.25
"""It cannot, where less than this is left of how far the answers before were from guessing."""


@dataclass(frozen=True)
class Verdict:
    """reasons: one plain sentence each, for what was decided. figures: what it rests on, plain JSON values."""

    promote: bool
    reasons: tuple[str, ...]
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"promote": self.promote, "reasons": list(self.reasons), "figures": dict(self.figures)}


def judge(
    ontology: Ontology,
    served: Model | None,
    candidate: Model,
    *,
    seed: int = 0,
    scored: Mapping[Key, Scores] | None = None,
) -> Verdict:
    """Both on the same frames, scored by classifiers that had not seen them, whose labels are the same for both.

    ontology: the one that the candidate was trained for. scored: by question, float32 (n, k), how the model that
    serves scores the candidate's rows, NaN where unknown; with it frames count that were labeled since. Only options
    that both know are compared: a new one is no reason to refuse, nor is one that is gone. Equal input gives an equal
    verdict.
    """
    if not any(head.trained for head in candidate.heads.values()):
        reasons = sorted({head.reason for head in candidate.heads.values() if head.reason})
        return Verdict(False, (f"nothing could be trained: {'; '.join(reasons) or 'there is no question'}",))
    reasons = []
    broken = orphans(ontology, candidate, seed=seed)
    if broken:
        reasons.append(
            f"in a sample of {SAMPLE} media it answers what may not be answered, {len(broken)} times: {broken[0]}"
        )
    figures: dict[str, Any] = {"orphans": len(broken)}
    if served is None:
        return Verdict(not broken, tuple(reasons) or ("the first version",), figures)
    reasons += _lost(ontology, served, candidate)
    comparisons = compare(served, candidate, scored)
    duel = fight(comparisons, candidate, seed=seed)
    figures |= duel.figures
    reasons += _worse(duel)
    reasons += _unlearnable(comparisons, figures, seed)
    return Verdict(not reasons, tuple(reasons) or (_not_worse(duel),), figures)


def _worse(duel: Duel) -> list[str]:
    found = []
    if duel.overall is not None and duel.overall.is_clearly_worse(MARGIN):
        found.append(f"it is worse than the version that serves: {duel.overall} on {duel.described}")
    for name, result in duel.classifications.items():
        if result.is_clearly_worse(GUARD):
            found.append(f"{name!r} became worse: {result} on {duel.described_for(name)}")
    return found


def _not_worse(duel: Duel) -> str:
    if duel.overall is None:
        return f"too little to compare by: {duel.described}, and {FEW} independent ones are needed"
    return f"not worse than the version that served: {duel.overall} on {duel.described}"


def _lost(ontology: Ontology, served: Model, candidate: Model) -> list[str]:
    """Questions that the one answers and the other does not, though people's answers are still there."""
    found = []
    for (name, parent), before in served.heads.items():
        now = candidate.heads.get((name, parent))
        if not before.trained or name not in ontology or now is None or now.trained:
            continue
        asked = [option for option in before.options if ontology.classification(name).option(option) is not None]
        if asked and any(now.counts.values()):
            where = " / ".join((name, *parent))
            found.append(f"{where!r} is answered by the version that serves, and could not be learned: {now.reason}")
    return found


def _unlearnable(comparisons: list[Comparison], figures: dict[str, Any], seed: int) -> list[str]:
    """Where many labels changed, unchanged ones tell little: can the new ones be told from the pictures at all?"""
    found = []
    for one in comparisons:
        share = float(one.changed[one.known].mean()) if one.known.any() else 0.0
        if share < _RELABELED:
            continue
        before = is_guessing(one.before, one.served, one.said & one.known[:, None], seed=seed)
        now = is_guessing(one.now, one.candidate, one.said & one.known[:, None], seed=seed)
        if before is None or now is None:
            continue
        where = " / ".join((one.key[0], *one.key[1]))
        told = {"changed": share, "served": before.to_json(), "candidate": now.to_json()}
        figures.setdefault("relabeled", {})[where] = told
        if not before.guessed and (now.guessed or now.skill < _SKILL * before.skill):
            found.append(
                f"{share:.0%} of the answers to {where!r} changed, and they can hardly be told from the frames any "
                f"more: macro-F1 {now.reached:.2f} on its own labels, where guessing reaches {now.chance:.2f}; the "
                f"version that serves reached {before.reached:.2f} on those it was trained on. "
                "Were the labels mixed up?"
            )
    return found
