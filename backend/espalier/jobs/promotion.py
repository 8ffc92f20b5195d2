"""Promotion: which version serves, decided by the gate, or by a person; and the way back."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..contract import Scores
from ..errors import BadModel, BadRequest, BadSetting, BrokenPlugin
from ..judging.gate import Verdict, judge
from ..learning.head import Head
from ..learning.model import Model
from ..learning.questions import Key
from ..store.embeddings import NotEmbedded
from ..store.rows import ModelVersion, Project, PromotedBy, Promotion
from .archiving import archive
from .house import House
from .progress import Progress
from .task_answers import is_told

log = logging.getLogger(__name__)

_BATCH = 20_000
"""Frames that are scored at once."""


def decide(
    house: House,
    project: Project,
    version: ModelVersion,
    *,
    must_be_better: bool = False,
    may_serve: bool = True,
) -> ModelVersion:
    """The version as it is after the gate has judged it: it serves, or stays a candidate whose message says why not.

    The verdict is kept with it, reasons and figures; then old versions' files are removed (see `archive`).
    must_be_better: not to be worse is not enough, nor is too little to compare by; for what took hours to make, and
    would take as long to embed everything anew. may_serve: False leaves it to a person.
    """
    project = house.project(project.key)
    served, about = _served(house, project, version)
    candidate = house.model(Path(version.directory))
    tasks = house.records.tasks(project.key)
    ontology = house.ontology(project, (task.data for task in tasks))
    scored = _scored(house, served, candidate) if served is not None else None
    verdict = judge(ontology, served, candidate, seed=candidate.seed, scored=scored)
    verdict = replace(
        verdict, reasons=(*about, *verdict.reasons), figures={**verdict.figures, "against": project.served}
    )
    if must_be_better and served is not None and verdict.promote and not _is_better(verdict):
        verdict = replace(verdict, promote=False, reasons=(*verdict.reasons, "a new network must be better to serve"))
    if verdict.promote and not may_serve:
        house.records.set_version(project.key, version.name, gate=verdict.to_json())
    elif verdict.promote:
        house.records.set_version(project.key, version.name, gate=verdict.to_json())
        house.records.serve(project.key, version.name, by="gate", reason="; ".join(verdict.reasons))
    else:
        _refuse(house, project, version, verdict)
    archive(house, project.key)
    found = house.records.version(project.key, version.name)
    assert found is not None
    return found


def promote(house: House, project_key: str, name: str, *, by: PromotedBy = "person", reason: str = "") -> ModelVersion:
    """From now on the version of this name serves, whatever the gate said.

    Raises BadRequest where there is no such version, or nothing of it is left, and BadModel where its files are broken.
    """
    project = house.project(project_key)
    version = house.records.version(project_key, name)
    if version is None:
        known = ", ".join(row.name for row in house.records.versions(project_key)) or "none yet"
        raise BadRequest(f"project {project.id} has no model version {name!r}; it has {known}")
    if version.state in ("training", "failed"):
        raise BadRequest(f"{name} cannot serve: it is {version.state} ({version.message or 'not done yet'})")
    if not version.directory or not Path(version.directory).exists():
        raise BadRequest(f"{name} cannot serve: its files were removed; train again, or choose another version")
    house.model(Path(version.directory))
    house.records.serve(project_key, name, by=by, reason=reason)
    log.info("project %s: %s serves now, by a %s: %s", project.id, name, by, reason or "no reason given")
    return replace(version, state="promoted")


def roll_back(house: House, project_key: str, *, reason: str = "", progress: Progress | None = None) -> ModelVersion:
    """Back to what served before; called again, further back. A version whose files are gone is passed over.

    progress: of the job that does it; done again after a kill, that goes no further back. Raises BadRequest where
    nothing is left to go back to.
    """
    project, history = house.project(project_key), house.records.promotions(project_key)
    kept = (progress or Progress()).once("goes back to", lambda: f"{len(history)} {_before(house, project_key)}")
    before, name = kept.split(" ", 1)
    if any(row.by == "rollback" and row.version == name for row in history[: len(history) - int(before)]):
        return house.version(project, name)
    said = f"rolled back from {project.served}" + (f": {reason}" if reason else "")
    return promote(house, project_key, name, by="rollback", reason=said)


def _before(house: House, project_key: str) -> str:
    """The version that a roll-back makes serve."""
    project = house.project(project_key)
    before = _served_before(house.records.promotions(project_key))
    for name in reversed(before):
        version = house.records.version(project_key, name)
        if version is not None and version.directory and Path(version.directory).exists():
            return name
    raise BadRequest(
        f"project {project.id} has nothing to go back to: "
        + (f"no version served before {project.served}" if project.served else "no version serves yet")
    )


def _served_before(history: Sequence[Promotion]) -> list[str]:
    """What served before the version that serves, the last first to go back to at the end. history: newest first.

    A roll-back takes away what it went back from, so that the next one goes further.
    """
    served: list[str] = []
    for promotion in reversed(history):
        if not served and promotion.previous:
            served.append(promotion.previous)
        if promotion.by == "rollback" and promotion.version in served:
            while served[-1] != promotion.version:
                served.pop()
        else:
            served.append(promotion.version)
    return [name for name in served[:-1] if name != served[-1]]


def _is_better(verdict: Verdict) -> bool:
    compared = verdict.figures.get("macro_f1")
    return bool(compared and compared["difference"] > 0)


def _served(house: House, project: Project, version: ModelVersion) -> tuple[Model | None, list[str]]:
    """The model that serves, if it is another; or why it cannot be compared with."""
    if not project.served or project.served == version.name:
        return None, []
    served = house.records.version(project.key, project.served)
    try:
        if served is None or not served.directory:
            raise BadModel("its files are gone")
        return house.model(Path(served.directory)), []
    except (BadModel, BadSetting, BrokenPlugin) as error:
        return None, [f"{project.served}, which served, cannot be compared with: {error}"]


def _scored(house: House, served: Model, candidate: Model) -> Mapping[Key, Scores]:
    """How the model that serves scores the frames that were labeled since, NaN for the others.

    Frames of sequences, and those without an embedding by its encoder, are left out. Somebody's own model, which is
    asked about tasks, said the same for both.
    """
    old = set(zip(served.rows.media.tolist(), served.rows.frames.tolist(), strict=True))
    rows = list(zip(candidate.rows.media.tolist(), candidate.rows.frames.tolist(), strict=True))
    new = [number for number, row in enumerate(rows) if row not in old]
    scores = {
        key: np.full((len(rows), len(head.options)), np.nan, np.float32)
        for key, head in served.heads.items()
        if head.trained
    }
    for start in range(0, len(new), _BATCH):
        some = new[start : start + _BATCH]
        digest = served.encoder.digest
        try:
            embeddings = house.embeddings.read_many(digest, [rows[number] for number in some])
        except NotEmbedded as error:
            lost = set(error.keys)
            some = [number for number in some if rows[number] not in lost]
            embeddings = house.embeddings.read_many(digest, [rows[number] for number in some])
        if some:
            for key, found in served.scores(embeddings).items():
                scores[key][some] = found
    for key, head in served.heads.items():
        if is_told(head.classifier):
            scores[key][:] = np.nan
            if (told := _as_told(head, candidate.heads.get(key))) is not None:
                scores[key][new] = told[new]
    return scores


def _as_told(head: Head, other: Head | None) -> Scores | None:
    """What one and the same model said of the other's rows, calibrated as this head has it; None where it is another's.

    float32 (n, k), NaN where nothing is labeled or it could not be asked.
    """
    if other is None or other.evidence is None or not (is_told(head.classifier) and is_told(other.classifier)):
        return None
    if other.options != head.options or other.classifier.answers_by != head.classifier.answers_by:
        return None
    raw = other.evidence.raw
    if head.background:
        rest = 1 - raw.sum(axis=1, keepdims=True)
        raw = np.concatenate([raw, rest], axis=1).clip(0, 1).astype(np.float32)
    asked = other.evidence.mask.any(axis=1, keepdims=True)
    return np.where(asked, head.calibration(raw)[:, : len(head.options)], np.float32(np.nan))


def _refuse(house: House, project: Project, version: ModelVersion, verdict: Verdict) -> None:
    why = "; ".join(verdict.reasons)
    message = f"not promoted, {project.served or 'nothing'} goes on serving: {why}; {version.message}"
    house.records.set_version(project.key, version.name, gate=verdict.to_json(), state="candidate", message=message)
    log.warning("project %s: %s is not promoted: %s", project.id, version.name, why)
