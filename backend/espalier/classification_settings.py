"""What is chosen for single classifications: which plugin answers them, how sure it must be, what counts as a no.

It is written as `model_*` attributes in the labeling configuration, under `classifications` in `espalier.yaml`, or kept
with the project by a person's command. What is nearer to the person holds: the project's, then the file's, then the
labeling configuration's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import plugin_settings
from .errors import BadSetting

Chosen = Mapping[str, Mapping[str, str]]
"""By classification, values by a setting's full name (`model_plugin`)."""
Origin = Literal["labeling configuration", "espalier.yaml", "project"]

KNOWN = {
    "model_plugin": "the classifier plugin",
    "model_parameters": 'what is set of the plugin, as JSON: {"strength": 10}',
    "model_score_threshold": "the cutoff, within 0 and 1",
    "model_negatives": "what an unlabeled stretch of a timeline says: auto, all, span or none",
    "model_encoder": "the encoder of the whole project",
}
OPERATORS = {
    "model_class": "the class that the plugin asks, as package.module:Class",
    "model_python": "the Python that has it",
    "model_directory": "where it is imported from, and keeps what it learned",
    "model_with": "what it is made with, as `{name: value}`",
}
"""Those that name code to run: the operator writes them, in `espalier.yaml` or the environment, and nobody else."""
_NEGATIVES = ("auto", "all", "span", "none")


@dataclass(frozen=True)
class ClassificationSettings:
    """Those of `espalier.yaml`: by `Name`, for every project that has such a classification, or by `12/Name` for one.

    chosen: pairs instead of dictionaries, so that settings stay hashable.
    """

    chosen: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()

    @classmethod
    def parse(cls, value: object, where: str) -> ClassificationSettings:
        """From YAML's mapping of mappings, or the same as JSON text. Raises BadSetting."""
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError as error:
                raise BadSetting(f"{where} is not valid JSON: {error}") from error
        if not isinstance(value, Mapping):
            raise BadSetting(f"{where} must be `classification: {{plugin: dynamic}}` lines, got {value!r}")
        found = []
        for name, given in value.items():
            if not isinstance(given, Mapping):
                raise BadSetting(f"{where}: {name!r} must hold `plugin: dynamic` or the like, got {given!r}")
            found.append((str(name), tuple(sorted(checked(given, f"{where}: {name!r}", operator=True).items()))))
        return cls(tuple(found))

    def of(self, project_id: int) -> dict[str, dict[str, str]]:
        """What holds in one project; what is written for it alone comes before what is written for all.

        Without what names code: that is for nobody to see, as a class may be made with a password.
        """
        return {
            name: {key: value for key, value in given.items() if key not in OPERATORS}
            for name, given in self._written(project_id).items()
        }

    def code(self, project_id: int, classification: str) -> dict[str, str]:
        """What names code to run for one classification: values by full name (`model_class`)."""
        given = self._written(project_id).get(classification, {})
        return {key: value for key, value in given.items() if key in OPERATORS}

    def _written(self, project_id: int) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for is_own in (False, True):
            for name, given in self.chosen:
                own, _, rest = name.partition("/")
                if is_own and own == str(project_id) and rest:
                    found.setdefault(rest, {}).update(given)
                elif not is_own:
                    found.setdefault(name, {}).update(given)
        return found

    def __bool__(self) -> bool:
        return bool(self.chosen)

    def __str__(self) -> str:
        return json.dumps({name: dict(given) for name, given in self.chosen}) if self.chosen else ""


def checked(given: Mapping[Any, Any], where: str, *, operator: bool = False) -> dict[str, str]:
    """Settings by their full names; `plugin` is short for `model_plugin`. Raises BadSetting.

    operator: it was written in `espalier.yaml` or the environment, and may name code to run.
    """
    found: dict[str, str] = {}
    for name, value in given.items():
        full = full_name(str(name), where, operator=operator)
        text = (json.dumps(dict(value)) if isinstance(value, Mapping) else str(value)).strip()
        if not text:
            raise BadSetting(f"{where}: {name} is empty; leave it out instead")
        if full == "model_parameters":
            text = json.dumps(plugin_settings.parse(text, where), sort_keys=True)
        if full == "model_score_threshold" and not _is_share(text):
            raise BadSetting(f"{where}: {name}={text!r} must be a number within 0 and 1")
        if full == "model_negatives" and text not in _NEGATIVES:
            raise BadSetting(f"{where}: {name}={text!r} must be one of {', '.join(_NEGATIVES)}")
        found[full] = text
    return found


def full_name(name: str, where: str, *, operator: bool = False) -> str:
    """`model_plugin` for `plugin`. Raises BadSetting for what is no setting."""
    full = name if name.startswith("model_") else f"model_{name}"
    if full in OPERATORS:
        if not operator:
            raise BadSetting(f"{where}: {name} names code to run, which the operator alone may do, in espalier.yaml")
        return full
    if full not in KNOWN:
        known = ", ".join(one.removeprefix("model_") for one in KNOWN)
        raise BadSetting(f"{where} has no setting {name!r}; known are {known}")
    return full


def together(*layers: Chosen) -> dict[str, dict[str, str]]:
    """One after the other; what comes later holds."""
    found: dict[str, dict[str, str]] = {}
    for layer in layers:
        for name, given in layer.items():
            found.setdefault(name, {}).update(given)
    return found


def _is_share(text: str) -> bool:
    try:
        return 0.0 <= float(text) <= 1.0
    except ValueError:
        return False
