"""Predictions of a version as they lie in memory to be reviewed: read once, then only what is new."""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, get_args

import orjson

from espalier_ontology.tree import Ontology, Path

from ...jobs.predicted_items import Item, ItemReader, Place
from ...jobs.reviewed import decided
from ...jobs.withheld import BLIND, in_state, share_of, withheld
from ...store.records import Records
from ...store.rows import ModelVersion, Project, Run

_VERSIONS = 3
_ORDERS = 8
Key = tuple[int, Place]
State = Literal["undecided", "approved", "corrected", "rejected", "annotated"]


@dataclass
class Held:
    """items: in the order of tasks and places. scores: theirs. states: of those that are not undecided."""

    token: object = None
    position: int = 0
    count: int = 0
    by_task: dict[int, list[Item]] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    states: dict[Key, State] = field(default_factory=dict)
    orders: OrderedDict[object, list[int]] = field(default_factory=OrderedDict)

    def state(self, item: Item) -> State:
        return self.states.get((item.task, item.place)) or self.states.get((item.task, _ALL)) or "undecided"

    def ordered(self, token: object, make: Callable[[], list[int]]) -> list[int]:
        """Indices of items; the last few lists are kept, for they are read page by page."""
        if token not in self.orders:
            self.orders[token] = make()
            while len(self.orders) > _ORDERS:
                self.orders.popitem(last=False)
        return self.orders[token]


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Half a million small things are made that all stay: looking through them again and again takes longer than they
    do (measured with a hundred thousand predictions: 1.6 s instead of 0.5 s)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_ALL: Place = ("", None, None)
"""Stands for all places of a task that a person has annotated."""


