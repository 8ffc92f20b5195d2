"""A tuning lesson: everything that a network is fine-tuned on and judged by, as it was when that began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Ontology, Path

from ..contract import Ids, Mask, Targets, Weights
from ..errors import NotTrained
from .class_weights import class_weights
from .dealing import Bits, Dealt
from .fitting import never_learned, too_little
from .head import Head, untrained
from .parts import TEST, TRAIN, VALIDATION
from .questions import Question
from .rows import Located, Rows
from .training_parameters import TrainingParameters


@dataclass(frozen=True)
class Asked:
    """One question that is learned. targets float32, mask bool, weights float32: (n, k) by row of the lesson; where
    there is a background, (n, k + 1)."""

    classification: str
    parent: Path
    options: tuple[Path, ...]
    exclusive: bool
    background: bool
    counts: dict[Path, int]
    notes: tuple[str, ...]
    targets: Targets
    mask: Mask
    weights: Weights

    def about(self) -> dict[str, Any]:
        return {
            "classification": self.classification,
            "parent": list(self.parent),
            "options": [list(option) for option in self.options],
            "exclusive": self.exclusive,
            "background": self.background,
            "counts": [[list(option), count] for option, count in self.counts.items()],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Taught:
    """What another version teaches, where it does: soft targets, masks and weights as in `Asked`, one of each for every
    question, by row of the lesson and then of `unlabeled`, frames without answers."""

    unlabeled: Located
    targets: tuple[Targets, ...]
    masks: tuple[Mask, ...]
    weights: tuple[Weights, ...]


@dataclass(frozen=True)
class TuningLesson:
    """rows: in their parts; only validation rows are in folds. seen bool (n,): rows that an earlier network, which this
    one begins as, has learned from. untrained: questions that too little is known of."""

    ontology_fingerprint: str
    data_fingerprint: str
    seed: int
    rows: Rows
    seen: Bits
    asked: tuple[Asked, ...]
    untrained: tuple[Head, ...] = ()
    taught: Taught | None = field(default=None)

    @property
    def learned(self) -> Ids:
        """The numbers of the rows that a tuner gets: training and validation."""
        return np.flatnonzero(self.rows.parts != TEST).astype(np.int64)

    def only(self, kept: Bits) -> TuningLesson:
        """Without some of the rows, bool (n,); without what is taught, which has been learned then."""
        rows = Rows(**{name: values[kept] for name, values in vars(self.rows).items()})
        asked = tuple(
            replace(one, targets=one.targets[kept], mask=one.mask[kept], weights=one.weights[kept])
            for one in self.asked
        )
        return replace(self, rows=rows, seen=self.seen[kept], asked=asked, taught=None)


def tuning_lesson(
    ontology: Ontology,
    questions: Sequence[Question],
    places: Sequence[Ids],
    dealt: Dealt,
    parameters: TrainingParameters,
    *,
    data_fingerprint: str,
) -> TuningLesson:
    """places: where each question's rows stand among those dealt.

    Raises NotTrained where nothing can be learned, or nothing is left to choose the best network by.
    """
    by_key = {question.key: (question, at) for question, at in zip(questions, places, strict=True)}
    asked: list[Asked] = []
    not_learned: list[Head] = []
    for classification in ontology:
        for siblings in classification.siblings():
            key = (classification.name, siblings.parent)
            if key not in by_key:
                counts = dict.fromkeys(siblings.options, 0)
                reason = "nothing is answered yet" if parameters.learns(classification) else "left out by choice"
                not_learned.append(untrained(*key, classification.exclusive, counts, reason))
                continue
            found = _asked(*by_key[key], dealt, parameters)
            if isinstance(found, Head):
                not_learned.append(found)
            else:
                asked.append(found)
    if not dealt.rows.part("validation").any():
        raise NotTrained("a single frame is answered, and nothing is left to choose the best network by: label more")
    if not asked:
        raise NotTrained("; ".join(sorted({head.reason for head in not_learned if head.reason})) or "nothing is asked")
    return TuningLesson(
        ontology.fingerprint,
        data_fingerprint,
        parameters.seed,
        dealt.rows,
        dealt.seen,
        tuple(asked),
        tuple(not_learned),
    )


def _asked(question: Question, at: Ids, dealt: Dealt, parameters: TrainingParameters) -> Asked | Head:
    """The options that the training part tells something about. A row that shows another one says nothing then."""
    background = question.background
    counts = question.counts()
    held = {option: yes for option, yes, _ in counts}
    learned = question.rows(dealt.rows.parts[at] == TRAIN).counts()
    usable = np.array([yes > 0 and (question.exclusive or no > 0) for _, yes, no in learned], np.bool_)
    reason = too_little(learned, usable, question.exclusive and not background)
    if reason:
        return untrained(question.classification, question.parent, question.exclusive, held, reason)
    if question.exclusive:
        kept = ~question.holds[:, ~usable].any(axis=1)
        question, at = question.rows(kept), at[kept]
    question = question.columns(usable)
    some = question.mask.any(axis=1)
    question, at = question.rows(some), at[some]
    targets, mask = question.targets, question.mask
    if background:
        none = mask.all(axis=1) & ~question.holds.any(axis=1)
        targets = np.column_stack([targets, none]).astype(np.float32)
        mask = np.column_stack([mask, mask.all(axis=1)])
    weights = class_weights(question, targets, mask, replace(parameters, class_weight="none"))
    if weights is None:
        weights = np.ones(targets.shape, np.float32)
    return Asked(
        question.classification,
        question.parent,
        question.options,
        question.exclusive,
        background,
        held,
        (*never_learned(learned, usable), *dealt.notes),
        np.asarray(_spread(targets, at, len(dealt.rows)), np.float32),
        np.asarray(_spread(mask, at, len(dealt.rows)), np.bool_),
        np.asarray(_spread(weights, at, len(dealt.rows)), np.float32),
    )


def _spread(values: NDArray[np.generic], at: Ids, rows: int) -> NDArray[np.generic]:
    whole = np.zeros((rows, values.shape[1]), values.dtype)
    whole[at] = values
    return whole


def validation_rows(lesson: TuningLesson) -> Ids:
    """Their numbers, in the order in which a tuner reports their scores."""
    return np.flatnonzero(lesson.rows.parts == VALIDATION).astype(np.int64)
