"""Making and undoing label mappings: by a person, kept with their date, applied whenever answers are read.

Nothing is written to Label Studio. A mapping that is undone takes every answer back to what it said.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import NamedTuple

from espalier_ontology.label_mapping import LabelMapping, apply, check, is_below
from espalier_ontology.tree import Ontology, Option, Path

from ..errors import BadRequest
from ..store.projects import id_by
from ..store.rows import MappingKind, Project, StoredMapping
from .configurations import configurations, todays
from .house import House
from .label_mappings import held, with_aliases
from .reading import Readings, unopened

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mapped:
    """Mappings that were made together, and how many answers of how many annotations they are about."""

    mappings: tuple[StoredMapping, ...]
    answers: int
    annotations: int


def add(
    house: House,
    project: Project,
    kind: MappingKind,
    classification: str,
    old: Sequence[Path],
    new: Sequence[Path],
    *,
    job: str = "",
) -> Mapped:
    """Keeps one mapping for each old option, and asks for a training.

    job: that makes them; done again after a kill, it makes those that are not there yet. Raises BadRequest, in words,
    for options that nobody knows, and for what cannot stand beside the mappings there are.
    """
    looked = _look(house, project, kind, classification, old, new, job=job)
    stored = tuple(
        house.records.add_mapping(
            project.key, kind, classification, mapping.old, mapping.new, from_version=project.served, job=job
        )
        for mapping in looked.made
    )
    _changed(house, project)
    return Mapped(stored, looked.answers, looked.annotations)


def preview(
    house: House, project: Project, kind: MappingKind, classification: str, old: Sequence[Path], new: Sequence[Path]
) -> Mapped:
    """What `add` would be about; nothing is kept. Raises as it does."""
    looked = _look(house, project, kind, classification, old, new)
    return Mapped((), looked.answers, looked.annotations)


class _Looked(NamedTuple):
    made: Sequence[LabelMapping]
    answers: int
    annotations: int


def _look(
    house: House,
    project: Project,
    kind: MappingKind,
    classification: str,
    old: Sequence[Path],
    new: Sequence[Path],
    *,
    job: str = "",
) -> _Looked:
    ontology = todays(house, project)
    wanted = [path for path in dict.fromkeys(old) if not (kind == "merge" and [path] == list(new))]
    if not wanted or (kind != "merge" and len(wanted) > 1):
        raise BadRequest(
            f"a {kind} takes {'other options than' if kind == 'merge' else 'one option and'} what it makes"
        )
    own = {id_by(job, *path) for path in wanted} if job else set()
    before = [mapping for mapping in held(house, project) if mapping.id not in own]
    past = list(configurations(house, project))
    made: list[LabelMapping] = []
    try:
        for path in wanted:
            mapping = LabelMapping(kind, classification, path, tuple(new))
            check(mapping, [*before, *made])
            made.append(with_aliases(mapping, past))
    except ValueError as error:
        raise BadRequest(str(error)) from error
    _check_new(ontology, made[0])
    about = [_about(house, project, ontology, before, mapping) for mapping in made]
    for mapping, (answers, _) in zip(made, about, strict=True):
        _check_old(ontology, mapping, answered=answers > 0)
    return _Looked(made, sum(answers for answers, _ in about), len({id for _, ids in about for id in ids}))


def undo(house: House, project: Project, id: str) -> StoredMapping:
    """From now on answers of its old option say again what they said; a training is asked for."""
    mapping = house.records.undo_mapping(project.key, id)
    house.records.settle_revisits(project.key, mapping_id=id)
    _changed(house, project)
    return mapping


def _changed(house: House, project: Project) -> None:
    if project.served:
        house.records.drop_predictions(project.key, project.served)  # they were told in other words
    house.queues.request_training(project.key, delay=False)
    log.info("project %s: label mappings changed, a training is asked for", project.id)


def _about(
    house: House, project: Project, ontology: Ontology, before: Sequence[LabelMapping], mapping: LabelMapping
) -> tuple[int, set[int]]:
    """How many answers are the old option by now, or one below it, and in which annotations."""
    readings = Readings(ontology, [*before, replace(mapping, created_at=datetime.now(timezone.utc))])
    answers, annotations = 0, set()
    for annotation in house.records.annotations(project.key):
        if annotation.was_cancelled:
            continue
        given, _ = apply(readings.as_given(annotation.result, unopened(annotation.task_id)), before, readings.known)
        found = sum(
            answer.classification == mapping.classification and is_below(answer.option, mapping.old) for answer in given
        )
        if found:
            answers += found
            annotations.add(annotation.id)
    return answers, annotations


def _check_new(ontology: Ontology, mapping: LabelMapping) -> None:
    name = mapping.classification
    if name not in ontology:
        known = ", ".join(one.name for one in ontology) or "none"
        raise BadRequest(f"the configuration asks no {name!r}; it asks {known}")
    classification = ontology.classification(name)
    unknown = [path for path in mapping.new if classification.option(path) is None]
    if unknown:
        raise BadRequest(
            f"{mapping.shown(unknown[0])} is not in the configuration, which has {_listed(classification.options)}: "
            f"add it in Label Studio first (Settings > Labeling Interface)"
        )


def _check_old(ontology: Ontology, mapping: LabelMapping, *, answered: bool) -> None:
    classification = ontology.classification(mapping.classification)
    if classification.option(mapping.old) is None:
        if not answered and not mapping.options:
            raise BadRequest(
                f"nobody ever answered {mapping.shown(mapping.old)}, and no model version knew it; "
                f"today there are {_listed(classification.options)}"
            )
    elif mapping.kind == "rename":
        raise BadRequest(
            f"{mapping.shown(mapping.old)} is still in the configuration: rename it there first, "
            f"or merge it, which reads both as {mapping.shown(mapping.new[0])}"
        )


def _listed(options: Sequence[Option]) -> str:
    names = ["/".join(option.path) for option in options]
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
