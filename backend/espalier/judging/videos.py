"""Videos: how good the answered ranges of each timeline are, over the media that have several frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from espalier_ontology.tree import Ontology

from ..contract import Ids
from ..learning import intervals
from ..learning.decision import Decision
from ..learning.intervals import Intervals, Samples
from ..learning.metrics import Bits
from ..learning.model import Model
from ..learning.tree_answers import TreeAnswers
from .segment_metrics import OVERLAPS, edit_score, found, frame_accuracy, segment_f1
from .tree_truth import Told

_USUAL = Decision()


def video_figures(
    ontology: Ontology, model: Model, answers: Mapping[str, TreeAnswers], truth: Mapping[str, Told], rows: Ids
) -> dict[str, Any]:
    """By timeline, plain JSON values: videos, frames, frame_accuracy, edit and f1_10, f1_25, f1_50.

    Each is the mean over videos; `pooled` holds frame accuracy and F1 over all of them together, as MS-TCN gives them.
    Ranges are made steady as for a prediction with default parameters. A video is seen through the rows that people
    answered on, which stand for its time: where they are sparse, so are the ranges.
    """
    figures: dict[str, Any] = {}
    for classification in ontology:
        if classification.kind != "timeline":
            continue
        told, said = truth[classification.name], answers[classification.name]
        each: list[dict[str, float | None]] = []
        frames = 0
        sums = np.zeros((len(OVERLAPS), 3), np.int64)
        for video in _videos(model, rows[told.known[rows].any(axis=1) & ~told.denied[rows]]):
            holds = told.holds[video]
            answered = steady(said, video) & told.known[video]
            counts = [found(answered, holds, overlap) for overlap in OVERLAPS]
            sums += np.array(counts)
            frames += len(video)
            each.append(
                {
                    "frames": len(video),
                    "frame_accuracy": frame_accuracy(answered, holds),
                    "edit": edit_score(answered, holds),
                    **_f1(counts),
                }
            )
        if each:
            right = sum((one["frame_accuracy"] or 0.0) * (one["frames"] or 0.0) for one in each)
            figures[classification.name] = {
                "videos": len(each),
                "frames": frames,
                **{name: _mean([one[name] for one in each]) for name in each[0] if name != "frames"},
                "pooled": {
                    "frame_accuracy": right / frames,
                    **_f1([(row[0], row[1], row[2]) for row in sums.tolist()]),
                },
            }
    return figures


def steady(answers: TreeAnswers, video: Ids) -> Bits:
    """bool (m, p): what is answered on these rows of one video, in order of time, once ranges are made steady."""
    learned = np.flatnonzero(np.isfinite(answers.cutoffs))
    confidence, cutoffs = answers.confidence[np.ix_(video, learned)], answers.cutoffs[learned]
    high = answers.ends[np.ix_(video, learned)]
    samples = Samples(np.arange(len(video)), 1)
    length_and_gap = {"min_length": _USUAL.min_length, "min_gap": _USUAL.min_gap}
    if answers.exclusive:
        ranges = intervals.exclusive(confidence, high, cutoffs, samples, **length_and_gap)
    else:
        ranges = intervals.steady(confidence, high, cutoffs, samples, margin=_USUAL.margin, **length_and_gap)
    result = np.zeros((len(video), len(answers.paths)), np.bool_)
    result[:, learned] = _rows_of(ranges, high.shape)
    return np.asarray(result & answers.asked[video][:, None])


def _rows_of(ranges: Intervals, shape: tuple[int, ...]) -> Bits:
    steps = np.zeros((shape[0] + 1, shape[1]), np.int64)
    np.add.at(steps, (ranges.start, ranges.option), 1)
    np.add.at(steps, (ranges.stop, ranges.option), -1)
    return np.asarray(np.cumsum(steps[:-1], axis=0) > 0)


def _videos(model: Model, rows: Ids) -> Iterator[Ids]:
    """The rows of each media that has several, in order of time."""
    _, media = np.unique(model.rows.media[rows], return_inverse=True)
    order = np.lexsort((model.rows.frames[rows], media))
    for one in np.split(rows[order], np.flatnonzero(np.diff(media[order])) + 1):
        if len(one) > 1:
            yield one


def _f1(counts: list[tuple[int, int, int]]) -> dict[str, float | None]:
    return {f"f1_{overlap * 100:.0f}": segment_f1(*one) for overlap, one in zip(OVERLAPS, counts, strict=True)}


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
