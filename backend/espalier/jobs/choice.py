"""A choice: what a person said of a project's tasks, task by task. It sees their data alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..learning.parts import PARTS, Part
from ..learning.training_parameters import TrainingParameters
from ..media.field import value_of

PART_NAMES: Mapping[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validate": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""What a split column may say, in any case, and what it means."""
_NAMED, _TOLD = 5, 2
Data = Mapping[int, Mapping[str, Any]]
"""The data of tasks, by id."""


@dataclass(frozen=True)
class Choice:
    """What a person chose, task by task. Tasks are Label Studio's ids; those that say nothing stand in no mapping."""

    task_ids: frozenset[int] | None = None
    """Learned from, the validation set and the background among them; None means all."""
    part_of: Mapping[int, Part] = field(default_factory=dict)
    """Where the part was chosen. With a split column that is every task; with a validation set chosen by hand it is
    that set, and the others are left to chance between training and test."""
    group_of: Mapping[int, str] = field(default_factory=dict)
    """Tasks of one group never stand on both sides of a check."""
    background: frozenset[int] = frozenset()
    """Their frames show none of the options, unless people answered otherwise. They need no annotation."""
    mistakes: tuple[str, ...] = ()
    """What was probably mistyped: tasks that are not there, a field that no task has, a filter that nothing passes."""
    warnings: tuple[str, ...] = ()
    """What holds as it is, and is worth knowing."""

    @property
    def problems(self) -> list[str]:
        return [*self.mistakes, *self.warnings]


def choice_of(
    parameters: TrainingParameters,
    data: Data,
    annotated: Collection[int],
    passing: Mapping[str, frozenset[int]],
    fields: Sequence[str],
) -> Choice:
    """The pure part. passing: the tasks that pass `filter`, `val_filter` and `background`, where there are such.

    annotated: the tasks with answers. fields: where a task's data holds its media; equal media are one.
    """
    chosen: dict[str, frozenset[int]] = dict(passing)
    mistakes = [
        f"{option_named(name)} {getattr(parameters, name)!r} chooses no task" + _known(data, getattr(parameters, name))
        for name, found in passing.items()
        if not found
    ]
    for name in ("tasks", "val_tasks"):
        given = getattr(parameters, name)
        if given is not None:
            chosen[name] = frozenset(id for id in given if id in data)
            if unknown := sorted(set(given) - data.keys()):
                mistakes.append(f"{option_named(name)}: the project has no tasks {_listed(unknown)}")
    for name in ("split_column", "group_column"):
        column = getattr(parameters, name)
        if column is not None and data and all(value_of(one, column) is None for one in data.values()):
            mistakes.append(f"{option_named(name)} {column!r}: no task's data has such a field" + _known(data))
    validation = chosen.get("val_tasks", chosen.get("val_filter"))
    background = chosen.get("background", frozenset())
    task_ids: frozenset[int] | None = None
    if limits := [chosen[name] for name in ("tasks", "filter") if name in chosen]:
        # What was named for one purpose is not taken away by a limit that was named for another.
        task_ids = frozenset.intersection(*limits) | (validation or frozenset()) | background
    learned = frozenset(data) if task_ids is None else task_ids
    part_of: dict[int, Part] = dict.fromkeys(validation or (), "validation")
    warnings: list[str] = []
    if parameters.split_column is not None:
        part_of, strange = _parts(parameters.split_column, {id: data[id] for id in sorted(learned)})
        warnings += strange
    group_of: dict[int, str] = {}
    if parameters.group_column is not None:
        group_of, apart = _groups(parameters.group_column, {id: data[id] for id in sorted(learned)}, fields)
        warnings += apart
    warnings += _straddling(part_of, group_of, _media(data, sorted(learned), fields))
    warnings += _unanswered(part_of, learned, background.union(annotated))
    return Choice(task_ids, part_of, group_of, background, tuple(mistakes), tuple(warnings))


def _parts(column: str, data: Data) -> tuple[dict[int, Part], list[str]]:
    """Every task with the part that its data says; what says none, or an unknown one, is trained on."""
    parts: dict[int, Part] = {}
    strange: defaultdict[str, list[int]] = defaultdict(list)
    for id, one in data.items():
        value = value_of(one, column)
        said = "" if value is None else str(value).strip()
        if said.lower() not in PART_NAMES:
            strange[said].append(id)
        parts[id] = PART_NAMES.get(said.lower(), "train")
    warnings = []
    for said, ids in strange.items():
        found = f"{said!r}, which is no part (train, validation or test)," if said else "nothing"
        warnings.append(f"split_column {column!r} says {found} for {_tasks(ids)}: trained on")
    return parts, warnings