class PredictedItems:
    """One for the process; a few versions are held at a time."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str], Held] = OrderedDict()

    def of(self, project: Project, version: str, ontology: Ontology) -> Held:
        with self._lock:
            name = project.key, version
            held = self._held.pop(name, None)
            now = self._records.position(project.key)
            runs = [(run.id, run.state, run.done) for run in self._records.runs(project.key)]
            token = ontology.fingerprint, now, runs
            if held is None or held.token != token:
                known = held if held is not None and self._same(held, ontology) else Held()
                with _nothing_collected():
                    held = self._read(known, project, version, ontology)
                held.token = token
            self._held[name] = held
            while len(self._held) > _VERSIONS:
                self._held.popitem(last=False)
            return held

    def _same(self, held: Held, ontology: Ontology) -> bool:
        return isinstance(held.token, tuple) and held.token[0] == ontology.fingerprint

    def _read(self, known: Held, project: Project, version: str, ontology: Ontology) -> Held:
        """A new one: others may be reading the old one."""
        records = self._records
        count, position = records.predicted(project.key, version)
        made = Held(position=position, count=count, by_task=known.by_task)
        if (count, position) != (known.count, known.position):
            rows = records.prediction_texts(project.key, version, since=known.position)
            made.by_task = dict(known.by_task) if known.position else {}
            if known.position and len(made.by_task.keys() | {task for task, _, _ in rows}) != count:  # some are gone
                rows, made.by_task = records.prediction_texts(project.key, version), {}
            reader = ItemReader(ontology)
            for task, text, score in rows:
                made.by_task[task] = reader.items(task, orjson.loads(text), score) if len(text) > 2 else []
        hidden = self._hidden(project, version, made.by_task)
        shown = [made.by_task[task] for task in sorted(made.by_task) if task not in hidden]
        made.items = [item for items in shown for item in items]
        made.scores = [item.score for item in made.items]
        made.states = self._states(project, version)
        return made

    def _states(self, project: Project, version: str) -> dict[Key, State]:
        ours = self._records.made_annotations(project.key)
        found: dict[Key, State] = {
            (task, _ALL): "annotated"
            for task, id, at in self._records.annotated(project.key)
            if at is None or ours.get(id) != at
        }
        for task, places in decided(self._records.reviewed(project.key, version)).items():
            found |= {(task, place): decision for place, decision in places.items()}
        return found

    def _hidden(self, project: Project, version: str, tasks: Collection[int]) -> set[int]:
        """Tasks of a blind sample that nobody has answered, and those whose prediction a later run replaced."""
        runs = [run for run in self._records.runs(project.key) if run.kind == "labeling" and run.state != "undone"]
        blind = {task for run in runs if share_of(run) for task in in_state(self._records, run, BLIND)}.intersection(
            tasks
        )
        answered = {one.task_id for one in self._records.annotations(project.key, blind) if not one.was_cancelled}
        waiting = [{"id": task, "annotations": [{}] if task in answered else []} for task in blind]
        hidden = withheld(self._records, project.key, waiting)
        own = next((run for run in runs if run.version == version), None)
        return hidden | (in_state(self._records, own, "replaced") if own else set())


class Cutoffs:
    """What an answer had to reach: of the run, else of the version, by option; 0 where it is not known."""

    def __init__(self, version: ModelVersion | None, run: Run | None) -> None:
        self._by_option: dict[tuple[str, Path], float] = {}
        self._chosen: dict[tuple[str, Path | None], float] = {}
        self._default: float | None = None
        for question in version.metrics.get("questions", ()) if version else ():
            for option in question.get("options", ()):
                self._by_option[question["classification"], tuple(option["path"])] = float(option.get("cutoff") or 0)
        for own in version.cutoffs.get("options", ()) if version else ():
            self._by_option[own["classification"], tuple(own["option"])] = float(own["cutoff"])
        if run is not None:
            self._default = run.parameters.get("confidence")
            for name, value in (run.parameters.get("confidences") or {}).items():
                classification, _, path = str(name).partition("/")
                self._chosen[classification, tuple(path.split("/")) if path else None] = float(value)

    def of(self, classification: str, option: Path) -> float:
        for key in ((classification, option), (classification, None)):
            if key in self._chosen:
                return self._chosen[key]
        return self._default if self._default is not None else self._by_option.get((classification, option), 0.0)

    @property
    def digest(self) -> int:
        """Changes with them."""
        return hash((self._default, *self._chosen.items(), *self._by_option.items()))

    def margin(self, item: Item) -> float:
        """How far the answer that is nearest to its cutoff stands above it."""
        return min(one.confidence - self.of(one.classification, one.option) for one in item.answers)


@dataclass(frozen=True)
class Filter:
    """Which items are shown, and in what order."""

    sort: str = "unsure"
    classification: str | None = None
    option: Path | None = None
    least: float = 0.0
    most: float = 1.0
    state: str | None = None

    def choose(self, held: Held, cutoffs: Cutoffs) -> list[int]:
        """Indices into `held.items`."""
        scores, items = held.scores, held.items
        chosen: Iterable[int] = range(len(items))
        if self.least > 0 or self.most < 1:
            chosen = [at for at in chosen if self.least <= scores[at] <= self.most]
        if self.classification is not None:
            chosen = [at for at in chosen if self._answers(items[at])]
        if self.state is not None:
            chosen = [at for at in chosen if held.state(items[at]) == self.state]
        if self.sort == "unsure":
            return sorted(chosen, key=scores.__getitem__)
        if self.sort == "sure":
            return sorted(chosen, key=lambda at: -scores[at])
        if self.sort == "margin":
            return sorted(chosen, key=lambda at: cutoffs.margin(items[at]))
        return list(chosen)

    def _answers(self, item: Item) -> bool:
        return any(
            one.classification == self.classification
            and (self.option is None or one.option[: len(self.option)] == self.option)
            for one in item.answers
        )


def states_in(held: Held, chosen: Sequence[int]) -> dict[str, int]:
    """How many items there are of each state."""
    found = dict.fromkeys(get_args(State), 0)
    if not held.states:
        found["undecided"] = len(chosen)
        return found
    for at in chosen:
        found[held.state(held.items[at])] += 1
    return found
