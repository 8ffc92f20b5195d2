"""What rows of a table, or pictures in directories, say about the tasks of a project; and whatever is not understood.

Pure: no file, no Label Studio. Every row ends as labels of a task's frames, or as a problem, or it says nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from espalier_ontology.tree import Ontology, Path

from ..errors import BadRequest
from ..jobs.bulk_labels import Label, check_label, named
from ..jobs.bulk_selection import SelectedFrames
from .cells import plain
from .columns import ANY, Columns, options_of
from .file_names import parts_of
from .option_names import OptionNames
from .problem import Problem
from .shown_files import Match, Shown, ShownFiles

Span = tuple[int, int] | None
"""First and last frame as Label Studio counts them; None for all."""
Row = int | str


@dataclass(frozen=True)
class Said:
    """What one row says: labels for a file, or for a task by its number."""

    row: Row
    labels: tuple[Label, ...]
    file: str = ""
    task: int | None = None
    span: Span = None
    aliases: tuple[str, ...] = ()
    """Other names of the file, which are tried before."""


@dataclass
class Understood:
    """rows: that say anything at all. unmatched: files that no task shows. labels: rows by what they say."""

    frames: tuple[SelectedFrames, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    rows: int = 0
    unmatched: list[str] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def tasks(self) -> int:
        return len({one.task for one in self.frames})


def read_rows(
    ontology: Ontology, columns: Columns, rows: Iterable[tuple[int, Sequence[str]]], problems: list[Problem]
) -> Iterator[Said]:
    """What each row says; what cannot be read goes to `problems`. A row with no label in it says nothing."""
    options = {one.name: OptionNames(one) for one in ontology}
    for number, cells in rows:
        labels = tuple(_labels(ontology, options, columns, number, cells, problems))
        wrong: list[Problem] = []
        file, task = _cell(cells, columns.file).strip(), _cell(cells, columns.task).strip()
        span = _span(columns, number, cells, wrong)
        if task and not task.isdigit():
            wrong.append(Problem(number, task, "a task is named by its number", "write the number of the task"))
        elif not (file or task) and labels:
            wrong.append(Problem(number, "", "no file is named", "write the name of the picture or video"))
        problems += wrong
        if labels and not wrong:
            yield Said(number, labels, plain(file), int(task) if task else None, span)


def understand(ontology: Ontology, shown: ShownFiles, said: Iterable[Said], problems: list[Problem]) -> Understood:
    """Each row brought to its task; labels that contradict each other are given to none."""
    found = Understood(problems=problems)
    given: dict[tuple[Shown, Span], dict[str, dict[Path, Row]]] = {}
    files: dict[Shown, dict[tuple[str, ...], tuple[int, Row]]] = {}
    placed: list[tuple[Said, Shown]] = []
    for one in said:
        found.rows += 1
        found.labels.update(map(named, one.labels))
        place, near = _place(shown, one, found)
        if place is None:
            continue
        placed.append((one, place))
        if one.file and one.task is None:
            files.setdefault(place, {}).setdefault(parts_of(one.file), (near, one.row))
    for one, place in placed:
        named_so = files.get(place, {})
        nearest = max((near for near, _ in named_so.values()), default=0)
        if one.file and len(named_so) > 1 and one.task is None:
            rivals = [row for near, row in named_so.values() if near == nearest]
            if named_so[parts_of(one.file)][0] < nearest or len(rivals) > 1:
                why = f"several files of the table may be the one of task {place.task}"
                problems.append(Problem(one.row, one.file, why, "name the task in a column task"))
                continue
        answers = given.setdefault((place, one.span), {})
        for name, path in one.labels:
            answers.setdefault(name, {}).setdefault(path, one.row)
    found.frames = tuple(_frames(ontology, given, problems))
    order = {row: place for place, row in enumerate(dict.fromkeys(problem.row for problem in problems))}
    problems.sort(key=lambda one: (isinstance(one.row, str), one.row if isinstance(one.row, int) else order[one.row]))
    return found


def _place(shown: ShownFiles, one: Said, found: Understood) -> tuple[Shown | None, int]:
    """Where the row belongs; its task by number goes first, where that shows the file that is named beside it."""
    matches = [match for name in (*one.aliases, one.file) if name and (match := shown.find(name)).places]
    match = min(matches, key=lambda match: len(match.places), default=Match())
    places = match.places
    if one.task is not None and (one.task in shown.tasks or not one.file):
        if one.task not in shown.tasks:
            found.problems.append(
                Problem(one.row, str(one.task), "the project has no such task", "write the number that it has here")
            )
            return None, 0
        here = [place for place in places if place.task == one.task]
        if here or not one.file:
            return (here[0] if here else Shown(one.task, "")), 1
    if len(places) == 1:
        return places[0], match.near
    if places:
        tasks = ", ".join(str(place.task) for place in places[:5])
        more = " and others" if len(places) > 5 else ""
        why = f"several tasks show a file of this name: {tasks}{more}"
        do = "write more of its path, or name the task in a column task"
        found.problems.append(Problem(one.row, one.file, why, do))
        return None, 0
    found.unmatched.append(one.file)
    why = "no task of the project shows this file"
    found.problems.append(Problem(one.row, one.file, why, "import the picture into Label Studio, then this again"))
    return None, 0


def _frames(
    ontology: Ontology, given: Mapping[tuple[Shown, Span], Mapping[str, Mapping[Path, Row]]], problems: list[Problem]
) -> Iterator[SelectedFrames]:
    for (place, span), answers in given.items():
        labels: list[Label] = []
        for name, paths in answers.items():
            rows = sorted(paths, key=lambda path: len(path))
            chained = all(two[: len(one)] == one for one, two in pairwise(rows))
            if ontology.classification(name).exclusive and not chained:
                told = " and ".join(f"{' / '.join(path)!r} (row {paths[path]})" for path in rows[:4])
                problems += [
                    Problem(
                        paths[path],
                        " / ".join(path),
                        f"task {place.task} is given {told}, and {name!r} takes one: none is given",
                        "leave the right one",
                    )
                    for path in rows
                ]
            else:
                labels += [(name, path) for path in rows]
        if labels:
            item = None if place.item is None else place.item + 1
            first, last = span or (item, item)
            tag = place.tag if item is not None else None
            yield SelectedFrames(place.task, tag, first, last, "label studio", tuple(labels))


def _labels(
    ontology: Ontology,
    options: Mapping[str, OptionNames],
    columns: Columns,
    number: int,
    cells: Sequence[str],
    problems: list[Problem],
) -> Iterator[Label]:
    told: list[tuple[str, str]] = []
    if columns.option is not None:
        name, text = plain(_cell(cells, columns.classification)), plain(_cell(cells, columns.option))
        if name not in options:
            name = next((one for one in options if one.casefold() == name.strip().casefold()), name)
        told = [(name, text)] if name or text else []
    for column, name in columns.labels.items():
        text = plain(_cell(cells, column))
        if name == ANY and text.strip():
            alike = options_of(ontology, text)
            told += [(one, text) for one, _ in alike[:1] if len(alike) == 1]
            if len(alike) != 1:
                which = ", ".join(map(named, alike))
                why = "several classifications have this option" if alike else "no classification has this option"
                do = f"name the column after one of them: {which}" if alike else "use the name of an option"
                problems.append(Problem(number, text, why, do))
        elif text.strip():
            told += [(name, part) for part in options[name].several(text)]
    for name, text in told:
        if name not in options:
            known = ", ".join(options) or "none"
            problems.append(Problem(number, name, "there is no such classification", f"use one of: {known}"))
            continue
        paths = options[name].find(text)
        if len(paths) == 1:
            (path,) = paths
            try:
                check_label(ontology, name, path)
            except BadRequest as error:
                problems.append(Problem(number, text, str(error), "choose an option below it"))
                continue
            yield name, path
        elif paths:
            several = ", ".join(" / ".join(path) for path in sorted(paths))
            problems.append(
                Problem(number, text, f"several options of {name!r} have this name", f"use one of: {several}")
            )
        else:
            near = ", ".join(options[name].near(text)) or "it has none"
            do = f"use one of its options ({near}), or add this one to the labeling configuration"
            problems.append(Problem(number, text, f"{name!r} has no such option", do))


def _span(columns: Columns, number: int, cells: Sequence[str], problems: list[Problem]) -> Span:
    if columns.frames is None:
        return None
    first, last = (_cell(cells, column).strip() for column in columns.frames)
    if not first and not last:
        return None
    if not (first.isdigit() and last.isdigit() and 1 <= int(first) <= int(last) <= 2**31):
        do = "write the first and the last frame, counted from 1"
        problems.append(Problem(number, f"{first}-{last}", "this is no range of frames", do))
        return None
    return int(first), int(last)


def _cell(cells: Sequence[str], column: int | None) -> str:
    return cells[column] if column is not None and column < len(cells) else ""
