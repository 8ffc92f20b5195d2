"""Pictures that a project does not have, into Label Studio, a few at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import BadRequest, LabelStudioRefused
from ..jobs.house import House
from ..jobs.progress import Progress
from ..labelstudio.client import LabelStudio
from ..labelstudio.uploads import MOST_BYTES, MOST_FILES, SUFFIXES
from ..store.rows import Project
from .file_names import Parts, as_stored, suffix_of
from .problem import Problem
from .sources import Source


def upload(
    house: House,
    project: Project,
    client: LabelStudio,
    source: Source,
    pictures: Sequence[Parts],
    names: Mapping[Parts, str],
    progress: Progress,
    problems: list[Problem],
) -> int:
    """How many have become tasks, which are known here from then on; what cannot be imported goes to `problems`."""
    batch: dict[str, bytes] = {}
    paths: dict[str, Parts] = {}
    done = size = 0

    def send() -> int:
        if not batch:
            return 0
        try:
            ids = client.uploads.put(project.id, batch)
        except LabelStudioRefused as error:
            if error.status != 400:
                raise
            ids = _one_by_one(client, project, batch, paths, problems)
        house.records.mirror_tasks(project.key, client.tasks(project.id, ids))
        batch.clear()
        paths.clear()
        return len(ids)

    for number, parts in enumerate(pictures):
        progress.report(number, len(pictures), f"importing pictures: {number} of {len(pictures)}")
        path = "/".join(parts)
        if suffix_of(parts[-1]) not in SUFFIXES:
            why = f"Label Studio does not take {suffix_of(parts[-1])} files"
            problems.append(Problem(path, parts[-1], why, "convert it to JPEG or PNG"))
            continue
        try:
            data = source.read(parts)
        except (BadRequest, OSError) as error:
            problems.append(Problem(path, parts[-1], str(error), "mend or replace the file"))
            continue
        name = as_stored(names[parts]) or as_stored(path)
        if len(batch) == MOST_FILES or size + len(data) > MOST_BYTES or name in batch:
            done += send()
            size = 0
        batch[name], paths[name] = data, parts
        size += len(data)
    return done + send()


def _one_by_one(
    client: LabelStudio,
    project: Project,
    batch: Mapping[str, bytes],
    paths: Mapping[str, Parts],
    problems: list[Problem],
) -> list[int]:
    """One file that Label Studio does not take makes it refuse those beside it, too."""
    ids: list[int] = []
    for name, data in batch.items():
        try:
            ids += client.uploads.put(project.id, {name: data})
        except LabelStudioRefused as error:
            if error.status != 400:
                raise
            problems.append(Problem("/".join(paths[name]), paths[name][-1], str(error), "mend or replace the file"))
    return ids
