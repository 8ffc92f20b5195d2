"""How good a version is: its evaluation, its curves, how much it would label, and the frames behind a figure."""

from __future__ import annotations

import base64
from typing import Any, Literal

from flask import Response
from pydantic import Field

from .asking import ALSO_LATER, Accepted, Asking, Wait
from .given import Given
from .routes import Figures, Routes, Told

Part = Literal["train", "validation", "test", "cross"]
Which = Literal["all", "right", "wrong", "above", "below", "cell"]
Path = list[str]
SEPARATOR = " / "
"""Between the names of a path, in a query."""


class Evaluated(Figures):
    """Everything that can be said of a version, as `espalier evaluate --json` prints it."""

    version: str


class OfPart(Wait):
    part: Part = Field(
        "cross", description="cross: all frames for learning and choosing, judged by what had not seen them."
    )


class OptionCurves(Told):
    option: Path | None = Field(description="null: all options together.")
    precision_recall: dict[str, list[float | None]] = Field(
        description="recall, precision, cutoff: as long as each other."
    )
    roc: dict[str, list[float | None]] = Field(description="false_positive, true_positive, cutoff.")
    reliability: dict[str, list[float | None]] = Field(description="confidence, held, rows: by bin.")


class QuestionCurves(Told):
    classification: str
    parent: Path
    options: list[OptionCurves]


class Curves(Told):
    """Precision-recall, ROC and reliability, by question and option."""

    version: str
    part: Part
    questions: list[QuestionCurves]


class Steps(Told):
    """What was learned step by step: of a fine-tuning its figures, and of every question its learning curves."""

    version: str
    tuning: list[dict[str, float]] = Field(description="step, epoch, and losses and figures by name.")
    questions: list[dict[str, Any]] = Field(description="classification, parent, learning.")


class QuestionAsked(Wait):
    classification: str = Field(max_length=500)
    parent: str = Field("", max_length=2000, description="The path of the parent option, with ` / ` between names.")


ByStepAndOption = list[list[float | None]]


class StepsOfPart(Told):
    """Of the frames of a part that were watched, each answered by its likeliest option; null: nothing to divide by."""

    frames: int
    positives: list[int] = Field(description="By option, the frames that hold it.")
    precision: ByStepAndOption
    recall: ByStepAndOption
    f1: ByStepAndOption
    confusion: list[list[list[int]]] = Field(description="By step; row: what holds, column: what was answered.")


class StepFigures(Told):
    """How each option did at every evaluation step."""

    version: str
    classification: str
    parent: Path
    options: list[Path]
    steps: list[int] = Field(description="Empty where nobody watched the learning.")
    shown: list[int] = Field(
        description="The options that `confusion` shows, by number; one more than there are stands for none."
    )
    parts: dict[str, StepsOfPart] = Field(description="train, validation and test, those of which frames were watched.")


class Targets(Wait):
    precision: str = Field("", max_length=200, pattern=r"^(0\.\d+(,0\.\d+)*)?$", description="Such as 0.9,0.95.")


class Coverage(Figures):
    """How many frames would be labeled, if answers must be right so often: `espalier coverage --json`."""

    version: str


class Answered(Told):
    """Of the frames asked about, how many each cutoff answers; as long as the list of cutoffs each."""

    frames: int
    labeled: list[int] = Field(description="Frames with at least one answer.")
    answers: list[int]
    right: list[int]


class AnsweredNow(Told):
    answers: int
    right: int


class OptionByCutoff(Answered):
    option: Path
    cutoff: float = Field(description="The one in force, where a run asks for no other.")
    in_force: AnsweredNow = Field(description="What that one answers.")


class ByCutoff(Answered):
    classification: str
    multiple: bool
    media: int = Field(description="Groups of frames that were judged: few tell little.")
    options: list[OptionByCutoff] = Field(description="Empty where it was not learned.")


class CoverageByCutoff(Told):
    """What each cutoff would answer, counted on frames that the classifier had not seen."""

    version: str
    cutoffs: list[float]
    together: Answered
    classifications: list[ByCutoff]


class FramesAsked(Wait):
    classification: str = Field(max_length=500)
    parent: str = Field("", max_length=2000, description="The path of the parent option, with ` / ` between names.")
    part: Part = "cross"
    which: Which = Field("all", description="above: answered; below: not; cell: of the confusion matrix.")
    true: str = Field("", max_length=2000, description="Of a cell: what holds; empty: nothing.")
    predicted: str = Field("", max_length=2000, description="Of a cell: what was answered; empty: nothing.")
    limit: int = Field(50, ge=1, le=500)
    offset: int = Field(0, ge=0, le=10**9)


