"""Who asks, and what is installed here."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Literal

from flask import g
from pydantic import Field

from ... import __version__
from ...store.tokens import Role
from .routes import Routes, Told

PluginRole = Literal["encoder", "classifier", "index", "tuner"]
GROUPS: dict[PluginRole, str] = {
    "encoder": "espalier.encoders",
    "classifier": "espalier.classifiers",
    "index": "espalier.indexes",
    "tuner": "espalier.tuners",
}
"""As `plugins.plugin` has it, which carries numpy."""


class Me(Told):
    """Who asks, as this backend knows them."""

    name: str = Field(description="Empty where nobody needs to sign in.")
    role: Role
    version: str = Field(description="Of Espalier.")


class PluginShown(Told):
    role: PluginRole
    name: str
    version: str
    origin: str = Field(description="The distribution that brings it.")


class PluginList(Told):
    """Plugins, by role and name."""

    items: list[PluginShown]


def register(routes: Routes) -> None:
    @routes.endpoint("GET", "/me", Me, role="viewer", id="getMe")
    def me() -> Me:
        """Who asks, and what they may do."""
        return Me(name=g.who, role=g.role, version=__version__)

    @routes.endpoint("GET", "/plugins", PluginList, role="viewer", id="listPlugins")
    def plugins() -> PluginList:
        """What is installed; classifiers can be chosen for a classification."""
        return PluginList(items=installed())


def installed() -> list[PluginShown]:
    return [shown for role, group in GROUPS.items() for shown in _installed(role, group)]


def _installed(role: PluginRole, group: str) -> list[PluginShown]:
    """By name, from the distributions' metadata: nothing of a plugin is imported."""
    found = {
        point.name: PluginShown(role=role, name=point.name, version=point.dist.version, origin=point.dist.name)
        for point in entry_points(group=group)
        if point.dist is not None
    }
    return [found[name] for name in sorted(found)]
