"""A change of the ontology, as people see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .likely_renames import Suggestion
from .tree import Path

Code = Literal[
    "media changed", "classification added", "classification removed", "form changed", "conditions changed",
    "option added", "option removed", "option renamed", "alias changed",
]  # fmt: skip
Fate = Literal["kept", "need another look", "no longer asked"]
Effect = Literal["serves on", "must be trained"]


@dataclass(frozen=True)
class Change:
    """One difference, and what becomes of the answers that it is about.

    classification: the control's name, or that of the media tag. option: () unless it is about one; what is below it
    goes with it. model: whether a model of the old ontology goes on as it is, or knows less than it should; it never
    answers what the new ontology does not ask. suggestion: a label mapping that a person may have meant.
    """

    code: Code
    classification: str
    message: str
    answers: Fate
    model: Effect
    option: Path = ()
    suggestion: Suggestion | None = None

    def __str__(self) -> str:
        return f"{self.message} (answers: {self.answers}; the model {self.model})"
