"""One plugin as its distribution announces it: known by name before anything of it is imported."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint
from typing import Any, Literal

from ..errors import BrokenPlugin
from .rules import missing_members

Role = Literal["encoder", "classifier", "index", "tuner"]
GROUPS: dict[Role, str] = {
    "encoder": "espalier.encoders",
    "classifier": "espalier.classifiers",
    "index": "espalier.indexes",
    "tuner": "espalier.tuners",
}


@dataclass(frozen=True)
class Plugin:
    """Name, role, and the distribution (`origin`, `version`) that brings it."""

    name: str
    role: Role
    version: str
    origin: str
    entry_point: EntryPoint

    def load(self) -> Any:
        """The plugin's class: an EncoderClass, ClassifierClass, IndexClass or TunerClass.

        Raises BrokenPlugin with the reason where it cannot be loaded.
        """
        found, reason = self._loaded
        if found is None:
            raise BrokenPlugin(self.name, f"{self.role} can be loaded", reason)
        return found

    @property
    def error(self) -> str:
        """Why it cannot be loaded, or an empty string; imports the plugin."""
        return self._loaded[1]

    @cached_property
    def _loaded(self) -> tuple[type[Any] | None, str]:
        try:
            found = self.entry_point.load()
        except Exception as error:  # noqa: BLE001 - a foreign module may raise anything, and must not stop the others
            return None, f"{type(error).__name__}: {error} (in {self.entry_point.value}, {self.origin} {self.version})"
        if not isinstance(found, type):
            return None, f"{self.entry_point.value} is a {type(found).__name__}, not a class"
        missing = missing_members(self.role, found)
        if missing:
            return None, f"{self.entry_point.value} lacks {', '.join(missing)}"
        return found, ""
