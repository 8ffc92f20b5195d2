"""From what people write to an option: by its path, its name or alias, or a directory that is named after it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from functools import cached_property

from espalier_ontology.tree import Classification, Path

from .file_names import safe_name

_SEPARATORS = (" / ", "/", " > ", ">")
_NOTHING = {"", "none", "n/a", "nan", "null", "-"}
"""What tables write into a column of several labels where there is none."""


class OptionNames:
    """Of one classification."""

    def __init__(self, classification: Classification) -> None:
        self.classification = classification

    def find(self, text: str) -> frozenset[Path]:
        """Every option that this may mean: one where it is understood, none, or several.

        What Label Studio writes goes first, then the whole path, then a name at any depth, then the same with other
        capitals.
        """
        if text[:1] == "[" and (path := self._listed(text)):
            return frozenset({path})
        for layer in self._layers:
            for said in (text, text.strip()):
                if said in layer:
                    return layer[said]
        return self._folded.get(text.strip().casefold(), frozenset())

    def several(self, text: str) -> list[str]:
        """The labels in a cell: one, or where the question takes several those between | or ;."""
        if self.find(text):
            return [text]
        if text[:1] in ("{", "["):
            try:
                told = json.loads(text)
            except ValueError:
                return [text]
            told = next(iter(told.values()), None) if isinstance(told, dict) else told
            if isinstance(told, list) and all(isinstance(one, str) for one in told):
                return list(told)
        if self.classification.exclusive:
            return [] if not text.strip() else [text]
        if text.strip().casefold() in _NOTHING:
            return []
        for separator in "|", ";", ",":
            if separator in text:
                return [part.strip() for part in text.split(separator) if part.strip()]
        return [text]

    def near(self, text: str) -> list[str]:
        """A few options that may have been meant."""
        known = {" / ".join(option.path): option for option in self.classification.options}
        return difflib.get_close_matches(text, known, n=3, cutoff=0.6) or list(known)[:5]

    def below(self, parts: tuple[str, ...]) -> tuple[Path, int] | None:
        """The option that directories name from their first on, and how many of them; None where the first is none."""
        path: Path = ()
        for depth, part in enumerate(parts):
            found = self._directories.get((path, part.casefold()))
            if found is None:
                return (path, depth) if path else None
            path = found
        return (path, len(parts)) if path else None

    def directory(self, path: Path) -> tuple[str, ...]:
        """The directories of an option, one below the other: safe names, of siblings each another."""
        return tuple(self._named[path[:depth]] for depth in range(1, len(path) + 1))

    def _listed(self, text: str) -> Path | None:
        try:
            names = json.loads(text)
        except ValueError:
            return None
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            return None
        return self.classification.path_of(names)

    @cached_property
    def _layers(self) -> tuple[Mapping[str, frozenset[Path]], ...]:
        layers: tuple[dict[str, set[Path]], ...] = ({}, {}, {}, {})
        wired, named, joined, leaves = layers
        for option in self.classification.options:
            wire = self.classification.wire_path(option.path)
            wired.setdefault(" / ".join(wire), set()).add(option.path)
            named.setdefault(" / ".join(option.path), set()).add(option.path)
            for separator in _SEPARATORS:
                for names in (wire, option.path):
                    joined.setdefault(separator.join(names), set()).add(option.path)
            for name in (option.name, option.wire_name):
                leaves.setdefault(name, set()).add(option.path)
        return tuple({text: frozenset(found) for text, found in one.items()} for one in layers)

    @cached_property
    def _folded(self) -> Mapping[str, frozenset[Path]]:
        folded: dict[str, set[Path]] = {}
        for layer in reversed(self._layers):
            for text, paths in layer.items():
                folded.setdefault(text.casefold(), set()).update(paths)
        return {text: frozenset(paths) for text, paths in folded.items()}

    @cached_property
    def _named(self) -> Mapping[Path, str]:
        named: dict[Path, str] = {}
        taken: set[tuple[Path, str]] = set()
        for option in self.classification.options:
            wanted, count = safe_name(option.name), 1
            name = wanted
            while (option.path[:-1], name.casefold()) in taken:
                count += 1
                name = f"{wanted} ({count})"
            taken.add((option.path[:-1], name.casefold()))
            named[option.path] = name
        return named

    @cached_property
    def _directories(self) -> Mapping[tuple[Path, str], Path]:
        found: dict[tuple[Path, str], Path] = {}
        for path, name in self._named.items():
            found[path[:-1], name.casefold()] = path
        for option in self.classification.options:
            for name in (option.wire_name, option.name, option.name.replace(" ", "_")):
                found.setdefault((option.path[:-1], name.casefold()), option.path)
        return found
