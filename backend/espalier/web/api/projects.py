"""Projects: which are connected, what serves, what people have answered, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from espalier_ontology.tree import Ontology

from ...labelstudio import pairing
from ...store.rows import Project
from .answer_counts import AnswerCounts, Counting
from .given import Given
from .paging import Page, links, part_of
from .routes import Routes, Told


class ProjectRow(Told):
    id: int = Field(description="The project's id in Label Studio.")
    key: str = Field(description="Its id and the moment it was made: different in every Label Studio.")
    title: str
    served: str | None = Field(description="The model version that predicts.")
    published: str | None = Field(description="The version that Label Studio shows: the one that serves, or a run's.")
    up_to_date: bool = Field(description="Whether the newest training has seen every answer.")
    url: str | None = Field(description="Its address in Label Studio; with `/data?task=<id>` behind it, a task's.")


class ProjectList(Told):
    """Projects, by id."""

    items: list[ProjectRow]


class OptionCount(Told):
    option: list[str] = Field(description="The path of the option.")
    tasks: int = Field(description="Tasks that people gave it to, or one nested in it.")


class ClassificationCount(Told):
    classification: str
    options: list[OptionCount]


class ProjectAnswers(ProjectRow):
    """One project, with what was answered so far and what it still needs."""

    tasks: int = Field(description="Tasks that are known here.")
    answered: int = Field(description="Tasks with at least one answer.")
    classifications: list[ClassificationCount]
    missing: list[str] = Field(description="What to do next, in sentences; empty where nothing is missing.")


def register(routes: Routes, given: Given) -> None:
    counting = Counting(given.records)

    @routes.endpoint("GET", "/projects", ProjectList, role="viewer", query=Page, id="listProjects")
    def projects(query: Page) -> tuple[ProjectList, int, dict[str, str]]:
        """Connected projects."""
        known = given.projects()
        items = [ProjectRow.model_validate(_row(given, project)) for project in part_of(known, query)]
        return ProjectList(items=items), 200, links(len(known), query)

    @routes.endpoint("GET", "/projects/<project>", ProjectAnswers, role="viewer", refuses=(409,), id="getProject")
    def project(project: str) -> ProjectAnswers:
        """One project: answers per class, and what is missing."""
        found = given.project(project)
        ontology = given.ontology(found)
        counts = counting.of(found, ontology)
        return ProjectAnswers.model_validate(
            {
                **_row(given, found),
                "tasks": counts.tasks,
                "answered": counts.answered,
                "classifications": [
                    {
                        "classification": one.name,
                        "options": [
                            {"option": list(option.path), "tasks": counts.by_option.get((one.name, option.path), 0)}
                            for option in one.options
                        ],
                    }
                    for one in ontology
                ],
                "missing": list(_missing(given, found, ontology, counts)),
            }
        )


def _row(given: Given, project: Project) -> dict[str, object]:
    return {
        "id": project.id,
        "key": project.key,
        "title": project.title,
        "served": project.served,
        "published": project.published,
        "up_to_date": project.trained_revision >= project.revision,
        "url": _url(given, project),
    }


def _url(given: Given, project: Project) -> str | None:
    """As Label Studio calls itself, which is where people reach it; else where this backend does."""
    home = project.hostname or given.settings.label_studio_url
    return f"{home.rstrip('/')}/projects/{project.id}" if home.startswith(("http://", "https://")) else None


def _missing(given: Given, project: Project, ontology: Ontology, counts: AnswerCounts) -> Iterator[str]:
    if not len(ontology.classifications):
        yield "nothing in the labeling configuration can be predicted: add Choices, Taxonomy or TimelineLabels"
        return
    if not counts.tasks:
        yield "no task is known here yet: import some in Label Studio"
    paired = pairing.read(given.settings.data_dir)
    if not (project.access_token or given.settings.label_studio_api_key.reveal() or (paired and paired.token)):
        yield "no token for Label Studio: set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY, so that runs can be written"
    for one in ontology:
        held = [option.name for option in one.options if counts.by_option.get((one.name, option.path))]
        lacking = [option.name for option in one.options if option.name not in held]
        if one.options and len(held) < min(2, len(one.options)):
            yield f"{one.name}: label some tasks with at least two different options"
        elif lacking:
            named = ", ".join(lacking[:8]) + (" and others" if len(lacking) > 8 else "")
            yield f"{one.name}: nobody has answered {named} yet"
    if counts.answered and not project.served:
        yield "no model version serves yet: start a training"
