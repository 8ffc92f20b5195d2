"""What a run has answered so far, counted for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from .predicting import Predicted

_PROBLEMS_KEPT = 100


class Counts:
    """Tasks, frames and answers per option, and what went wrong; goes to JSON and back, so that a run can resume."""

    def __init__(self, start: Mapping[str, Any] | None = None) -> None:
        start = start or {}
        self.tasks = int(start.get("tasks", 0))
        self.written = int(start.get("written", 0))
        self.blind = int(start.get("blind", 0))
        self.frames = int(start.get("frames", 0))
        self.answers: Counter[str] = Counter(start.get("answers", {}))
        self.problems: list[str] = list(start.get("problems", []))

    def add(self, predicted: Predicted, *, refused: str = "", blind: bool = False) -> None:
        """refused: why Label Studio did not take what was predicted. blind: what there is of it was withheld."""
        written = bool(predicted.row.result) and not refused and not blind
        self.tasks += 1
        self.written += written
        self.blind += blind and bool(predicted.row.result)
        self.frames += predicted.frames
        for answer in predicted.answers if written else ():
            self.answers[f"{answer.classification}: {' / '.join(answer.option)}"] += 1
        for problem in filter(None, [refused, predicted.row.message, *predicted.warnings]):
            if len(self.problems) < _PROBLEMS_KEPT and problem not in self.problems:
                self.problems.append(problem)

    def to_json(self) -> dict[str, Any]:
        return {
            "tasks": self.tasks,
            "written": self.written,
            "blind": self.blind,
            "frames": self.frames,
            "answers": dict(self.answers.most_common()),
            "problems": self.problems,
        }

    def sentence(self) -> str:
        unanswered = self.tasks - self.written - self.blind
        return (
            f"{self.written} of {self.tasks} tasks answered ({self.frames} frames)"
            + (f"; {self.blind} withheld as the blind sample" if self.blind else "")
            + (f"; {unanswered} had nothing above the cutoff or could not be read" if unanswered else "")
        )
