"""Importing labels: what a table or pictures in directories say, tried out, and then given as a bulk label.

Everything goes through the rules of every bulk label: parents before children, one option of a single choice, nothing
of a person's touched, each label once, and an undo.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path
from typing import Any

from espalier_ontology.tree import Ontology

from ..errors import BadRequest
from ..jobs import bulk_label
from ..jobs.bulk_parameters import BulkParameters
from ..jobs.house import House
from ..jobs.progress import Progress
from ..store.rows import Project, Run
from .columns import columns_of
from .file_names import Parts
from .folder import Directories, read_pictures
from .picture_upload import upload
from .problem import Problem
from .shown_files import ShownFiles
from .sources import Source, open_source
from .table import open_table
from .understood import Said, Understood, read_rows, understand

PROBLEMS_TOLD = 10_000
_LOOKED_AT = 2_000
Json = dict[str, Any]


@dataclass(frozen=True)
class ImportRequest:
    """In JSON `as_` is called "as". name: of the file, for people.

    columns: by a column's name, or its number from 1, the classification that it is about, "*" where each value says
    that itself, or "" to leave it out. classifications: which the directories name, in their order; all by default.
    upload: pictures that the project does not have are imported into Label Studio. The rest as in BulkParameters.
    """

    name: str = ""
    as_: str = "annotations"
    columns: Mapping[str, str] = field(default_factory=dict)
    classifications: tuple[str, ...] = ()
    upload: bool = False
    with_parents: bool = False
    also_annotated: bool = False
    by: str = ""
    note: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ImportRequest:
        known = {entry.name.rstrip("_") for entry in fields(cls)}
        if unknown := sorted(set(value) - known):
            raise BadRequest(f"an import has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        given = {("as_" if name == "as" else name): told for name, told in value.items()}
        return cls(**{**given, "classifications": tuple(given.get("classifications", ()))})

    def parameters(self, found: Understood) -> BulkParameters:
        asked = {"as": self.as_, "with_parents": self.with_parents, "by": self.by}
        if self.as_ == "annotations":
            asked["also_annotated"] = self.also_annotated
        asked["note"] = self.note or f"import of {self.name}"
        return BulkParameters.from_json(asked, frames=found.frames)


@dataclass
class Looked:
    """A file as it was understood. missing: pictures that no task shows, which could be imported."""

    kind: str
    found: Understood
    columns: list[Json] = field(default_factory=list)
    pictures: int = 0
    missing: list[Parts] = field(default_factory=list)
    names: Mapping[Parts, str] = field(default_factory=dict)

    def to_json(self) -> Json:
        found = self.found
        return {
            "kind": self.kind,
            "rows": found.rows,
            "tasks": found.tasks,
            "labels": dict(found.labels.most_common()),
            "columns": self.columns,
            "pictures": self.pictures,
            "missing": len(self.missing) or len(found.unmatched),
            "problems": [one.to_json() for one in found.problems[:PROBLEMS_TOLD]],
            "problem_count": len(found.problems),
        }


def preview(house: House, project: Project, path: Path, request: ImportRequest, progress: Progress) -> Json:
    """What an import would give; nothing is written. counts: of the bulk label, None where no task is known yet."""
    source, ontology = _source(path), _ontology(house, project)
    try:
        looked = _look(house, project, ontology, path, source, request, progress)
    finally:
        _close(source)
    counts = None
    if looked.found.frames:
        counts = bulk_label.preview(house, project, request.parameters(looked.found), progress)
    return {**looked.to_json(), "counts": counts}


def plan(house: House, project: Project, path: Path, request: ImportRequest, progress: Progress) -> tuple[Run, Json]:
    """The bulk label that gives it, on the books from now on; pictures are imported before, where that was asked for.

    Called again after a kill, pictures that have arrived are found, and not imported again, and so is the bulk label
    that the same job has planned. Raises BadRequest where nothing is left to give.
    """
    client = house.client(project)
    source, ontology = _source(path), _ontology(house, project)
    uploaded = 0
    try:
        looked = _look(house, project, ontology, path, source, request, progress)
        if request.upload and source is not None and looked.missing:
            refused: list[Problem] = []
            uploaded = upload(house, project, client, source, looked.missing, looked.names, progress, refused)
            looked = _look(house, project, ontology, path, source, request, progress, fresh=False)
            looked.found.problems += refused
    finally:
        _close(source)
    if not looked.found.frames:
        first = looked.found.problems[0] if looked.found.problems else None
        said = f"; the first of {len(looked.found.problems)} problems: {first.value!r}: {first.why}" if first else ""
        raise BadRequest(f"nothing of {request.name or path.name} can be given to a task{said}")
    parameters = request.parameters(looked.found)
    bulk_label.check(house, project, parameters)
    run = bulk_label.plan(house.records, project, parameters, job=progress.job_id)
    return run, {**looked.to_json(), "uploaded": uploaded}


def _look(
    house: House,
    project: Project,
    ontology: Ontology,
    path: Path,
    source: Source | None,
    request: ImportRequest,
    progress: Progress,
    *,
    fresh: bool = True,
) -> Looked:
    progress.report(0, 0, "reading")
    looked = _once(house, project, ontology, path, source, request)
    # Somebody may have imported the pictures a moment ago, and Label Studio's webhooks do not tell of every task.
    if fresh and looked.found.unmatched and (client := house.label_studio(project)) is not None:
        progress.report(0, 0, "asking Label Studio for its tasks")
        known = house.records.task_count(project.key)
        some: list[Mapping[str, Any]] = []
        for task in client.tasks(project.id):
            some.append(task)
            if len(some) == 500:
                house.records.mirror_tasks(project.key, some)
                some = []
        house.records.mirror_tasks(project.key, some)
        if house.records.task_count(project.key) != known:
            return _once(house, project, ontology, path, source, request)
    return looked


def _once(
    house: House, project: Project, ontology: Ontology, path: Path, source: Source | None, request: ImportRequest
) -> Looked:
    shown = ShownFiles.of(ontology, ((task.id, task.data) for task in house.records.tasks(project.key)))
    problems: list[Problem] = []
    if source is None:
        return _table(ontology, shown, path, request, problems)
    if unknown := [name for name in request.classifications if name not in ontology]:
        known = ", ".join(one.name for one in ontology) or "none"
        raise BadRequest(f"there is no classification {unknown[0]!r}; there are {known}")
    source.problems.clear()
    files = source.files()
    problems += source.problems
    read = list(read_pictures(Directories(ontology, request.classifications), files, problems))
    found = understand(ontology, shown, (said for _, said in read), problems)
    missing = set(found.unmatched)
    if request.upload:
        found.problems = [one for one in found.problems if not (one.value in missing and one.row in missing)]
    return Looked(
        "pictures",
        found,
        pictures=len(read),
        missing=[parts for parts, said in read if said.file in missing],
        names={parts: said.aliases[0] for parts, said in read},
    )


def _table(
    ontology: Ontology, shown: ShownFiles, path: Path, request: ImportRequest, problems: list[Problem]
) -> Looked:
    table = open_table(path)
    head: Sequence[list[str]] = [cells for _, cells in islice(table.rows(), _LOOKED_AT)]
    if not head:
        raise BadRequest("the table is empty: it needs a column of file names and one of labels")
    columns = columns_of(head, ontology, fields=[tag.field for tag in ontology.media], chosen=request.columns)
    rows = islice(table.rows(), 1 if columns.has_header else 0, None)
    said: list[Said] = list(read_rows(ontology, columns, rows, problems))
    found = understand(ontology, shown, said, problems)
    told = [{"name": name[:200], "meaning": columns.meaning(place)} for place, name in enumerate(columns.names)]
    return Looked("table", found, columns=told)


def _source(path: Path) -> Source | None:
    """None for a table."""
    return open_source(path) if path.is_dir() or zipfile.is_zipfile(path) else None


def _close(source: Source | None) -> None:
    if source is not None:
        source.close()


def _ontology(house: House, project: Project) -> Ontology:
    ontology = house.ontology(project)
    if any(classification.dynamic_field for classification in ontology):
        ontology = house.ontology(project, (task.data for task in house.records.tasks(project.key)))
    return ontology
