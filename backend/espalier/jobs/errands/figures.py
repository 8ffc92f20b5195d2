"""Errands about the figures of a version: those that are drawn, and the scores by which a page counts along."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as Directory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadRequest
from ...judging.evaluation import cutoffs_in_force
from ...judging.judged import Judged, judged
from ...judging.learning_curves import step_figures as step_figures_of
from ...judging.own_cutoffs import OwnCutoffs
from ...learning.cutoffs import highest
from ...learning.head import Head
from ...learning.questions import Key
from ...store.rows import ModelVersion, Project
from ..configurations import todays
from ..evaluating import evaluation_of
from ..house import House
from ..progress import Progress
from . import drawing

Request = Mapping[str, Any]
Json = dict[str, Any]
MOST_SCORES = 40_000


def drawn(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """The figures of one question and part, of one of its options or of all together ([]).

    request: version, classification, parent, part, option. figures: confusion, precision_recall, roc, reliability and
    learning, each {data, layout}, null where there is nothing to draw.
    """
    row = _whole(house, project, request)
    evaluation = evaluation_of(house, project, row)
    number, question = _question(evaluation.summary, request)
    part = str(request["part"])
    figures = evaluation.summary["parts"][part]["questions"][number]
    option = list(request.get("option") or [])
    if option and option not in question["options"]:
        known = ", ".join(" / ".join(path) for path in question["options"])
        raise BadRequest(
            f"{question['classification']!r} has learned no option {' / '.join(option)!r}; there are {known}"
        )
    at = question["options"].index(option) if option else len(question["options"])
    arrays = {
        kind: evaluation.arrays.get(f"{part}/{number}/{kind}") for kind in ("precision_recall", "roc", "reliability")
    }
    curves = {kind: None if array is None else array[at] for kind, array in arrays.items()}
    name = " / ".join(option) or "all"
    cutoff = figures["options"][at]["cutoff"] if option and figures["rows"] else None
    return {
        "version": row.name,
        "part": part,
        "classification": question["classification"],
        "parent": question["parent"],
        "option": option,
        "figures": {
            "confusion": drawing.confusion(figures["confusion"], question["options"]) if figures["rows"] else None,
            "precision_recall": drawing.precision_recall(curves["precision_recall"], name, cutoff),
            "roc": drawing.roc(curves["roc"], name),
            "reliability": drawing.reliability(curves["reliability"]),
            "learning": drawing.learning(question["learning"]),
        },
    }


def learning(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """How a fine-tuning has gone so far, also while it runs: its figure, null before the first evaluation."""
    row = house.version(project, request["version"])
    return {"version": row.name, "figure": drawing.tuning(row.metrics.get("tuning", {}).get("curves", []))}


def scores(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """What every frame of a part could be answered, so that a page can count by other cutoffs.

    candidates: of each frame [option's number, score] of what could be answered: the best one where one may hold.
    holds: of each frame the numbers of the options that hold. Of more than MOST_SCORES an even sample; of: how many
    frames there are. cutoffs: those in force.
    """
    row = _whole(house, project, request)
    model = house.model(Directory(row.directory))
    ontology = todays(house, project)
    cutoffs = cutoffs_in_force(ontology, model, OwnCutoffs.from_json(row.cutoffs).effective(ontology, model))
    key: Key = (str(request["classification"]), tuple(request.get("parent") or ()))
    head = model.heads.get(key)
    found = judged(model, head, request["part"], cutoffs) if head is not None else None
    if head is None or found is None:
        raise BadRequest(f"nothing was learned about {' / '.join((key[0], *key[1]))!r}, so no frame was judged")
    return {"version": row.name, "exclusive": head.exclusive, **_candidates(head, found)}


def step_figures(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """How each option of a question did at every evaluation step, on the frames that were watched.

    request: version, classification, parent. parts: of those that have watched frames, `StepFigures` as lists by step;
    null where nothing was answered, or nothing holds. shown: of which options `confusion` has rows and columns, where
    len(options) stands for none: of very many those with most errors.
    """
    row = _whole(house, project, request)
    model = house.model(Directory(row.directory))
    key: Key = (str(request["classification"]), tuple(request.get("parent") or ()))
    head = model.heads.get(key)
    if head is None:
        raise BadRequest(f"nothing was learned about {' / '.join((key[0], *key[1]))!r}, so there are no steps")
    found = step_figures_of(head, model.rows)
    counts = [part.confusion.sum(axis=0) for part in found.values()]
    shown = drawing.most_confused(np.sum(counts, axis=0)) if counts else []
    return {
        "version": row.name,
        "classification": key[0],
        "parent": list(key[1]),
        "options": [list(path) for path in head.options],
        "steps": head.steps.numbers.tolist() if found and head.steps is not None else [],
        "shown": shown,
        "parts": {
            name: {
                "frames": part.frames,
                "positives": part.positives.tolist(),
                "precision": _known(part.precision),
                "recall": _known(part.recall),
                "f1": _known(part.f1),
                "confusion": part.confusion[:, shown][:, :, shown].tolist(),
            }
            for name, part in found.items()
        },
    }


def _known(values: NDArray[np.float64]) -> list[list[float | None]]:
    return [[None if np.isnan(value) else round(float(value), 5) for value in row] for row in values]


def _candidates(head: Head, found: Judged) -> Json:
    said = np.flatnonzero(found.said)
    most = MOST_SCORES if head.exclusive else max(1, MOST_SCORES // len(head.options))
    some = said if len(said) <= most else said[np.unique(np.linspace(0, len(said) - 1, most).astype(np.int64))]
    values, mask = found.scores[some], found.mask[some]
    could = mask & (highest(values) & (values > 0) if head.exclusive else True)
    return {
        "options": [list(path) for path in head.options],
        "cutoffs": [float(cutoff) for cutoff in found.cutoffs],
        "frames": len(some),
        "of": len(said),
        "candidates": [
            [[int(option), round(float(one[option]), 5)] for option in np.flatnonzero(may)]
            for one, may in zip(values, could, strict=True)
        ],
        "holds": [np.flatnonzero(one).tolist() for one in found.holds[some]],
    }


def _whole(house: House, project: Project, request: Request) -> ModelVersion:
    row = house.version(project, request["version"])
    if not row.directory:
        state = "is not trained yet" if row.state == "training" else "has no files any more: choose a newer version"
        raise BadRequest(f"model version {row.name} {state}")
    return row


def _question(summary: Mapping[str, Any], request: Request) -> tuple[int, Mapping[str, Any]]:
    wanted = (request["classification"], list(request.get("parent") or []))
    for number, question in enumerate(summary["questions"]):
        if (question["classification"], question["parent"]) == wanted:
            return number, question
    known = ", ".join(question["classification"] for question in summary["questions"]) or "nothing"
    raise BadRequest(f"nothing was learned about {' / '.join((wanted[0], *wanted[1]))!r}, only about {known}")
