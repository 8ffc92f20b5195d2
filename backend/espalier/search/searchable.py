"""What a process knows of a project's frames while it searches: kept between requests, brought up to date by each."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from ..jobs.house import House
from ..plugins.checked import CheckedEncoder
from ..store.rows import Project
from .embedded_frames import EmbeddedFrames
from .project_labels import ProjectLabels
from .shown_media import ShownMedia


class Searchable:
    """The frames of one project under one encoder."""

    def __init__(self, house: House, project: Project, encoder: CheckedEncoder) -> None:
        self.encoder = encoder
        self.shown = ShownMedia(house.records, project.key)
        self.frames = EmbeddedFrames(house.embeddings, encoder.spec.digest, self.shown)
        self.labels = ProjectLabels(house, project, self.shown)

    def refresh(self, project: Project) -> None:
        self.labels.project = project
        self.frames.refresh(self.shown.refresh())


_known: WeakKeyDictionary[House, dict[str, Searchable]] = WeakKeyDictionary()


def searchable(house: House, project: Project) -> Searchable:
    """The project's, as it is now. Another encoder in the settings or in the labeling configuration makes a new one."""
    encoder = encoder_of(house, project)
    kept = _known.setdefault(house, {})
    found = kept.get(project.key)
    if found is None or found.encoder.spec.digest != encoder.spec.digest:
        found = kept[project.key] = Searchable(house, project, encoder)
    found.encoder = encoder
    found.refresh(project)
    return found


def encoder_of(house: House, project: Project) -> CheckedEncoder:
    """That of the labeling configuration or the settings; no version's own, whose embeddings are of its own frames."""
    return house.encoder(house.ontology(project))
