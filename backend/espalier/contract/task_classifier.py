"""A classifier that is asked about whole tasks, as Label Studio has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from .classifier import Classifier


@dataclass(frozen=True)
class TaskRequest:
    """For whom a classifier is asked about whole tasks."""

    project: str
    """Its number in Label Studio."""
    label_config: str
    """The labeling configuration, as Label Studio has it."""
    named: Mapping[str, str]
    """What the operator wrote in `espalier.yaml`, by full name (`model_class`). Code is named here, or nowhere."""
    directory: Path
    """A place of its own on this machine's disk; need not be there yet."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """How Label Studio is reached: LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY, as far as they are known."""


@runtime_checkable
class TaskClassifier(Classifier, Protocol):
    """A classifier that is asked about whole tasks instead of embeddings (optional); it is begun, and never fitted.

    Labels, where there are some, calibrate it and choose cutoffs, but change nothing in it. `predict` says of
    embeddings that none of the options holds: it has as many columns as `begin` was told, and where they are exclusive
    one more, for everything else. `answers_by` is who was begun with, and is saved: where another one answers now, a
    training is due.
    """

    answers_by: str

    def begin(self, request: TaskRequest, *, options: int, exclusive: bool) -> str:
        """From now on it stands for a question of so many options; in words, who answers.

        Raises BadSetting, in words, where nobody can.
        """
        ...

    def ask(self, tasks: Sequence[Mapping[str, Any]], request: TaskRequest) -> Sequence[Sequence[Mapping[str, Any]]]:
        """For each of Label Studio's task objects, the regions that it answers, as Label Studio has them.

        A region's `score`, within 0 and 1, is its confidence, and 1 where there is none. Regions of other
        classifications are no matter. Raises BadSetting or BrokenPlugin, in words.
        """
        ...
