"""Errands about model versions: which serves, how good it is, and how sure its answers must be."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadRequest
from ...judging.coverage import TARGETS, coverage_by_cutoff, coverage_table
from ...judging.cutoff_policy import CutoffPolicy
from ...judging.own_cutoffs import OwnCutoffs
from ...store.rows import Project
from .. import archiving, promotion
from ..configurations import todays
from ..cutoffs import CutoffsNow, cutoffs_now, set_policy
from ..evaluating import evaluation_of
from ..explaining import explain as explain_frame
from ..house import House
from ..last_version import last_version
from ..progress import Progress

Request = Mapping[str, Any]
Json = dict[str, Any]
_FIELDS = {"precision_recall": ("recall", "precision", "cutoff"), "roc": ("false_positive", "true_positive", "cutoff")}
_RELIABILITY = ("confidence", "held", "rows")


def promote(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """The version that serves now. `last`: of a fine-tuned one the last network, instead of the best."""
    name = str(request["version"])
    if request.get("last"):
        name = last_version(house, project.key, name, progress).name
    return {"version": promotion.promote(house, project.key, name, reason=str(request.get("reason", ""))).name}


def roll_back(house: House, project: Project, request: Request, progress: Progress) -> Json:
    reason = str(request.get("reason", ""))
    return {"version": promotion.roll_back(house, project.key, reason=reason, progress=progress).name}


def archive(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """The names of the versions whose files were removed."""
    return {"versions": [gone.name for gone in archiving.archive(house, project.key, keep=int(request["keep"]))]}


def evaluation(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """What `espalier evaluate --json` prints."""
    row = house.version(project, request["version"])
    return {"version": row.name, **evaluation_of(house, project, row).summary}


def curves(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """Of every question, and each of its options: the curves of one part, as lists of points."""
    row = house.version(project, request["version"])
    found, part = evaluation_of(house, project, row), str(request["part"])
    told = []
    for number, question in enumerate(found.summary["questions"]):
        names = [*question["options"], None]
        drawn: dict[str, Any] = {}
        for kind, fields in {**_FIELDS, "reliability": _RELIABILITY}.items():
            array = found.arrays.get(f"{part}/{number}/{kind}")
            drawn[kind] = [] if array is None else [_points(one, fields) for one in array]
        told.append(
            {
                "classification": question["classification"],
                "parent": question["parent"],
                "options": [
                    {"option": name, **{kind: lines[at] if lines else {} for kind, lines in drawn.items()}}
                    for at, name in enumerate(names)
                ],
            }
        )
    return {"version": row.name, "part": part, "questions": told}


def coverage(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """What `espalier coverage --json` prints."""
    row = house.version(project, request["version"])
    table = coverage_table(house.model(Path(row.directory)), request.get("precision") or TARGETS)
    return {"version": row.name, **table}


def by_cutoff(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """What every cutoff would answer, on frames that a classifier had not seen."""
    row = house.version(project, request["version"])
    if not row.directory:
        raise BadRequest(f"the files of model version {row.name} were removed: choose a newer one")
    model = house.model(Path(row.directory))
    now = OwnCutoffs.from_json(row.cutoffs).effective(todays(house, project), model)
    return {"version": row.name, **coverage_by_cutoff(model, now)}


def cutoffs(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """What `espalier cutoffs --json` prints."""
    return _told(cutoffs_now(house, project))


def set_cutoffs(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """The policy holds from now on, also for later versions; as it was before, and the new figures beside it."""
    change = set_policy(house, project, CutoffPolicy.from_json(request["policy"]))
    return {"before": _told(change.before), **_told(change.after), "metrics": change.metrics, "dropped": change.dropped}


def explain(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """A heat map over a frame, as a PNG in base64."""
    found = explain_frame(
        house,
        project,
        int(request["task"]),
        frame=int(request["frame"]),
        classification=request.get("classification"),
        option=tuple(request.get("option") or ()),
        method=request["method"],
        version=request.get("version"),
    )
    return {
        "version": found.version,
        "classification": found.classification,
        "option": list(found.option),
        "score": float(found.score),
        "method": found.method,
        "png": base64.b64encode(found.png()).decode(),
    }


def _told(now: CutoffsNow) -> Json:
    return {
        "version": now.version,
        "policy": now.policy.to_json(),
        "own": now.own.to_json(),
        "figures": list(now.figures),
    }


def _points(array: Any, fields: tuple[str, ...]) -> dict[str, list[float | None]]:
    """Columns by name, null where there is no such point."""
    return {
        name: [round(float(value), 5) if np.isfinite(value) else None for value in array[:, at]]
        for at, name in enumerate(fields)
    }


def steps(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """What was learned step by step: of a fine-tuning, and of every question."""
    row = house.version(project, request["version"])
    questions = evaluation_of(house, project, row).summary["questions"]
    names = ("classification", "parent", "learning")
    return {
        "version": row.name,
        "tuning": row.metrics.get("tuning", {}).get("curves", []),
        "questions": [{name: question[name] for name in names} for question in questions],
    }
