"""What is chosen for single classifications: the plugin that answers them, how sure it must be, what counts as a no."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .people import PluginRole, installed
from .problem import Refused
from .routes import Asked, Routes, Told

Origin = Literal["labeling configuration", "espalier.yaml", "project"]


class SettingBehind(Told):
    value: str
    origin: Origin


class SettingShown(Told):
    classification: str
    name: str = Field(description="As an attribute of the labeling configuration, such as `model_plugin`.")
    value: str
    origin: Origin = Field(
        description="Where it was written. The project's own comes before espalier.yaml, and that before the labeling "
        "configuration."
    )
    behind: list[SettingBehind] = Field(description="What would hold without it, the nearest first.")


class SettingList(Told):
    """Settings that are not the usual ones, by classification."""

    items: list[SettingShown]


class SettingsChosen(Asked):
    settings: dict[str, str] = Field(
        max_length=20,
        description="Such as `plugin`: `dynamic`, `score_threshold`: `0.7`, or `parameters`: JSON of what is set of "
        "the plugin.",
    )
    taken_back: list[str] = Field([], max_length=20, description="Settings of which what is written elsewhere holds.")


class PluginDescribed(Told):
    """One plugin, loaded."""

    role: PluginRole
    name: str
    version: str
    origin: str = Field(description="The distribution that brings it.")
    error: str = Field(description="Why it cannot be loaded; empty where it can.")
    usual: bool = Field(description="Whether it answers where nothing else is chosen.")
    about: str = Field(description="What a classifier does, in a sentence.")
    properties: dict[str, dict[str, Any]] = Field(
        description="What may be set of a classifier, by name, as JSON Schema: `type`, `title`, `description`, perhaps "
        "`enum`, `default` and limits."
    )


class PluginsDescribed(Told):
    """What is installed, by role and name."""

    items: list[PluginDescribed]


def register(routes: Routes, given: Given, asking: Asking) -> None:
    @routes.endpoint(
        "GET", "/projects/<project>/settings", SettingList, role="viewer", query=Wait, also=ALSO_LATER, refuses=(409,),
        id="listSettings",
    )  # fmt: skip
    def settings(project: str, query: Wait) -> Any:
        """What is chosen for the project's classifications, and where it was written."""
        return asking.answer(given.errand(given.project(project), "settings", {}), query.wait_s, SettingList)

    @routes.endpoint(
        "GET", "/projects/<project>/plugins", PluginsDescribed, role="viewer", query=Wait, also=ALSO_LATER,
        refuses=(409,), id="describePlugins",
    )  # fmt: skip
    def plugins(project: str, query: Wait) -> Any:
        """Every plugin, as a worker loads it: the reason where it cannot, and what people may set of a classifier."""
        there = [[one.role, one.name, one.version] for one in installed()]
        job = given.errand(given.project(project), "plugins", {"there": there})
        return asking.answer(job, query.wait_s, PluginsDescribed)

    @routes.endpoint(
        "PUT", "/projects/<project>/classifications/<path:classification>/settings", SettingList, role="manager",
        takes=SettingsChosen, query=Wait, also=ALSO_LATER, refuses=(409,), id="chooseSettings",
    )  # fmt: skip
    def choose(project: str, classification: str, body: SettingsChosen, query: Wait) -> Any:
        """Choose for one classification; what is not named stays. A training is asked for, and no restart needed."""
        found = given.project(project)
        _check(given, project, classification)
        if not body.settings and not body.taken_back:
            raise Refused(422, "name at least one setting, under `settings` or under `taken_back`")
        asked = {"classification": classification, "given": body.settings, "taken_back": body.taken_back}
        job = given.errand(found, "choose_settings", asked)
        return asking.answer(job, query.wait_s, SettingList)

    @routes.endpoint(
        "DELETE", "/projects/<project>/classifications/<path:classification>/settings/<setting>", SettingList,
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