def _groups(column: str, data: Data, fields: Sequence[str]) -> tuple[dict[int, str], list[str]]:
    """The group of each task that says one. Groups that show the same media are joined: nothing can stand between."""
    group_of: dict[int, str] = {}
    without: list[int] = []
    for id, one in data.items():
        value = value_of(one, column)
        if value is None or value == "":
            without.append(id)
        else:
            group_of[id] = str(value)
    warnings = []
    if without and group_of:
        warnings.append(f"group_column {column!r} says nothing for {_tasks(without)}: each is a group of its own")
    root: dict[str, str] = {}

    def find(group: str) -> str:
        while group in root:
            group = root[group]
        return group

    for address, ids in _media(data, group_of, fields).items():
        first, *others = dict.fromkeys(find(group_of[id]) for id in ids)
        for other in others:
            root[other] = first
            warnings.append(f"groups {first!r} and {other!r} are one: {_tasks(ids)} of both show {_short(address)}")
    return {id: find(group) for id, group in group_of.items()}, warnings


def _straddling(part_of: Mapping[int, Part], group_of: Mapping[int, str], media: Mapping[str, list[int]]) -> list[str]:
    """Where a person put what belongs together into several parts. So be it; but what is measured then flatters."""
    together: defaultdict[str, list[int]] = defaultdict(list)
    for id, group in group_of.items():
        together[f"group {group!r}"].append(id)
    for address, ids in media.items():
        together[f"the media {_short(address)}"] += ids
    found = []
    for what, ids in together.items():
        parts = {part_of[id] for id in ids if id in part_of}
        if len(parts) > 1:
            found.append(f"{what} stands in {' and '.join(sorted(parts, key=PARTS.index))} ({_tasks(ids)})")
    if not found:
        return []
    more = f", and {len(found) - _TOLD} more such" if len(found) > _TOLD else ""
    return [f"{'; '.join(found[:_TOLD])}{more}: it stays as it was chosen, and what is measured there flatters"]


def _unanswered(part_of: Mapping[int, Part], learned: frozenset[int], answered: Collection[int]) -> Iterator[str]:
    """Chosen parts that people have not answered, or not all of."""
    members: defaultdict[Part, list[int]] = defaultdict(list)
    for id, part in part_of.items():
        if id in learned:
            members[part].append(id)
    validation = members["validation"]
    silent = sorted(id for id in validation if id not in answered)
    if silent and len(silent) == len(validation):
        yield f"no task of the chosen validation set is annotated ({_tasks(silent)}): nothing can be measured on it"
    elif silent:
        yield f"{_tasks(silent)} of the chosen validation set not annotated yet: measured without"
    if validation and not (learned & set(answered)) - set(validation) - set(members["test"]):
        yield "every annotated task is for validation or test: nothing is left to train on"
    if part_of and members["train"] and not validation and not members["test"]:
        yield "the split column puts every task into train: nothing is left to measure on but the cross-check"


def _media(data: Data, ids: Iterable[int], fields: Sequence[str]) -> dict[str, list[int]]:
    """Media that several of the tasks show, by address."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for id in ids:
        for name in fields:
            value = value_of(data[id], name)
            if isinstance(value, str) and value:
                found[value].append(id)
    return {address: list(dict.fromkeys(shown)) for address, shown in found.items() if len(set(shown)) > 1}


def option_named(name: str) -> str:
    return {"tasks": "task", "val_tasks": "val_task"}.get(name, name)


def _known(data: Data, condition: str = "") -> str:
    """What fields there are, where the one that was named is none of them."""
    name, equals, _ = condition.partition("=")
    fields = sorted({str(key) for one in data.values() for key in one})
    if condition and (not equals or name == "view" or name in fields):
        return ""
    return f"; the tasks' data has {', '.join(fields) or 'no fields'}"


def _tasks(ids: Sequence[int]) -> str:
    return f"task {ids[0]}" if len(ids) == 1 else f"tasks {_listed(ids)}"


def _listed(ids: Sequence[int]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(map(str, ids[:_NAMED])) + more


def _short(address: str) -> str:
    return repr(address if len(address) <= 60 else f"...{address[-57:]}")
