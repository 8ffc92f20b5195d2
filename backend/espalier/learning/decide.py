"""From scores to answers: cutoffs, one option where there is only one, down the paths of a taxonomy, steady in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from espalier_ontology import rules
from espalier_ontology.answers import Answer, merge
from espalier_ontology.frames import Frames
from espalier_ontology.gates import Gates
from espalier_ontology.tree import Classification, Ontology, Path

from ..contract import Ids, Scores
from . import intervals
from .decision import Decision
from .descent import descend
from .intervals import Confidences, Intervals, Samples
from .model import Model
from .questions import Key


def answers_for(
    ontology: Ontology,
    model: Model,
    scores: Mapping[Key, Scores],
    numbers: Ids,
    *,
    length: int,
    parameters: Decision,
    source: str,
    people: Sequence[Answer] = (),
    parents: Literal["run", "people"] = "run",
    media: str | None = None,
) -> list[Answer]:
    """What may leave: `decide`, and then the rules, which keep no child without its parent."""
    decided = decide(
        ontology,
        model,
        scores,
        numbers,
        length=length,
        parameters=parameters,
        source=source,
        people=people,
        media=media,
    )
    return list(rules.enforce(ontology, decided, people=people, parents=parents).answers)


def decide(
    ontology: Ontology,
    model: Model,
    scores: Mapping[Key, Scores],
    numbers: Ids,
    *,
    length: int,
    parameters: Decision,
    source: str,
    people: Iterable[Answer] = (),
    media: str | None = None,
) -> list[Answer]:
    """The answers above their cutoffs, by classification and then time. They have not passed `rules.enforce`.

    scores: calibrated, float32 (n, k), by question, as `Model.scores` gives them; numbers int64 (n,): the frames they
    belong to, ascending. length: how many frames the media has. people: what people answered, for attributes stand in
    their regions too. media: answer only the classifications of this media tag; the ontology is to be the whole one.

    The confidence of an answer is the mean over its frames, and along a taxonomy's path the product of its steps. A
    question about a whole video or sequence is decided once, on the mean of its frames' scores.
    """
    numbers = np.asarray(numbers, np.int64)
    found: list[Answer] = []
    told = list(people)
    if not len(numbers):
        return found
    gates = Gates(ontology)
    for classification in ontology:
        own: list[Answer] = []
        wanted = parameters.only is None or classification.name in parameters.only
        if wanted and (media is None or classification.media == media):
            for under, where in _places(classification, gates, length, parameters.within):
                own += _answers(classification, model, scores, numbers, length, parameters, source, under, where)
        if classification.kind == "timeline":
            said = (answer for answer in told if answer.classification == classification.name)
            gates.settle(classification.name, merge([*said, *own]))
        found += own
    return found


def overall_score(ontology: Ontology, scores: Mapping[Key, Scores], answers: Iterable[Answer]) -> float:
    """One confidence for a whole prediction, in [0, 1]: the mean over its answers.

    Where nothing was sure enough to be answered, the highest confidence that any root classification reached: it lies
    under its cutoff, so that tasks nobody can tell sort below those that were answered.
    """
    confidences = [answer.confidence for answer in answers]
    if not confidences:
        for classification in ontology.roots:
            found = scores.get((classification.name, ()))
            if found is not None and found.size:
                confidences.append(float((found.mean(axis=0) if classification.scope == "media" else found).max()))
        confidences = [max(confidences, default=0.0)]
    return min(1.0, max(0.0, sum(confidences) / len(confidences)))


def _places(
    classification: Classification, gates: Gates, length: int, within: Frames | None
) -> list[tuple[Path | None, Frames]]:
    """Where answers may stand: for an attribute, in the regions of each label that permits it."""
    whole = Frames.of((0, max(1, length)))
    if classification.scope == "media":
        return [(None, whole)]
    inside = whole if within is None else within & whole
    if not classification.per_region:
        return [(None, inside)]
    return [(label, frames & inside) for label, frames in gates.labels(classification).items()]


def _answers(
    classification: Classification,
    model: Model,
    scores: Mapping[Key, Scores],
    numbers: Ids,
    length: int,
    parameters: Decision,
    source: str,
    under: Path | None,
    where: Frames,
) -> list[Answer]:
    if classification.scope == "media":
        scores = {
            key: part.mean(axis=0, keepdims=True) for key, part in scores.items() if key[0] == classification.name
        }
        rows: Ids = np.zeros(1, np.int64)
    else:
        rows = np.asarray(np.flatnonzero(_inside(numbers, where)), np.int64)
    if not len(rows):
        return []
    own = {key: part[rows] for key, part in scores.items()}
    reached = descend(classification, model.heads, own, lambda head: parameters.of(classification, head), len(rows))
    paths, confidence, high, cutoffs = reached.paths, reached.confidence, reached.ends, reached.cutoffs
    if not paths:
        return []
    if classification.scope == "media":
        found, samples = _single(confidence, high), Samples(rows, 1)
    elif classification.scope == "item":
        found, samples = _single(confidence, high), Samples(numbers[rows], 1)
    else:
        samples = Samples(numbers[rows], parameters.stride)
        length_and_gap = {"min_length": parameters.min_length, "min_gap": parameters.min_gap}
        if reached.exclusive:
            found = intervals.exclusive(confidence, high, cutoffs, samples, **length_and_gap)
        else:
            found = intervals.steady(confidence, high, cutoffs, samples, margin=parameters.margin, **length_and_gap)
    starts = samples.numbers[found.start]
    stops = _stops(found, samples)
    sure = np.clip(found.confidence, 0.0, 1.0).tolist()
    every = where if classification.scope == "media" else None
    return [
        answer
        for option, start, stop, value in zip(found.option.tolist(), starts.tolist(), stops.tolist(), sure, strict=True)
        if (frames := every or Frames(((start, stop),)) & where)
        for answer in (Answer(classification.name, paths[option], frames, value, source, under),)
    ]


def _single(confidence: Confidences, high: NDArray[np.bool_]) -> Intervals:
    """Every answered row by itself."""
    row, option = np.nonzero(high)
    return Intervals(option.astype(np.int64), row.astype(np.int64), row.astype(np.int64) + 1, confidence[row, option])


def _stops(found: Intervals, samples: Samples) -> Ids:
    """The frame at which each interval ends: its last sample speaks for the frames up to the next one."""
    stops = samples.numbers[found.stop - 1] + samples.stride
    following = np.append(samples.numbers, np.iinfo(np.int64).max)[found.stop]
    return np.asarray(np.minimum(stops, following), np.int64)


def _inside(numbers: Ids, frames: Frames) -> NDArray[np.bool_]:
    edges = np.array(frames.ranges, np.int64).reshape(-1)
    return np.asarray(np.searchsorted(edges, numbers, side="right") % 2 == 1)
