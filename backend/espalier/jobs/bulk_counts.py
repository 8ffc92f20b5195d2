"""What a bulk label gives, counted for people, with what it refuses and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from .bulk_tasks import BulkTask

LISTED = 500
_NOTES_KEPT = 100


class BulkCounts:
    """tasks: selected. written: those that get something. answers: frames by label; what is said of a whole media, and
    an image, counts one. said: frames of which people have said so already. refused: tasks of which something was."""

    def __init__(self) -> None:
        self.tasks = self.written = self.said = self.refused = 0
        self.answers: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.refusals: list[Mapping[str, Any]] = []
        self.notes: list[str] = []

    def add(self, one: BulkTask, *, written: bool) -> None:
        self.tasks += 1
        self.written += written
        self.said += one.said
        for label, frames in one.given.items() if written else ():
            self.answers[label] += frames
        self.refused += bool(one.refused)
        for reason in {str(refusal["reason"]) for refusal in one.refused}:
            self.reasons[reason] += 1
        self.refusals += one.refused[: max(0, LISTED - len(self.refusals))]
        for note in one.notes:
            self.note(note)

    def note(self, text: str) -> None:
        """For people; each once, and not too many."""
        if len(self.notes) < _NOTES_KEPT and text not in self.notes:
            self.notes.append(text)

    def to_json(self) -> dict[str, Any]:
        """reasons: tasks by the reason of a refusal. refusals: the first 500 in full. frames, problems: as other runs
        have them."""
        return {
            "tasks": self.tasks,
            "written": self.written,
            "frames": max(self.answers.values(), default=0),
            "answers": dict(self.answers.most_common()),
            "said": self.said,
            "refused": self.refused,
            "reasons": dict(self.reasons.most_common()),
            "refusals": self.refusals,
            "problems": self.notes,
        }

    def sentence(self, what: str) -> str:
        """what: "prediction" or "annotation"."""
        tasks = "1 selected task" if self.tasks == 1 else f"{self.tasks} selected tasks"
        told = [f"{self.written} {what}{'' if self.written == 1 else 's'} in {tasks}"]
        if self.refused:
            told.append(f"{self.refused} {'task was' if self.refused == 1 else 'tasks were'} refused something")
        if self.said:
            told.append(f"{self.said} {'frame' if self.said == 1 else 'frames'} had it already")
        return "; ".join(told)
