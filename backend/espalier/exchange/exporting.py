"""Exports of pictures: in directories by what people answered or a version predicted, or beside each other as judged.

Task after task, into a stream: neither the pictures nor the archive are ever held whole.
"""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from espalier_ontology import regions
from espalier_ontology.answers import Answer
from espalier_ontology.tree import Ontology

from ..errors import BadRequest
from ..jobs.house import House
from ..jobs.label_mappings import held
from ..jobs.opening import OpenTask, open_tasks
from ..jobs.progress import Progress
from ..jobs.reading import Readings
from ..store.rows import Annotation, Prediction, Project, Task
from .cells import option_text, safe
from .exported_files import ExportedFiles
from .folder import Directories
from .frame_files import FrameFile, frame_files
from .said_frames import Options, chains, said_of
from .zip_stream import ZipStream

AT_ONCE = 25
REST = "(no answer)"
_PROBLEMS_TOLD = 200
_COLUMNS = ("file", "task", "tag", "frame", "classification", "truth", "prediction", "confidence", "right")
Json = dict[str, Any]


class Table(Protocol):
    """A csv.writer, on the disk until the archive's end."""

    def writerow(self, row: Iterable[object], /) -> object: ...


@dataclass(frozen=True)
class ExportRequest:
    """what: `folders`, pictures in directories named after options; or `judged`, in right/ and wrong/, with a table.

    of: whose answers name the directories. version: whose predictions; None for the one that serves.
    classifications: which, in the order of the directories; all by default. stride: every n-th frame of a video; None
    for about one a second. rest: pictures of which nothing is said are taken, too.
    """

    what: Literal["folders", "judged"] = "folders"
    of: Literal["answers", "predictions"] = "answers"
    version: str | None = None
    classifications: tuple[str, ...] = ()
    stride: int | None = None
    rest: bool = False

    def __post_init__(self) -> None:
        if self.what not in ("folders", "judged") or self.of not in ("answers", "predictions"):
            raise BadRequest(
                f"an export is of folders or judged, of answers or predictions, got {self.what}, {self.of}"
            )
        if self.stride is not None and self.stride < 1:
            raise BadRequest(f"stride must be 1 or more, got {self.stride}")

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ExportRequest:
        known = {entry.name for entry in fields(cls)}
        if unknown := sorted(set(value) - known):
            raise BadRequest(f"an export has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        return cls(**{**value, "classifications": tuple(value.get("classifications") or ())})

    @property
    def predicted(self) -> bool:
        return self.what == "judged" or self.of == "predictions"


@dataclass
class Taken:
    """files: in the archive. frames: that they show. left: frames of which nothing is said. right: as judged."""

    tasks: int = 0
    files: int = 0
    frames: int = 0
    left: int = 0
    right: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> Json:
        told = {name: getattr(self, name) for name in ("tasks", "files", "frames", "left", "right")}
        return {**told, "labels": dict(self.labels.most_common(100)), "problems": self.problems[:_PROBLEMS_TOLD]}


def export_to_keep(house: House, project: Project, request: Mapping[str, Any], progress: Progress) -> Json:
    """Into the exported files; the request holds the id that it gets there. Cancelled, nothing is left of it."""
    asked = ExportRequest.from_json({name: told for name, told in request.items() if name != "id"})
    files, id = ExportedFiles(house.settings.data_dir), str(request["id"])

    def checked(size: int) -> None:
        if not files.has_room():
            raise BadRequest("there is no room for the export on the server's disk: take fewer questions or frames")

    name = f"project-{project.id}-{_name(asked)}.zip"
    with files.draft(project.key, id, name, asked.what) as draft, draft.path.open("wb") as to:
        draft.told = export(house, project, asked, to, progress, checked=checked)
    return files.find(project.key, id).to_json()


def export(
    house: House,
    project: Project,
    asked: ExportRequest,
    to: IO[bytes],
    progress: Progress,
    *,
    checked: Callable[[int], None] = lambda size: None,
) -> Json:
    """Write the ZIP file; what was taken, and what was not. Raises BadRequest where nothing could be."""
    ontology = house.ontology(project)
    if any(classification.dynamic_field for classification in ontology):
        ontology = house.ontology(project, (task.data for task in house.records.tasks(project.key)))
    if unknown := [name for name in asked.classifications if name not in ontology]:
        known = ", ".join(one.name for one in ontology) or "none"
        raise BadRequest(f"there is no classification {unknown[0]!r}; there are {known}")
    names = asked.classifications or tuple(one.name for one in ontology)
    writer = _Writer(ontology, names, asked)
    with (
        ZipStream(to, checked=checked) as archive,
        tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="") as rows,
    ):
        table = csv.writer(rows)
        table.writerow(_COLUMNS)
        for task, opened, truth, predicted in _tasks(house, project, ontology, names, asked, progress, writer.taken):
            writer.write(archive, table, task, opened, truth, predicted)
        if asked.what == "judged":
            rows.flush()
            archive.add("", "frames.csv", Path(rows.name), packed=True)
        writer.taken.files = archive.files
    return writer.taken.to_json()


