"""Trainings: what there is to learn from, how long it takes, and the start. A worker does them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .routes import Asked, Figures, Routes, Told
from .training_choices import TrainingChoices, TuningChoices


class TrainingAsked(Asked):
    parameters: TrainingChoices | None = Field(
        None, description="Kept, and held for every training to come; null: those that are kept. {} goes back to none."
    )
    reconcile: bool = Field(False, description="Read all of the project from Label Studio first.")


class TrainingStarted(Told):
    """The training's job, and what it learns from. A training that waits already is the same one."""

    job: str
    counts: dict[str, Any]
    parameters: dict[str, Any]


class ChoicesShown(Told):
    """JSON Schemas of what trainings and fine-tunings take, with ranges, defaults and meanings; `x-level` is basic for
    what most people choose by, `x-kind` says what a list names, `x-order` how they follow each other."""

    training: dict[str, Any]
    tuning: dict[str, Any]


class Labels(Figures):
    """How often each option was answered, and what is doubtful in that: `espalier labels --json`."""

    parameters: dict[str, Any] = Field(description="What is kept for the project's trainings.")


class TuningAsked(Asked):
    parameters: TuningChoices | None = None
    resume: str | None = Field(None, max_length=200, description="A version that was interrupted: go on where it was.")


class TuningStarted(Told):
    """The version that the fine-tuning makes, and its job."""

    version: str
    job: str


class EstimateAsked(Asked):
    parameters: TuningChoices | None = None


class Estimated(Figures):
    """What a fine-tuning would learn from, and how long it would take, in seconds."""

    parts: dict[str, int]
    frames: int
    embedding_s: float
    tuning: dict[str, Any] = Field(description="steps, seconds, seconds_decoding, remarks.")


class EnsembleAsked(Asked):
    versions: list[str] = Field(min_length=2, max_length=20)


class Made(Told):
    """The version that was made, and what the gate said."""

    version: str
    message: str


class Said(Told):
    """What becomes of it, in words."""

    message: str


class ForecastAsked(Wait):
    more: int = Field(100, ge=1, le=100_000, description="How many labels more.")


class Forecasts(Figures):
    """What more labels would buy, by question, the one with most to gain first."""

    items: list[dict[str, Any]]


def register(routes: Routes, given: Given, asking: Asking) -> None:
    @routes.endpoint("GET", "/training-choices", ChoicesShown, role="viewer", id="getTrainingChoices")
    def choices() -> ChoicesShown:
        """What can be chosen of a training and of a fine-tuning, to make forms of."""
        return ChoicesShown(training=_schema(TrainingChoices), tuning=_schema(TuningChoices))

    @routes.endpoint(
        "GET", "/projects/<project>/labels", Labels, role="viewer", query=Wait, also=ALSO_LATER, refuses=(409,),
        id="getLabels",
    )  # fmt: skip
    def labels(project: str, query: Wait) -> Any:
        """What there is to learn from, before anything is started."""
        return asking.answer(given.errand(given.project(project), "label_counts", {}), query.wait_s, Labels)

    @routes.endpoint(
        "POST", "/projects/<project>/trainings", TrainingStarted, role="manager", status=201, takes=TrainingAsked,
        query=Wait, also=ALSO_LATER, refuses=(409,), id="startTraining",
    )  # fmt: skip
    def train(project: str, body: TrainingAsked, query: Wait) -> Any:
        """Train now, on every answer so far, or on what the parameters choose."""
        chosen = None if body.parameters is None else _given(body.parameters)
        job = given.errand(given.project(project), "train", {"parameters": chosen, "reconcile": body.reconcile})
        return asking.answer(job, query.wait_s, TrainingStarted, 201)

    @routes.endpoint(
        "POST", "/projects/<project>/tunings", TuningStarted, role="manager", status=201, takes=TuningAsked,
        query=Wait, also=ALSO_LATER, refuses=(409,), id="startTuning",
    )  # fmt: skip
    def tune(project: str, body: TuningAsked, query: Wait) -> Any:
        """Fine-tune a network on all answers; what serves goes on serving meanwhile."""
        asked = {"parameters": _given(body.parameters), "resume": body.resume}
        return asking.answer(given.errand(given.project(project), "tune", asked), query.wait_s, TuningStarted, 201)

    @routes.endpoint(
        "POST", "/projects/<project>/tunings/estimate", Estimated, role="manager", takes=EstimateAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="estimateTuning",
    )  # fmt: skip
    def estimated(project: str, body: EstimateAsked, query: Wait) -> Any:
        """What a fine-tuning would learn from, and how long it would take: measured on a sample."""
        asked = {"parameters": _given(body.parameters)}
        return asking.answer(given.errand(given.project(project), "estimate", asked), query.wait_s, Estimated)

    @routes.endpoint(
        "POST", "/projects/<project>/versions/<version>/cancel", Said, role="manager", query=Wait, also=ALSO_LATER,
        refuses=(409,), id="cancelTuning",
    )  # fmt: skip
    def cancel(project: str, version: str, query: Wait) -> Any:
        """Stop a fine-tuning; the best so far is kept."""
        found = given.project(project)
        job = given.errand(found, "cancel_tuning", {"version": given.version(found, version).name})
        return asking.answer(job, query.wait_s, Said)

    @routes.endpoint(
        "POST", "/projects/<project>/ensembles", Made, role="manager", status=201, takes=EnsembleAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="makeEnsemble",
    )  # fmt: skip
    def ensemble(project: str, body: EnsembleAsked, query: Wait) -> Any:
        """Several versions as one."""
        job = given.errand(given.project(project), "ensemble", body.model_dump())
        return asking.answer(job, query.wait_s, Made, 201)

    @routes.endpoint(
        "GET", "/projects/<project>/forecast", Forecasts, role="viewer", query=ForecastAsked, also=ALSO_LATER,
        refuses=(409,), id="getForecast",
    )  # fmt: skip
    def forecast(project: str, query: ForecastAsked) -> Any:
        """What another hundred labels would buy."""
        return asking.answer(
            given.errand(given.project(project), "forecast", {"more": query.more}), query.wait_s, Forecasts
        )


def _schema(choices: type[TrainingChoices | TuningChoices]) -> dict[str, Any]:
    return {**choices.model_json_schema(), "x-order": list(choices.model_fields)}


def _given(choices: TrainingChoices | TuningChoices | None) -> dict[str, Any]:
    return choices.model_dump(exclude_unset=True) if choices is not None else {}
