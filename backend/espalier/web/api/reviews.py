"""Predictions to be looked at, and what a person decides about them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from flask import g
from pydantic import Field

from espalier_ontology.timeline import Timeline, frame_rate_of
from espalier_ontology.tree import Ontology

from ...jobs.predicted_items import Item
from ...store.catalogue import Placed
from ...store.rows import ModelVersion, Project, Run
from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .paging import links
from .predicted import Cutoffs, Filter, Held, PredictedItems, State, states_in
from .problem import Refused
from .routes import Asked, Query, Routes, Told
from .runs import Id, SampledAnswer, Started

log = logging.getLogger(__name__)

FRAME_BITS = 24
"""As `store.frame_ids` has it, which carries numpy."""
SEPARATOR = " / "
Frame = Annotated[int, Field(ge=1, le=2**31)]


class OfPredictions(Query):
    run: str | None = Field(None, max_length=32, description="A run's predictions; or those of a version.")
    version: str | None = Field(None, max_length=200, description="By default the last run, or what serves.")
    classification: str | None = Field(None, max_length=500, description="Only with an answer to it.")
    option: str = Field("", max_length=2000, description="And only with this option or one below; ` / ` between names.")
    sort: Literal["unsure", "sure", "margin", "task"] = Field(
        "unsure", description="By the answer that is least sure; margin: by how far it stands above its cutoff."
    )
    min: float = Field(0.0, ge=0, le=1, description="The lowest confidence.")
    max: float = Field(1.0, ge=0, le=1, description="The highest confidence.")
    state: State | None = Field(None, description="annotated: a person has annotated the task otherwise.")


class PredictionsAsked(OfPredictions):
    limit: int = Field(50, ge=1, le=500, description="How many at most.")
    offset: int = Field(0, ge=0, le=10**9, description="How many to pass over first.")


class PredictionRow(Told):
    """What is predicted of one place: an image, an item of a sequence, or a range of a video."""

    task: int
    tag: str
    first: int | None = Field(description="First frame as Label Studio numbers it, from 1; null: all of the media.")
    last: int | None = Field(description="Last frame, inclusive.")
    frame: int = Field(description="The one in the middle, from 1.")
    id: int | None = Field(description="Of its thumbnail; null where the media was not opened yet.")
    time_s: float | None = Field(description="Of a video, when the range begins.")
    seconds: float | None = Field(description="Of a video, how long it is.")
    answers: list[SampledAnswer]
    score: float = Field(description="The confidence of the answer that is least sure.")
    doubt: float = Field(description="How probable it is that at least one answer is wrong.")
    margin: float = Field(description="How far the answer nearest to its cutoff stands above it.")
    state: State
    seen: str = Field(description="To be told with a decision, so that it is about these answers.")


class PredictionList(Told):
    """Predictions, in the order that was asked for."""

    version: str
    run: str | None
    total: int
    states: dict[str, int] = Field(description="How many of each state, were the state not asked for.")
    items: list[PredictionRow]


class PlaceList(Told):
    """Only where the predictions are, all of them: task, tag, first, last, seen."""

    version: str
    places: list[tuple[int, str, int | None, int | None, str]]


class Source(Told):
    version: str
    run: str | None = Field(description="Where it is a run's.")
    predicted: int = Field(description="Tasks.")
    serves: bool
    created_at: datetime | None
    message: str


class SourceList(Told):
    """Whose predictions there are: of runs, the newest first, and then of versions."""

    items: list[Source]


class AnswerGiven(Asked):
    classification: str = Field(max_length=500)
    option: list[str] = Field(min_length=1, max_length=50)


class DecisionGiven(Asked):
    """One of approve, reject and answers."""

    task: Id
    tag: str | None = Field(None, max_length=500)
    first: Frame | None = None
    last: Frame | None = None
    seen: str | None = Field(None, max_length=20, description="As it was told with the prediction.")
    approve: bool = False
    reject: bool = False
    answers: list[AnswerGiven] | None = Field(None, max_length=200, description="What is right instead.")


class ReviewAsked(Asked):
    """Decisions about predictions of a run, or of a version."""

    run: str | None = Field(None, max_length=32)
    version: str | None = Field(None, max_length=200)
    decisions: list[DecisionGiven] = Field(min_length=1, max_length=200_000)
    also_annotated: bool = Field(False, description="Also where a person has annotated the task, beside theirs.")
    by: str = Field("", max_length=300, description="The address of a user of Label Studio makes annotations theirs.")
    note: str = Field("", max_length=2000)


@dataclass(frozen=True)
class _Looked:
    project: Project
    ontology: Ontology
    version: str
    run: Run | None
    held: Held
    cutoffs: Cutoffs


def read_ahead(
    given: Given, items: PredictedItems, project: Project, run: str | None, version: str | None
) -> threading.Thread:
    """Reads predictions while the page that will ask for them is on its way: a hundred thousand that nobody has looked
    at since the start take most of a second. The thread has begun."""
    return _beside(lambda: _read(given, items, project, run, version))


def read_last(given: Given, items: PredictedItems) -> threading.Thread:
    """Reads what the last of all runs has predicted: that is what is looked at first. The thread has begun."""

    def read() -> None:
        projects = given.records.projects()
        runs = [(run.created_at, project, run) for project in projects for run in given.records.runs(project.key)]
        written = [one for one in runs if one[2].kind == "labeling" and one[2].state == "done"]
        if written:
            _, project, run = max(written, key=lambda one: one[0])
            _read(given, items, project, run.id, None)

    return _beside(read)


def _read(given: Given, items: PredictedItems, project: Project, run: str | None, version: str | None) -> None:
    _, name = _source(given, project, run, version)
    items.of(project, name, given.ontology(project))


def _beside(read: Callable[[], None]) -> threading.Thread:
    def quietly() -> None:
        try:
            read()
        except Refused:
            pass  # who asks for them is told
        except Exception:  # nobody waits for it: this is a door of its own
            log.warning("predictions could not be read ahead", exc_info=True)

    thread = threading.Thread(target=quietly, name="reads-ahead", daemon=True)
    thread.start()
    return thread


def register(routes: Routes, given: Given, asking: Asking, items: PredictedItems) -> None:
    def look(project: str, run: str | None, version: str | None) -> _Looked:
        found = given.project(project)
        ontology = given.ontology(found)
        row, name = _source(given, found, run, version)
        models = {one.name: one for one in given.records.versions(found.key)}
        held = items.of(found, name, ontology)
        return _Looked(found, ontology, name, row, held, Cutoffs(_model_of(models, name, row), row))

    def chosen(looked: _Looked, query: OfPredictions, *, any_state: bool = False) -> list[int]:
        path = tuple(query.option.split(SEPARATOR)) if query.option else None
        state = None if any_state else query.state
        wanted = Filter(query.sort, query.classification, path, query.min, query.max, state)
        token = wanted, looked.cutoffs.digest if wanted.sort == "margin" else None
        return looked.held.ordered(token, lambda: wanted.choose(looked.held, looked.cutoffs))

    @routes.endpoint(
        "GET", "/projects/<project>/predictions", PredictionList, role="viewer", query=PredictionsAsked,
        refuses=(409,), id="listPredictions",
    )  # fmt: skip
    def predictions(project: str, query: PredictionsAsked) -> Any:
        """Predictions to look at, with what was decided about them. Of a blind sample nothing is told."""
        looked = look(project, query.run, query.version)
        order = chosen(looked, query)
        everything = order if query.state is None else chosen(looked, query, any_state=True)
        page = order[query.offset : query.offset + query.limit]
        told = PredictionList(
            version=looked.version,
            run=looked.run.id if looked.run else None,
            total=len(order),
            states=states_in(looked.held, everything),
            items=_rows(given, looked, [looked.held.items[at] for at in page]),
        )
        return told, 200, links(len(order), query)  # type: ignore[arg-type]

    @routes.endpoint(
        "GET", "/projects/<project>/predictions/places", PlaceList, role="viewer", query=OfPredictions,
        refuses=(409,), id="listPredictionPlaces",
    )  # fmt: skip
    def places(project: str, query: OfPredictions) -> PlaceList:
        """All at once, to decide about many: in the same order, and nothing but where they are."""
        looked = look(project, query.run, query.version)
        some = [looked.held.items[at] for at in chosen(looked, query)]
        return PlaceList(version=looked.version, places=[(one.task, *one.place, one.seen) for one in some])

    @routes.endpoint(
        "GET", "/projects/<project>/predictions/sources", SourceList, role="viewer", refuses=(409,),
        id="listPredictionSources",
    )  # fmt: skip
    def sources(project: str) -> SourceList:
        """Whose predictions can be looked at."""
        found = given.project(project)
        counts = given.records.predicted_versions(found.key)
        runs = [run for run in given.records.runs(found.key) if run.kind == "labeling" and run.version in counts]
        models = [one for one in given.records.versions(found.key) if one.name in counts]
        return SourceList(
            items=[
                Source(
                    version=run.version, run=run.id, predicted=counts[run.version], serves=False,
                    created_at=run.created_at, message=run.message,
                )
                for run in runs
            ]
            + [
                Source(
                    version=one.name, run=None, predicted=counts[one.name], serves=one.name == found.served,
                    created_at=one.created_at, message="",
                )
                for one in models
            ]
        )  # fmt: skip

    @routes.endpoint(
        "POST", "/projects/<project>/reviews", Started, role="annotator", status=201, takes=ReviewAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="startReview",
    )  # fmt: skip
    def start(project: str, body: ReviewAsked, query: Wait) -> Any:
        """Approved and corrected predictions become annotations; rejected ones are shown no more. It is a run: it can
        be watched, cancelled, and undone, and says what it skipped and why."""
        found = given.project(project)
        run, version = _source(given, found, body.run, body.version)
        asked = body.model_dump(exclude_unset=True, exclude={"run", "version"})
        asked |= {"version": version, "run": run.id if run else None, "by": body.by or str(g.get("who") or "")}
        return asking.answer(given.errand(found, "plan_review", asked), query.wait_s, Started, 201)


def _source(given: Given, project: Project, run: str | None, version: str | None) -> tuple[Run | None, str]:
    """The run, if it is one, and the name of its predictions. Raises Refused."""
    runs = [one for one in given.records.runs(project.key) if one.kind == "labeling" and one.state != "undone"]
    if run is not None:
        own = next((one for one in runs if one.id == run), None)
        if own is None:
            raise Refused(404, f"project {project.id} has no automated labeling run {run!r} that was not undone")
        return own, own.version
    if version is None:
        counts = given.records.predicted_versions(project.key)
        latest = next((one for one in runs if one.version in counts), None)
        if latest is not None:
            return latest, latest.version
        version = project.served or next(iter(counts), "")
        if not version:
            raise Refused(409, "nothing is predicted yet: label a few frames of every class, then start a run")
    named = next((one for one in runs if one.version == version), None)
    if named is None:
        given.version(project, version)
    return named, version


def _model_of(models: Mapping[str, ModelVersion], name: str, run: Run | None) -> ModelVersion | None:
    """The model version that predicts under this name."""
    if run is not None:
        name = str(run.parameters.get("version") or run.version.rpartition("-run")[0])
    return models.get(name)


def _rows(given: Given, looked: _Looked, items: Sequence[Item]) -> list[PredictionRow]:
    ids = {item.task for item in items}
    places = given.records.places_of(looked.project.key, ids)
    rates = {tag.name: tag.frame_rate for tag in looked.ontology.media if tag.kind == "video"}
    from_data = any(rate and rate.startswith("$") for rate in rates.values())
    data = {task.id: task.data for task in given.records.tasks(looked.project.key, ids)} if from_data else {}
    return [_row(looked, item, places.get(item.task, ()), rates, data.get(item.task, {})) for item in items]


def _row(
    looked: _Looked,
    item: Item,
    placed: Sequence[Placed],
    rates: Mapping[str, str | None],
    data: Mapping[str, Any],
) -> PredictionRow:
    tag, first, last = item.place
    own = {one.item: one.media for one in placed if one.tag == tag}
    frame, id, time_s, seconds = 1 if first is None else (first + (last or first)) // 2, None, None, None
    if tag in rates:
        media = own.get(0)
        rate = frame_rate_of(rates[tag], data)
        if media is not None and media.kind == "video":
            frames = Timeline((), media.duration_s, rate).length
            frame = (frames + 1) // 2 if first is None else frame
            # At an even pace, as places are told everywhere.
            id = media.number << FRAME_BITS | max(0, min(media.length - 1, (frame - 1) * media.length // frames))
        if first is not None and last is not None:
            time_s, seconds = round((first - 1) / rate, 3), round((last - first + 1) / rate, 3)
    elif (media := own.get(frame - 1)) is not None:
        id = media.number << FRAME_BITS
    return PredictionRow(
        task=item.task, tag=tag, first=first, last=last, frame=frame, id=id, time_s=time_s, seconds=seconds,
        answers=[
            SampledAnswer(classification=name, option=list(option), confidence=round(confidence, 4))
            for name, option, confidence in item.answers
        ],
        score=round(item.score, 4), doubt=round(item.doubt, 4), margin=round(looked.cutoffs.margin(item), 4),
        state=looked.held.state(item), seen=item.seen,
    )  # fmt: skip
