"""What is chosen for single classifications: the plugin that answers them, how sure it must be, what counts as a no."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .problem import Refused
from .routes import Asked, Routes, Told


class SettingShown(Told):
    classification: str
    name: str = Field(description="As an attribute of the labeling configuration, such as `model_plugin`.")
    value: str
    origin: Literal["labeling configuration", "espalier.yaml", "project"] = Field(
        description="Where it was written. The project's own comes before espalier.yaml, and that before the labeling "
        "configuration."
    )


class SettingList(Told):
    """Settings that are not the usual ones, by classification."""

    items: list[SettingShown]


class SettingsChosen(Asked):
    settings: dict[str, str] = Field(
        min_length=1, max_length=20, description="Such as `plugin`: `dynamic`, or `score_threshold`: `0.7`."
    )


def register(routes: Routes, given: Given, asking: Asking) -> None:
    @routes.endpoint(
        "GET", "/projects/<project>/settings", SettingList, role="viewer", query=Wait, also=ALSO_LATER, refuses=(409,),
        id="listSettings",
    )  # fmt: skip
    def settings(project: str, query: Wait) -> Any:
        """What is chosen for the project's classifications, and where it was written."""
        return asking.answer(given.errand(given.project(project), "settings", {}), query.wait_s, SettingList)

    @routes.endpoint(
        "PUT", "/projects/<project>/classifications/<classification>/settings", SettingList, role="manager",
        takes=SettingsChosen, query=Wait, also=ALSO_LATER, refuses=(409,), id="chooseSettings",
    )  # fmt: skip
    def choose(project: str, classification: str, body: SettingsChosen, query: Wait) -> Any:
        """Choose for one classification; what is not named stays. A training is asked for, and no restart needed."""
        found = given.project(project)
        _check(given, project, classification)
        job = given.errand(found, "choose_settings", {"classification": classification, "given": body.settings})
        return asking.answer(job, query.wait_s, SettingList)

    @routes.endpoint(
        "DELETE", "/projects/<project>/classifications/<classification>/settings/<setting>", SettingList,
        role="manager", query=Wait, also=ALSO_LATER, refuses=(409,), id="takeBackSetting",
    )  # fmt: skip
    def take_back(project: str, classification: str, setting: str, query: Wait) -> Any:
        """Take back what was chosen for this project; what is written elsewhere holds again."""
        found = given.project(project)
        _check(given, project, classification)
        job = given.errand(found, "choose_settings", {"classification": classification, "taken_back": [setting]})
        return asking.answer(job, query.wait_s, SettingList)


def _check(given: Given, project: str, classification: str) -> None:
    ontology = given.ontology(given.project(project))
    if classification not in ontology:
        known = ", ".join(one.name for one in ontology) or "nothing"
        raise Refused(404, f"project {project[:80]} does not ask {classification[:80]!r}; it asks {known}")
