"""Freshness: whether a kept prediction is still what would be answered now.

It depends on the task's data and answers; and where a classifier lives, on everything that anybody has answered in the
project. This file is all that the web process needs to know of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..labelstudio.wire import inputs_digest
from ..store.records import Records
from ..store.rows import Prediction, Project

LIVE = "live"
"""In a version's `trained_on`: whether some classifier of it lives."""


@dataclass(frozen=True)
class Freshness:
    """revision: the project's, which every answer changes; None where it does not matter."""

    revision: int | None = None

    @classmethod
    def of(cls, records: Records, project: Project, version: str) -> Freshness:
        """Of the predictions of a version as they are to be from now on, or of a run by one."""
        names = {version, version.rpartition("-run")[0]}
        is_live = any(records.trained_on(project.key, name).get(LIVE) for name in names if name)
        return cls(project.revision if is_live else None)

    def inputs(self, task: Mapping[str, Any]) -> str:
        """What a prediction made now is made from."""
        return inputs_digest(task) + ("" if self.revision is None else f"@{self.revision}")

    def holds(self, row: Prediction | None, task: Mapping[str, Any]) -> bool:
        """Whether it was made from these inputs, and of the project's answers from these or later ones."""
        return row is not None and self.is_fresh(row.inputs, inputs_digest(task))

    def is_fresh(self, inputs: str, digest: str) -> bool:
        made_from, _, revision = inputs.partition("@")
        return made_from == digest and (self.revision is None or int(revision or -1) >= self.revision)


def of_task(inputs: str) -> str:
    """What the task itself says of the inputs of a prediction."""
    return inputs.partition("@")[0]
