"""What tasks show is noted wherever they are opened: so that every frame that is embedded can be searched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..media.media import Media
from ..store.catalogue import Shown
from ..store.rows import Project
from .house import House
from .opening import OpenTask


def note(house: House, project: Project, opened: Iterable[OpenTask]) -> bool:
    """Keeps it in the catalogue; True where it was news. Cheap where it was not.

    Of a task that could not be opened wholly, what it showed elsewhere is taken to be there still.
    """
    tasks = list(opened)
    shown = (one for task in tasks for name, media in task.media.items() for one in _shown(task.task_id, name, media))
    partly = (task.task_id for task in tasks if task.failures or any(media.problems for media in task.media.values()))
    return house.records.note_shown(project.key, shown, only_adding=partly)


def _shown(task_id: int, tag: str, media: Media) -> Iterator[Shown]:
    if media.kind == "video":
        duration_s = media.timeline.duration_s if media.timeline else 0.0
        yield Shown(task_id, tag, 0, media.items[0], "video", media.length, duration_s)
        return
    for item, digest in enumerate(media.items):
        if item not in media.problems:  # its digest is no content's
            yield Shown(task_id, tag, item, digest, media.kind)
