"""A project's ontology: the tree of its questions, and what is doubtful in the labeling configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from espalier_ontology import labeling_config
from espalier_ontology import lint as linting
from espalier_ontology.diff import diff
from espalier_ontology.tree import Classification, Ontology

from .given import Given
from .problem import Refused
from .routes import Asked, Routes, Told


class MediaShown(Told):
    name: str
    kind: Literal["image", "sequence", "video"]
    field: str = Field(description="The key of the task's data that holds its address.")


class OptionShown(Told):
    option: list[str] = Field(description="The path of the option, from the classification's root.")
    alias: str | None
    hotkey: str | None
    color: str | None = Field(description="As the labeling configuration has it.")


class ConditionShown(Told):
    classifications: list[str]
    options: list[list[str]] | None = Field(description="Any of these paths; null: any answer at all.")
    negated: bool


class ClassificationShown(Told):
    """One question; its attributes stand below it."""

    name: str
    media: str
    control: str
    kind: Literal["single", "multiple", "taxonomy", "timeline"]
    scope: Literal["media", "item", "range"]
    required: bool
    options: list[OptionShown]
    options_from: str | None = Field(description="The data field that lists the options task by task.")
    conditions: list[ConditionShown] = Field(description="It is asked only where all of these hold.")
    settings: dict[str, str] = Field(description="Its `model_*` attributes.")
    children: list[str] = Field(description="The names of the classifications that its options open.")


class SkippedShown(Told):
    name: str
    control: str
    reason: str


class FindingShown(Told):
    code: str
    control: str
    message: str
    instead: str


class OntologyShown(Told):
    """The tree: classifications by name, parents before their children."""

    fingerprint: str = Field(description="Changes when, and only when, something that a model learns from changes.")
    media: list[MediaShown]
    roots: list[str]
    classifications: list[ClassificationShown]
    skipped: list[SkippedShown] = Field(description="Controls that cannot be predicted, and why.")
    findings: list[FindingShown] = Field(description="What is doubtful in the labeling configuration.")


class ConfigurationShown(Told):
    """The labeling configuration of a project, as Label Studio last told it."""

    config: str = Field(description="XML.")


class ConfigurationAsked(Asked):
    config: str = Field(min_length=1, max_length=1_000_000, description="XML of a labeling configuration.")


class ConfigurationChange(Told):
    """What would be different from today's configuration."""

    message: str
    answers: Literal["kept", "need another look", "no longer asked"] = Field(description="What becomes of them.")
    model: Literal["serves on", "must be trained"]


class ConfigurationChecked(Told):
    """What a labeling configuration asks, before it is saved."""

    asks: list[str] = Field(description="Classifications that can be predicted.")
    skipped: list[SkippedShown]
    findings: list[FindingShown]
    changes: list[ConfigurationChange]


def register(routes: Routes, given: Given) -> None:
    @routes.endpoint(
        "GET", "/projects/<project>/ontology", OntologyShown, role="viewer", refuses=(409,), id="getOntology"
    )
    def ontology(project: str) -> OntologyShown:
        """The tree of questions, with lint findings."""
        found = given.project(project)
        tree = given.ontology(found)
        try:
            findings = linting.lint(found.label_config)
        except ValueError as error:
            raise Refused(409, f"project {found.id}: {error}") from error
        return OntologyShown(
            fingerprint=tree.fingerprint,
            media=[MediaShown(name=tag.name, kind=tag.kind, field=tag.field) for tag in tree.media],
            roots=[one.name for one in tree.roots],
            classifications=[_shown(tree, one) for one in tree],
            skipped=[SkippedShown(name=one.name, control=one.control, reason=one.reason) for one in tree.skipped],
            findings=_findings(findings),
        )

    @routes.endpoint(
        "GET", "/projects/<project>/labeling-configuration", ConfigurationShown, role="viewer", refuses=(409,),
        id="getLabelingConfiguration",
    )  # fmt: skip
    def configuration(project: str) -> ConfigurationShown:
        """What the tree was read from."""
        return ConfigurationShown(config=given.project(project).label_config)

    @routes.endpoint(
        "POST", "/projects/<project>/labeling-configuration/check", ConfigurationChecked, role="viewer",
        takes=ConfigurationAsked, refuses=(409,), id="checkLabelingConfiguration",
    )  # fmt: skip
    def check(project: str, body: ConfigurationAsked) -> ConfigurationChecked:
        """What another labeling configuration would ask, what is doubtful in it, and what would change. Nothing is
        saved."""
        today = given.ontology(given.project(project))
        try:
            tree, findings = labeling_config.parse(body.config), linting.lint(body.config)
        except ValueError as error:
            raise Refused(422, str(error)) from error
        return ConfigurationChecked(
            asks=[one.name for one in tree],
            skipped=[SkippedShown(name=one.name, control=one.control, reason=one.reason) for one in tree.skipped],
            findings=_findings(findings),
            changes=[
                ConfigurationChange(message=one.message, answers=one.answers, model=one.model)
                for one in diff(today, tree)
            ],
        )


def _findings(findings: Iterable[linting.Finding]) -> list[FindingShown]:
    return [
        FindingShown(code=one.code, control=one.control, message=one.message, instead=one.instead) for one in findings
    ]


def _shown(tree: Ontology, one: Classification) -> ClassificationShown:
    return ClassificationShown(
        name=one.name,
        media=one.media,
        control=one.control,
        kind=one.kind,
        scope=one.scope,
        required=one.required,
        options=[
            OptionShown(option=list(option.path), alias=option.alias, hotkey=option.hotkey, color=option.background)
            for option in one.options
        ],
        options_from=one.dynamic_field,
        conditions=[
            ConditionShown(
                classifications=list(condition.names),
                options=None if condition.options is None else [list(path) for path in sorted(condition.options)],
                negated=condition.negated,
            )
            for condition in one.conditions
        ],
        settings=dict(one.settings),
        children=[child.name for child in tree.children(one.name)],
    )
