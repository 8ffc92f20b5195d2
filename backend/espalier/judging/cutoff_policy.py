"""Cutoff policies: how a person wants cutoffs chosen, for everything, for a classification or for one option."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, get_args

import numpy as np

from espalier_ontology.tree import Ontology, Path

from ..errors import BadRequest
from ..learning.cutoffs import Cutoffs
from ..learning.head import Head
from ..learning.model import Model
from ..learning.questions import Key
from ..learning.rows import Rows
from ..learning.training_parameters import options_named
from .own_cutoffs import OwnCutoff, OwnCutoffs, Strategy
from .promised_cutoffs import promised


@dataclass(frozen=True)
class Choice:
    """best_f1: as training chose. precision: right this often, `value` in (0, 1). by_hand: `value`, in [0, 1]."""

    strategy: Strategy
    value: float | None = None

    def __post_init__(self) -> None:
        if self.strategy not in get_args(Strategy):
            raise BadRequest(
                f"a cutoff is chosen by one of {', '.join(get_args(Strategy))}, got {self.strategy!r}; "
                f'for example {{"strategy": "precision", "value": 0.98}}'
            )
        value = self.value
        if self.strategy == "best_f1":
            if value is not None:
                raise BadRequest(f"best_f1 takes no value, got {value!r}")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BadRequest(f"{self.strategy} needs a number as its value, got {value!r}")
        elif self.strategy == "precision" and not 0 < value < 1:
            raise BadRequest(f"a target precision must be above 0 and below 1, got {value}; nobody can promise 1")
        elif not 0 <= value <= 1:
            raise BadRequest(f"a cutoff must be within 0 and 1, got {value}")

    @classmethod
    def from_json(cls, name: str, value: object) -> Choice:
        if not isinstance(value, Mapping) or not {"strategy"} <= set(value) <= {"strategy", "value"}:
            raise BadRequest(
                f'the cutoff for {name} must look like {{"strategy": "precision", "value": 0.98}}, got {value!r}'
            )
        return cls(**value)


@dataclass(frozen=True)
class CutoffPolicy:
    """The closest choice holds: of the option (`classification/option`), of its classification, the default.

    Where none is made, the cutoff is the configuration's `model_score_threshold`, or that of training.
    """

    default: Choice | None = None
    classifications: Mapping[str, Choice] = field(default_factory=dict)
    options: Mapping[str, Choice] = field(default_factory=dict)

    def check(self, ontology: Ontology) -> None:
        """Raises BadRequest for a classification or an option that this ontology does not ask."""
        known = ", ".join(classification.name for classification in ontology) or "none"
        for name in self.classifications:
            if name not in ontology:
                raise BadRequest(f"there is no classification {name!r} to choose a cutoff for; there are {known}")
        for name in self.options:
            if not options_named(ontology, name):
                raise BadRequest(f"{name!r} is no `classification/option`; classifications are {known}")

    def of(self, classification: str, option: Path) -> Choice | None:
        """What holds for one option."""
        for name in (" / ".join(option), "/".join(option), option[-1]):
            if found := self.options.get(f"{classification}/{name}"):
                return found
        return self.classifications.get(classification, self.default)

    def for_everything(self, choice: Choice | None) -> CutoffPolicy:
        """One choice for all; what was chosen before is forgotten."""
        return CutoffPolicy(choice)

    def for_classification(self, name: str, choice: Choice | None) -> CutoffPolicy:
        """One choice for a classification and all its options; None is to follow the default again."""
        others = {key: value for key, value in self.classifications.items() if key != name}
        options = {key: value for key, value in self.options.items() if not key.startswith(f"{name}/")}
        return replace(self, classifications=others | ({name: choice} if choice else {}), options=options)

    def for_option(self, name: str, choice: Choice) -> CutoffPolicy:
        """name: `classification/option`."""
        return replace(self, options={**self.options, name: choice})

    def own(self, model: Model) -> OwnCutoffs:
        """The cutoffs that were asked for, from the scores that the model keeps of frames it had not seen."""
        return OwnCutoffs(
            tuple(entry for head in model.heads.values() if head.trained for entry in self._chosen(head, model.rows))
        )

    def cutoffs(self, model: Model) -> dict[Key, Cutoffs]:
        """Of every trained head, float64 (k,); those of training where nothing was asked for."""
        own = self.own(model).by_option()
        return {
            key: np.array(
                [
                    own.get(head.classification, {}).get(path, float(cutoff))
                    for path, cutoff in zip(head.options, head.cutoffs, strict=True)
                ],
                np.float64,
            )
            for key, head in model.heads.items()
            if head.trained
        }

    def to_json(self) -> dict[str, Any]:
        """{} for the policy that asks for nothing."""
        named = {
            "classifications": {name: asdict(choice) for name, choice in self.classifications.items()},
            "options": {name: asdict(choice) for name, choice in self.options.items()},
        }
        default = {"default": asdict(self.default)} if self.default else {}
        return {**default, **{name: choices for name, choices in named.items() if choices}}

    @classmethod
    def from_json(cls, value: object) -> CutoffPolicy:
        """From `to_json`, or from a person's request. Raises BadRequest saying what is wrong and how it should look."""
        known = ("default", "classifications", "options")
        if not isinstance(value, Mapping) or not set(value) <= set(known):
            raise BadRequest(f"a cutoff policy has {', '.join(known)}, got {value!r}")
        default = value.get("default")
        named: dict[str, dict[str, Choice]] = {}
        for name in known[1:]:
            choices = value.get(name, {})
            if not isinstance(choices, Mapping):
                raise BadRequest(f"the {name} of a cutoff policy must be choices by name, got {choices!r}")
            named[name] = {key: Choice.from_json(repr(key), choice) for key, choice in choices.items()}
        return cls(None if default is None else Choice.from_json("everything", default), **named)

    def _chosen(self, head: Head, rows: Rows) -> list[OwnCutoff]:
        choices = [self.of(head.classification, path) for path in head.options]
        targets = {choice.value for choice in choices if choice and choice.strategy == "precision"}
        promises = {
            target: promised(
                head, rows, target, np.array([choice == Choice("precision", target) for choice in choices])
            )
            for target in targets
            if target is not None
        }
        found = []
        for column, (path, choice) in enumerate(zip(head.options, choices, strict=True)):
            if choice is None:
                continue
            entry = OwnCutoff(head.classification, path, float(head.cutoffs[column]), choice.strategy)
            if choice.strategy == "by_hand" and choice.value is not None:
                entry = replace(entry, cutoff=float(choice.value))
            elif choice.strategy == "precision" and choice.value is not None:
                promise = promises[choice.value][column]
                entry = replace(entry, cutoff=promise.cutoff, target=choice.value, kept=promise.kept)
            found.append(entry)
        return found
