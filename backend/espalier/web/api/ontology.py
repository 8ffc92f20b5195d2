"""A project's ontology: the tree of its questions, and what is doubtful in the labeling configuration."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from espalier_ontology import lint as linting
from espalier_ontology.tree import Classification, Ontology

from .given import Given
from .problem import Refused
from .routes import Routes, Told


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
            findings=[
                FindingShown(code=one.code, control=one.control, message=one.message, instead=one.instead)
                for one in findings
            ],
        )


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