class JudgedFrame(Told):
    id: int | None = Field(description="Of a thumbnail; null where no task shows it any more.")
    task: int | None
    tag: str | None
    frame: int = Field(description="From 1.")
    media: str
    truth: list[Path]
    answers: list[Path]
    best: Path
    score: float


class JudgedFrames(Told):
    """Frames, the surest first."""

    version: str
    total: int
    frames: list[JudgedFrame]


class FiguresAsked(OfPart):
    classification: str = Field(max_length=500)
    parent: str = Field("", max_length=2000, description="The path of the parent option, with ` / ` between names.")
    option: str = Field("", max_length=2000, description="A path with ` / `; all options together by default.")


class Drawn(Told):
    """A figure as Plotly draws it."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]


class DrawnFigures(Told):
    """confusion, precision_recall, roc, reliability and learning; null where there is nothing to draw."""

    version: str
    part: Part
    classification: str
    parent: Path
    option: Path
    figures: dict[str, Drawn | None]


class DrawnLearning(Told):
    version: str
    figure: Drawn | None = Field(description="null before the first evaluation.")


class ScoresAsked(OfPart):
    classification: str = Field(max_length=500)
    parent: str = Field("", max_length=2000, description="The path of the parent option, with ` / ` between names.")


class FrameScores(Told):
    """What every frame could be answered and what holds, to count by other cutoffs; of many frames an even sample."""

    version: str
    exclusive: bool = Field(description="At most one option of a frame holds.")
    options: list[Path]
    cutoffs: list[float] = Field(description="Of each option, the one in force.")
    frames: int
    of: int = Field(description="How many there are; `frames` of them are listed.")
    candidates: list[list[tuple[int, float]]] = Field(
        description="By frame: option number and score, of those that may be answered."
    )
    holds: list[list[int]] = Field(description="By frame: the numbers of the options that hold.")


class HeatMapAsked(Wait):
    task: int = Field(ge=1, le=2**53)
    frame: int = Field(1, ge=1, le=2**31)
    classification: str | None = Field(None, max_length=500, description="The first one by default.")
    option: str = Field("", max_length=2000, description="A path with ` / `; the most likely one by default.")
    method: Literal["auto", "grad-cam", "eigen-cam", "attention", "occlusion"] = "auto"


def register(routes: Routes, given: Given, asking: Asking) -> None:
    def ask(project: str, version: str, errand: str, query: Wait, model: type[Any], **request: Any) -> Any:
        found = given.project(project)
        name = given.version(found, version).name
        return asking.answer(given.errand(found, errand, {"version": name, **request}), query.wait_s, model)

    @routes.endpoint(
        "GET", "/projects/<project>/versions/<version>/evaluation", Evaluated, role="viewer", query=Wait,
        also=ALSO_LATER, refuses=(409,), id="getEvaluation",
    )  # fmt: skip
    def evaluation(project: str, version: str, query: Wait) -> Any:
        """How good a version is, figure by figure."""
        return ask(project, version, "evaluation", query, Evaluated)

    @routes.endpoint(
        "GET", "/projects/<project>/versions/<version>/curves", Curves, role="viewer", query=OfPart, also=ALSO_LATER,
        refuses=(409,), id="getCurves",
    )  # fmt: skip
    def curves(project: str, version: str, query: OfPart) -> Any:
        """Precision-recall, ROC and reliability of one part of the frames."""
        return ask(project, version, "curves", query, Curves, part=query.part)

    @routes.endpoint(
        "GET", "/projects/<project>/versions/<version>/steps", Steps, role="viewer", query=Wait, also=ALSO_LATER,
        refuses=(409,), id="getSteps",
    )  # fmt: skip
    def steps(project: str, version: str, query: Wait) -> Any:
        """Statistics of every evaluation step. Of a fine-tuning that goes on, those so far."""
        found = given.project(project)
        row = given.version(found, version)
        tuning = row.metrics.get("tuning", {}).get("curves", [])
        if row.state == "training" or not row.directory:
            return Steps(version=row.name, tuning=tuning, questions=[])
        return ask(project, version, "steps", query, Steps)

    @routes.endpoint(
        "GET", "/projects/<project>/versions/<version>/step-figures", StepFigures, role="viewer", query=QuestionAsked,
        also=ALSO_LATER, refuses=(409,), id="getStepFigures",
    )  # fmt: skip
    def step_figures(project: str, version: str, query: QuestionAsked) -> Any:
        """Figures by option, and the confusion matrix, at every evaluation step of one question."""
        asked = {"classification": query.classification, "parent": _path(query.parent)}
        return ask(project, version, "step_figures", query, StepFigures, **asked)

    @routes.endpoint(
        "GET", "/projects/<project>/versions/<version>/coverage", Coverage, role="viewer", query=Targets,
        also=ALSO_LATER, refuses=(409,), id="getCoverage",
    )  # fmt: skip
    def coverage(project: str, version: str, query: Targets) -> Any:
        """How many frames are labeled without anybody looking, at a promised precision."""
        targets = [float(number) for number in query.precision.split(",") if number]
        return ask(project, version, "coverage", query, Coverage, precision=targets)

    @routes.endpoint(
        "GET", "/projects/<project>/versions/<version>/coverage-by-cutoff", CoverageByCutoff, role="viewer",
        query=Wait, also=ALSO_LATER, refuses=(409,), id="getCoverageByCutoff",
    )  # fmt: skip
    def by_cutoff(project: str, version: str, query: Wait) -> Any:
        """What each cutoff from 0 to 1 would answer, and how often it would be right."""
        return ask(project, version, "by_cutoff", query, CoverageByCutoff)

    @routes.endpoint(
        "GET", "/projects/<project>/versions/<version>/figures", DrawnFigures, role="viewer", query=FiguresAsked,
        also=ALSO_LATER, refuses=(409,), id="drawFigures",
    )  # fmt: skip
    def drawn(project: str, version: str, query: FiguresAsked) -> Any:
        """The figures of one question, ready to be drawn by Plotly."""
        asked = {"classification": query.classification, "parent": _path(query.parent), "option": _path(query.option)}
        return ask(project, version, "drawn", query, DrawnFigures, part=query.part, **asked)

    @routes.endpoint(
        "GET", "/projects/<project>/versions/<version>/learning", DrawnLearning, role="viewer", query=Wait,
        also=ALSO_LATER, refuses=(409,), id="drawLearning",
    )  # fmt: skip
    def learning(project: str, version: str, query: Wait) -> Any:
        """The learning curves of a fine-tuning, also while it runs, ready to be drawn by Plotly."""
        row = given.version(given.project(project), version)
        so_far = len(row.metrics.get("tuning", {}).get("curves", []))  # asked again, it is another question
        return ask(project, version, "learning", query, DrawnLearning, so_far=so_far)

    @routes.endpoint(
        "GET", "/projects/<project>/versions/<version>/scores", FrameScores, role="viewer", query=ScoresAsked,
        also=ALSO_LATER, refuses=(409,), id="listFrameScores",
    )  # fmt: skip
    def scores(project: str, version: str, query: ScoresAsked) -> Any:
        """What each frame scored, so that figures can follow a cutoff that is only tried."""
        asked = {"classification": query.classification, "parent": _path(query.parent)}
        return ask(project, version, "scores", query, FrameScores, part=query.part, **asked)

    @routes.endpoint(
        "GET", "/projects/<project>/versions/<version>/frames", JudgedFrames, role="viewer", query=FramesAsked,
        also=ALSO_LATER, refuses=(409,), id="listJudgedFrames",
    )  # fmt: skip
    def frames(project: str, version: str, query: FramesAsked) -> Any:
        """The frames behind a figure: right or wrong ones, or those in a cell of the confusion matrix."""
        asked = query.model_dump(exclude={"wait_s"})
        paths = {name: _path(asked.pop(name)) for name in ("parent", "true", "predicted")}
        cell = {name: paths[name] or None for name in ("true", "predicted")}
        return ask(project, version, "judged_frames", query, JudgedFrames, **asked, parent=paths["parent"], **cell)

    @routes.endpoint(
        "GET", "/projects/<project>/versions/<version>/heat-map", {"image/png": {"schema": {"type": "string"}}},
        role="viewer", query=HeatMapAsked, also=ALSO_LATER, refuses=(409,), id="getHeatMap",
    )  # fmt: skip
    def heat_map(project: str, version: str, query: HeatMapAsked) -> Any:
        """Where in a frame the version sees an option, as a picture. The job's result holds it in base64."""
        found = given.project(project)
        asked = {**query.model_dump(exclude={"wait_s", "option"}), "option": _path(query.option)}
        job = given.errand(found, "explain", {**asked, "version": given.version(found, version).name})
        done = asking.wait(job, query.wait_s)
        if isinstance(done, Accepted):
            return done.model_dump(), 202
        result: Any = given.queues.result(job)
        return Response(base64.b64decode(result["png"]), mimetype="image/png")


def _path(text: str) -> Path:
    return text.split(SEPARATOR) if text else []
