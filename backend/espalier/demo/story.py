"""The demo's story: two projects from real pictures, connected, a few frames labeled, and the rest predicted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .heartbeat import Heartbeat, Say
from .label_studio import LabelStudioServer
from .pictures import IMAGE_CONFIG, VIDEO_CONFIG, write_digits, write_pan
from .project import DemoProject
from .results import choices, frames_right, said, timeline

FIRST_DIGITS, MORE_DIGITS, DIGITS = 60, 20, 160
CHAPTERS = ("digits", "photographs")


class Story:
    """Tells it through Label Studio's REST API, as its user. `directory` keeps the pictures, and what was told."""

    def __init__(self, label_studio: LabelStudioServer, backend_url: str, say: Say, directory: Path) -> None:
        self.label_studio, self.backend_url, self.say, self.directory = label_studio, backend_url, say, directory
        self._told_in = directory / "told.json"

    def tell(self) -> None:
        """What was not told yet, from its start; a chapter that was broken off leaves nothing behind."""
        for chapter in CHAPTERS:
            if self._find(chapter) is not None:
                continue
            project, end = {"digits": self._digits, "photographs": self._photographs}[chapter]()
            self._told_in.write_text(json.dumps({**self._told(), chapter: {"project": project.id, "end": end}}))

    def reconnect(self) -> None:
        """For a later start, when the backend may listen on another port."""
        for chapter in CHAPTERS:
            if (project := self._find(chapter)) is not None:
                project.connect(self.backend_url)

    def ends(self) -> list[tuple[str, str]]:
        """Where to look, and what there is to see."""
        told = self._told().values()
        return [(f"{self.label_studio.url}/projects/{one['project']}/data", one["end"]) for one in told]

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._told_in.read_text()) if self._told_in.exists() else {}
        return told

    def _find(self, chapter: str) -> DemoProject | None:
        told = self._told().get(chapter)
        project = DemoProject(self.label_studio, told["project"], self.say) if told else None
        return project if project is not None and project.exists() else None

    def _new(self, title: str, config: str, paths: Sequence[Path]) -> tuple[DemoProject, list[int]]:
        project = DemoProject.new(self.label_studio, title, config, self.say)
        self.say(f"project {project.id} {title!r}: uploading {len(paths)} files")
        by_name = project.upload(paths)
        return project, [by_name[path.name] for path in paths]

    def _digits(self) -> tuple[DemoProject, str]:
        digits = write_digits(self.directory / "digits", DIGITS)
        project, tasks = self._new("Digits (nested ontology)", IMAGE_CONFIG, [digit.path for digit in digits])
        labeled = FIRST_DIGITS + MORE_DIGITS

        def label(start: int, end: int) -> None:
            with Heartbeat(self.say, "labeling"):
                for task, digit in zip(tasks[start:end], digits[start:end], strict=True):
                    project.annotate(task, choices("image", digit.answers))

        project.progress(f"labeling {FIRST_DIGITS} digits, as a person would, and connecting Espalier")
        label(0, FIRST_DIGITS)
        project.connect(self.backend_url)
        first = project.learned()
        project.progress(f"learned {first}; labeling {MORE_DIGITS} more, which arrive by webhook")
        label(FIRST_DIGITS, labeled)
        second = project.learned(after=first)
        project.progress(f"learned {second}; predicting the other {DIGITS - labeled}")
        predicted = project.predict(tasks[labeled:])
        right = sum(
            said(predicted[task]) == digit.answers
            for task, digit in zip(tasks[labeled:], digits[labeled:], strict=True)
        )
        project.show_predictions()
        end = f"{labeled} digits labeled, {len(predicted)} predicted, {right} of them right in both questions"
        project.progress(end)
        return project, end

    def _photographs(self) -> tuple[DemoProject, str]:
        paths = [self.directory / "pan-1.mp4", self.directory / "pan-2.mp4"]
        shots, hidden = write_pan(paths[0], seed=0), write_pan(paths[1], seed=1)
        project, (first, second) = self._new("Two photographs (timeline)", VIDEO_CONFIG, paths)
        project.progress("labeling the timeline of the first video, and connecting Espalier")
        project.annotate(first, timeline(shots))
        project.connect(self.backend_url)
        project.progress(f"learned {project.learned()}; predicting the second video")
        result = project.predict([second])[second]
        project.show_predictions()
        right, frames = frames_right(hidden, result)
        end = f"one video labeled, the other predicted, {right} of its {frames} frames right"
        project.progress(end)
        return project, end
