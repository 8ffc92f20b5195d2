"""Selected frames as they lie in the media of a task, and frame ids as the frames of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from espalier_ontology.frames import Frames
from espalier_ontology.timeline import Timeline

from ..errors import BadRequest
from ..store.frame_ids import frame_of, media_of
from ..store.records import Records
from ..store.rows import Project
from .bulk_selection import SelectedFrames


def frames_in(
    selected: Iterable[SelectedFrames], tag: str, length: int, timeline: Timeline | None = None
) -> tuple[Frames, str]:
    """Which frames of a media of `length` frames these are, and in words what is selected beyond its end, or ""."""
    found = Frames()
    beyond = 0
    for one in selected:
        if one.tag not in (None, tag):
            continue
        if one.numbering == "label studio" and timeline is not None:
            last = timeline.length if one.last is None else one.last
            first, beyond = one.first or 1, max(beyond, last if last > timeline.length else 0)
            if first <= timeline.length:
                found |= timeline.from_numbers(first, min(last, timeline.length))
        else:
            first, last = one.first or 1, length if one.last is None else one.last
            beyond = max(beyond, last if last > length else first if first > length else 0)
            found |= Frames.of((min(first - 1, length), min(last, length)))
    many = "has one frame" if length == 1 else f"has frames 1 to {length}"
    return found, f"{tag!r} {many}, and frame {beyond} was selected" if beyond else ""


def of_ids(records: Records, project: Project, ids: Sequence[int]) -> tuple[SelectedFrames, ...]:
    """Each frame id as the frame of the lowest task that shows it; frames beside each other as one range.

    Raises BadRequest for ids of frames that no task shows (any more).
    """
    if not ids:
        return ()
    wanted = np.unique(np.array(ids, np.int64))
    numbers = set(media_of(wanted).tolist())
    places: dict[int, tuple[int, str, int]] = {}
    for showing in records.showings(project.key):
        if showing.media in numbers:
            place = showing.task_id, showing.tag, showing.item
            places[showing.media] = min(place, places.get(showing.media, place))
    lengths = {media.number: media.length for media in records.catalogued(project.key) if media.number in numbers}
    frames: dict[tuple[int, str], list[int]] = {}
    for id, number, frame in zip(wanted.tolist(), media_of(wanted).tolist(), frame_of(wanted).tolist(), strict=True):
        if number not in places or frame >= lengths.get(number, 0):
            raise BadRequest(f"no task of project {project.id} shows a frame with the id {id} (any more)")
        task_id, tag, item = places[number]
        frames.setdefault((task_id, tag), []).append(item + frame)
    return tuple(
        SelectedFrames(task_id, tag, start + 1, stop)
        for (task_id, tag), at in sorted(frames.items())
        for start, stop in Frames.at(at).ranges
    )


def by_task(selected: Iterable[SelectedFrames]) -> Mapping[int, tuple[SelectedFrames, ...]]:
    """What is selected of each task, in the order of their ids."""
    found: dict[int, dict[SelectedFrames, None]] = {}
    for one in sorted(selected, key=lambda one: one.task):
        found.setdefault(one.task, {})[one] = None
    return {task_id: tuple(several) for task_id, several in found.items()}
