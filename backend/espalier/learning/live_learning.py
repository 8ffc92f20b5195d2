"""A head that goes on learning: what its classifier was told of which media, so that it can be told what changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Path

from ..contract import Classifier, Embeddings, Ids, LiveClassifier, Mask, Targets, Weights
from .asked import Asked
from .class_weights import class_weights
from .head import Head
from .live_head import blank_head, carried, live_options, with_none
from .questions import Question
from .rows import Rows
from .training_parameters import TrainingParameters

_UNKNOWN: Weights = np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class Told:
    """Examples of one media: ids and frames int64 (m,), targets and mask (m, columns); weights too where not all 1.

    Weights that nobody knows any more are empty, and equal none.
    """

    ids: Ids
    frames: Ids
    targets: Targets
    mask: Mask
    weights: Weights | None

    def says(self, other: Told) -> bool:
        """Whether it says the same, under whatever ids."""
        return (
            np.array_equal(self.frames, other.frames)
            and np.array_equal(self.mask, other.mask)
            and np.array_equal(self.targets * self.mask, other.targets * other.mask)
            and _alike(self.weights, other.weights)
        )


@dataclass(frozen=True)
class TellingRows:
    """A question's rows as a classifier that lives is told them, with a column for none where options are exclusive."""

    media: NDArray[np.str_]
    frames: Ids
    targets: Targets
    mask: Mask
    weights: Weights | None

    @classmethod
    def of(cls, question: Question, parameters: TrainingParameters) -> TellingRows:
        targets, mask = with_none(question) if question.exclusive else (question.targets, question.mask)
        return cls(question.media, question.frames, targets, mask, class_weights(question, targets, mask, parameters))

    def of_media(self, media: Collection[str]) -> TellingRows:
        """Those of some media. Weights stay what they are among all rows."""
        at = np.flatnonzero(np.isin(self.media, sorted(media)))
        weights = None if self.weights is None else self.weights[at]
        return TellingRows(self.media[at], self.frames[at], self.targets[at], self.mask[at], weights)

    def by_media(self, ids: Ids) -> Iterator[tuple[str, Told]]:
        for media, at in _by_media(self.media):
            weights = None if self.weights is None or np.all(self.weights[at] == 1) else self.weights[at]
            yield media, Told(ids[at], self.frames[at], self.targets[at], self.mask[at], weights)


@dataclass(frozen=True)
class Change:
    """Media of which something else is said than was told, and their rows as they are now; None: they have none."""

    media: frozenset[str]
    rows: TellingRows | None


class LiveHead:
    """head: as it answers now; its classifier is changed in place, and belongs to nobody else."""

    def __init__(self, head: Head, told: dict[str, Told], following: int) -> None:
        self.head, self.told, self._following = head, told, following

    @classmethod
    def trained(cls, head: Head, rows: Rows) -> LiveHead:
        """As a training left it: the classifier was fitted on the rows that say something, in their order."""
        assert head.evidence is not None
        said = np.flatnonzero(head.evidence.mask.any(axis=1))
        targets, mask = head.evidence.targets[said], head.evidence.mask[said]
        if head.exclusive:
            targets, mask = _with_none(targets, mask)
        ids, frames = np.arange(len(said), dtype=np.int64), rows.frames[said]
        told = {
            media: Told(ids[at], frames[at], targets[at], mask[at], _UNKNOWN)
            for media, at in _by_media(rows.media[said])
        }
        return cls(head, told, len(said))

    @classmethod
    def fitted(
        cls,
        asked: Asked,
        plugin: str,
        classifier: Classifier,
        question: Question | None,
        embeddings: Embeddings,
        parameters: TrainingParameters,
        *,
        before: Head | None,
        names: Mapping[Path, Path],
    ) -> LiveHead:
        """Told everything at once. question: None where nobody has answered it; embeddings: of its rows, (n, dim).

        before: the head that was trained, whose calibration and cutoffs go on; names: see `carried`.
        """
        head = blank_head(asked, plugin, classifier, embeddings[:0], seed=parameters.seed)
        told: dict[str, Told] = {}
        if question is not None:
            head = replace(head, exclusive=question.exclusive, background=question.exclusive, notes=())
            rows = TellingRows.of(question, parameters)
            classifier.fit(
                embeddings,
                rows.targets,
                rows.mask,
                question.groups,
                exclusive=question.exclusive,
                seed=parameters.seed,
                weights=rows.weights,
            )
            told = dict(rows.by_media(np.arange(len(question), dtype=np.int64)))
        options = live_options(asked)
        calibration, cutoffs = carried(before, options, names, exclusive=head.exclusive)
        head = replace(head, calibration=calibration, cutoffs=cutoffs, evidence=None)
        return cls(head, told, 0 if question is None else len(question))

    def fits(self, question: Question) -> bool:
        """Whether it can be told of this question's rows, without being fitted anew."""
        return question.options == self.head.options and question.exclusive == self.head.exclusive

    def change(
        self, question: Question | None, parameters: TrainingParameters, among: Collection[str] | None = None
    ) -> Change:
        """What the question says otherwise than was told. among: the media that it tells of; None means all."""
        gone = set(self.told) if among is None else {media for media in among if media in self.told}
        if question is None or not len(question):
            return Change(frozenset(gone), None)
        rows = TellingRows.of(question, parameters)
        changed = set()
        for media, now in rows.by_media(np.zeros(len(question), np.int64)):
            gone.discard(media)
            if media not in self.told or not self.told[media].says(now):
                changed.add(media)
        return Change(frozenset(gone | changed), rows.of_media(changed) if changed else None)

    def tell(self, change: Change, embeddings: Embeddings) -> None:
        """Forgets what was told of these media, and learns their rows; embeddings (n, dim)."""
        classifier = self.head.classifier
        assert isinstance(classifier, LiveClassifier)
        known = [self.told.pop(media).ids for media in sorted(change.media) if media in self.told]
        if known:
            classifier.forget(np.concatenate(known))
        rows = change.rows
        if rows is None:
            return
        ids = np.arange(self._following, self._following + len(rows.frames), dtype=np.int64)
        self._following += len(ids)
        classifier.learn(ids, embeddings, rows.targets, rows.mask, weights=rows.weights)
        self.told.update(rows.by_media(ids))


def _alike(one: Weights | None, other: Weights | None) -> bool:
    return one is other if one is None or other is None else np.array_equal(one, other)


def _with_none(targets: Targets, mask: Mask) -> tuple[Targets, Mask]:
    none = mask.all(axis=1) & ~(mask & (targets > 0.5)).any(axis=1)
    return np.column_stack([targets, none]).astype(np.float32), np.column_stack([mask, mask.all(axis=1)])


def _by_media(media: NDArray[np.str_]) -> Iterator[tuple[str, Ids]]:
    """Each media with the numbers of its rows, in order."""
    if not len(media):
        return
    names, first = np.unique(media, return_inverse=True)
    order = np.argsort(first, kind="stable")
    ends = np.cumsum(np.bincount(first))
    yield from zip(names.tolist(), np.split(order, ends[:-1]), strict=True)