class _Writer:
    def __init__(self, ontology: Ontology, names: tuple[str, ...], asked: ExportRequest) -> None:
        self.ontology, self.names, self.asked = ontology, names, asked
        self.directories = Directories(ontology, names)
        self.tags = {ontology.classification(name).media for name in names}
        self.taken = Taken()

    def write(
        self,
        archive: ZipStream,
        table: Table,
        task: Task,
        opened: OpenTask,
        truth: tuple[Answer, ...],
        predicted: tuple[Answer, ...],
    ) -> None:
        self.taken.tasks += 1
        self.taken.problems += opened.failures
        judged = self.asked.what == "judged"
        shown = predicted if self.asked.predicted else truth
        for tag, media in opened.media.items():
            if tag not in self.tags:
                continue

            def wanted(frame: int, tag: str = tag) -> bool:
                is_said = any(name in self.names for name in said_of(self.ontology, shown, tag, frame))
                return is_said or judged or self.asked.rest

            for one in frame_files(task, media, self.asked.stride, wanted, self.taken.problems):
                self.taken.frames += 1
                said = said_of(self.ontology, shown, tag, one.frame)
                if judged:
                    self._judge(archive, table, one, said_of(self.ontology, truth, tag, one.frame), said)
                else:
                    self._sort(archive, one, said)

    def _sort(self, archive: ZipStream, one: FrameFile, said: Options) -> None:
        for chain in chains(said, self.names):
            parts = self.directories.directory(chain)
            if not parts:
                self.taken.left += 1
                if not self.asked.rest:
                    continue
                parts = (REST,)
            self.taken.labels[" / ".join(parts)] += 1
            archive.add("/".join(parts) + "/", one.name, one.content)

    def _judge(self, archive: ZipStream, table: Table, one: FrameFile, truth: Options, predicted: Options) -> None:
        """A frame is right where every classification that is answered or predicted there is."""
        asked = [name for name in self.names if truth.get(name) or predicted.get(name)]
        if not any(truth.get(name) for name in asked):
            self.taken.left += 1
            return
        right = {name: set(truth.get(name, ())) == set(predicted.get(name, ())) for name in asked}
        self.taken.right += all(right.values())
        path = archive.add("right/" if all(right.values()) else "wrong/", one.name, one.content)
        for name in asked:
            confidences = predicted.get(name, {})
            told = (
                path,
                one.task,
                one.tag,
                "" if one.number is None else one.number,
                name,
                " | ".join(map(option_text, sorted(truth.get(name, ())))),
                " | ".join(map(option_text, sorted(confidences))),
                f"{min(confidences.values()):.4f}" if confidences else "",
                "right" if right[name] else "wrong",
            )
            table.writerow(map(safe, told))


def _tasks(
    house: House,
    project: Project,
    ontology: Ontology,
    names: tuple[str, ...],
    asked: ExportRequest,
    progress: Progress,
    taken: Taken,
) -> Iterator[tuple[Task, OpenTask, tuple[Answer, ...], tuple[Answer, ...]]]:
    """Tasks of which something is said, or all where the rest is wanted, with people's answers and predictions."""
    version = (asked.version or project.served or "") if asked.predicted else ""
    if asked.predicted and not version:
        raise BadRequest("nothing is predicted yet: label a few frames, or name a version")
    mappings = held(house, project)
    fetcher = house.fetcher(project)
    ids = [task.id for task in house.records.tasks(project.key)]
    found = False
    for start in range(0, len(ids), AT_ONCE):
        progress.report(start, len(ids), f"{start} of {len(ids)} tasks")
        some = ids[start : start + AT_ONCE]
        people = _chosen(house.records.annotations(project.key, some))
        told = house.records.predictions(project.key, version, some) if asked.predicted else {}
        needed = told if asked.what != "judged" else {id: row for id, row in told.items() if id in people}
        wanted = set(some) if asked.rest and asked.what == "folders" else set(needed if asked.predicted else people)
        tasks = [task for task in house.records.tasks(project.key, some) if task.id in wanted]
        found = found or bool(tasks)
        opened = open_tasks([(task.id, task.data) for task in tasks], ontology, fetcher)
        readings = Readings(ontology, mappings)
        for task, one in zip(tasks, opened, strict=True):
            said = people.get(task.id)
            truth = readings.read(said.result, one, said.updated_at).answers if said else ()
            row = told.get(task.id)
            predicted = _predicted(ontology, row, one, version) if row else ()
            yield task, one, truth, predicted
    progress.report(len(ids), len(ids), "closing the file")
    if not found:
        raise BadRequest(_nothing(asked, version))


def _predicted(ontology: Ontology, row: Prediction, opened: OpenTask, version: str) -> tuple[Answer, ...]:
    return regions.read(
        ontology, row.result, timelines=opened.timelines, lengths=opened.lengths, source=version
    ).answers


def _chosen(annotations: list[Annotation]) -> dict[int, Annotation]:
    """One of each task: the ground truth where there is one, else the newest."""
    found: dict[int, Annotation] = {}
    for one in annotations:
        before = found.get(one.task_id)
        if not one.was_cancelled and (before is None or _rank(one) >= _rank(before)):
            found[one.task_id] = one
    return found


def _rank(one: Annotation) -> tuple[bool, float, int]:
    return one.ground_truth, one.updated_at.timestamp() if one.updated_at else 0.0, one.id


def _nothing(asked: ExportRequest, version: str) -> str:
    if not asked.predicted:
        return "nobody has answered anything yet: label a few tasks, or export predictions"
    both = " that people have answered" if asked.what == "judged" else ""
    return f"{version} has predicted no task{both} so far: run automated labeling with it, or name another version"


def _name(asked: ExportRequest) -> str:
    return "judged" if asked.what == "judged" else f"pictures-by-{asked.of}"
