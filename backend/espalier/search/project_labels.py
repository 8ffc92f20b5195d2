"""What is said of a project's frames, by people and by the version that serves: kept in memory, and kept up."""

from __future__ import annotations

from collections.abc import Collection

from ..jobs.house import House
from ..jobs.serving import version_name
from ..store.rows import Project
from .frame_labels import FrameLabels
from .label_reading import LabelReading, form_of
from .shown_media import ShownMedia


class ProjectLabels:
    """`people` and `version` bring themselves up to date, reading what changed; `some_of` reads a few tasks alone."""

    def __init__(self, house: House, project: Project, shown: ShownMedia) -> None:
        self._house, self._shown = house, shown
        self.project = project
        """As it was last read: whoever refreshes puts it here."""
        self._reading: LabelReading | None = None
        self._people: FrameLabels | None = None
        self._mirrored = self._people_shown = 0
        self._version: FrameLabels | None = None
        self._version_name: str | None = None
        self._predicted_tasks: set[int] = set()
        self._predicted = self._version_shown = 0

    @property
    def version_name(self) -> str | None:
        """What predictions are called now."""
        return version_name(self._house, self.project)

    def people(self) -> FrameLabels:
        """What people answered."""
        records, key = self._house.records, self.project.key
        reading = self.reading()
        mirrored, shown = records.position(key), self._shown.position
        if self._people is None:
            self._people = FrameLabels(reading.of_people(None))
        else:
            changed = self._shown.changed_since(self._people_shown)
            if mirrored != self._mirrored:
                changed |= records.tasks_changed_since(key, self._mirrored)
            if changed and reading.lists_options:
                self._forget()
                return self.people()
            if changed:
                self._people.replace(changed, reading.of_people(changed))
        self._mirrored, self._people_shown = mirrored, shown
        return self._people

    def version(self) -> FrameLabels:
        """What the version that serves answered, as far as it was asked; empty where none serves."""
        records, key, name = self._house.records, self.project.key, self.version_name
        reading, shown = self.reading(), self._shown.position
        if name is None:
            return FrameLabels()
        count, position = records.predicted(key, name)
        if self._version is None or name != self._version_name:
            found = records.predictions_of(key, name)
            self._version, self._version_name = FrameLabels(reading.of_version(found)), name
            self._predicted_tasks = {one.task_id for one in found}
        else:
            found = records.predictions_of(key, name, since=self._predicted) if position != self._predicted else []
            new = {one.task_id for one in found}
            late = self._shown.changed_since(self._version_shown) - new
            found += records.predictions(key, name, late).values() if late else ()
            if new or late:
                self._version.replace(new | late, reading.of_version(found))
            self._predicted_tasks |= new
            if len(self._predicted_tasks) != count:  # some were dropped
                self._version = None
                return self.version()
        self._predicted, self._version_shown = position, shown
        return self._version

    def some_of_people(self, task_ids: Collection[int]) -> FrameLabels:
        """Of these tasks at least: all, where they are known."""
        if self._people is not None:
            return self.people()
        return FrameLabels(self.reading().of_people(task_ids))

    def some_of_version(self, task_ids: Collection[int]) -> FrameLabels:
        """Of these tasks at least: all, where they are known."""
        name = self.version_name
        if name is None or self._version is not None:
            return self.version()
        found = self._house.records.predictions(self.project.key, name, task_ids)
        return FrameLabels(self.reading().of_version(found.values()))

    def reading(self) -> LabelReading:
        """By today's labeling configuration."""
        if self._reading is None or self._reading.form != form_of(self._house, self.project):
            self._forget()
            self._reading = LabelReading(self._house, self.project, self._shown)
        return self._reading

    def _forget(self) -> None:
        self._reading = self._people = self._version = None
