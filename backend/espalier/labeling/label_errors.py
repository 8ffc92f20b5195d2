"""Label errors: which answers are probably wrong, what would be right, and the frames to look at, worst first.

Free on cached embeddings: the scores are those of the cross-check, by classifiers that had not seen the row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Classifier, Embeddings, FoldClassifier, Ids, Mask, Scores, Targets, Weights
from .label_candidates import Candidate, candidates
from .label_doubt import doubt
from .label_noise import most_likely_wrong

Refit = Callable[[Mask], Scores]
"""From a mask bool (n, k) of what to learn from, to scores (n, k) of all rows by classifiers that had not seen them."""
_DOUBTED = 0.5
"""What is more probably wrong than right is not learned from when scores are asked for again."""
_ROUNDS = 3
"""Mean F1 on six sets with changed labels: 0.780 without, 0.801 after one, 0.806 as the mean of three."""


@dataclass(frozen=True)
class LabelErrors:
    """quality float32 (n,): how probable it is that all that was said of a row is right; 1 where nothing can be judged.

    judged bool (n,). cells float32 (n, k): the same for each option that was said to hold or not to hold; of exclusive
    options, for the one that holds. suspicious bool (n,). suggested bool (n, k): what would hold instead, and where a
    row is not suspicious what holds. rate: the share of wrong answers, estimated. candidates: worst first.
    """

    quality: NDArray[np.float32]
    judged: NDArray[np.bool_]
    cells: NDArray[np.float32]
    suspicious: NDArray[np.bool_]
    suggested: NDArray[np.bool_]
    rate: float
    candidates: tuple[Candidate, ...]


def label_errors(
    scores: Scores,
    targets: Targets,
    mask: Mask,
    *,
    exclusive: bool,
    background: bool = False,
    media: NDArray[np.str_] | None = None,
    frames: Ids | None = None,
    per_media: bool = False,
    refit: Refit | None = None,
    seed: int = 0,
) -> LabelErrors:
    """Judges what was said of each row, where the mask is True, by scores float32 (n, k) of the cross-check.

    background: exclusive, and rows may show none of the options; those are judged, too. With media and frames (n,),
    neighbouring frames are one candidate, and with per_media all rows of a media that say the same. refit, where
    given, is asked for scores without the answers that are more probably wrong than right, three times: it finds more.
    """
    one_per = media if per_media else None

    def judge(scores: Scores) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        return doubt(scores, targets, mask, exclusive=exclusive, background=background, media=one_per, seed=seed)

    wrong, cells, instead = judge(scores)
    again: list[NDArray[np.float64]] = []
    while refit is not None and len(again) < _ROUNDS and (doubted := wrong > _DOUBTED).any():
        left = doubted.any(axis=1, keepdims=True) if exclusive else doubted
        wrong, cells, instead = judge(refit(mask & ~left))
        again.append(wrong)
    if again:
        wrong = np.asarray(np.mean(again, axis=0))
    named = np.zeros(wrong.shape, np.bool_)
    named[cells] = most_likely_wrong(wrong[cells])
    suspicious = np.asarray(named.any(axis=1))
    holds = mask & (targets > 0.5)
    suggested = np.where(suspicious[:, None] if exclusive else named, instead, holds)
    quality = np.prod(1.0 - wrong, axis=1)
    return LabelErrors(
        quality.astype(np.float32),
        np.asarray(cells.any(axis=1)),
        (1.0 - wrong).astype(np.float32),
        suspicious,
        suggested,
        float(wrong.sum() / max(1, int(cells.sum()))),
        candidates(quality, suspicious, holds, suggested, media=media, frames=frames, per_media=per_media),
    )


def cross_refit(
    new: Callable[[], Classifier],
    embeddings: Embeddings,
    targets: Targets,
    groups: Ids,
    folds: Ids,
    *,
    exclusive: bool,
    weights: Weights | None = None,
    seed: int = 0,
) -> Refit:
    """A refit by fresh classifiers on the same folds int64 (n,); test rows (fold -1) are a fold of their own."""
    folds = np.where(folds < 0, folds.max(initial=-1) + 1, folds).astype(np.int64)

    def refit(mask: Mask) -> Scores:
        classifier = new()
        if isinstance(classifier, FoldClassifier) and getattr(classifier, "folds", True):
            return classifier.cross_fit(
                embeddings, targets, mask, groups, folds=folds, exclusive=exclusive, seed=seed, weights=weights
            )
        scores = np.zeros(targets.shape, np.float32)
        for fold in np.unique(folds):
            inside, learned = folds == fold, (folds != fold) & mask.any(axis=1)
            classifier.fit(
                embeddings[learned],
                targets[learned],
                mask[learned],
                groups[learned],
                exclusive=exclusive,
                seed=seed,
                weights=None if weights is None else weights[learned],
            )
            scores[inside] = classifier.predict(embeddings[inside])
        return scores

    return refit
