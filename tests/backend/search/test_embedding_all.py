"""Everything of a project becomes searchable: images, items, frames of videos; and goes on where it was stopped."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import write_digits, write_pan
from espalier.errors import Cancelled
from espalier.jobs.errands.doing import do
from espalier.jobs.progress import Progress
from espalier.search import embedding_all
from espalier.search.embedding_all import embed_project


@pytest.fixture
def mixed(site: Any, tmp_path: Path) -> Any:
    """Images 1 to 8, of which 3 is broken and 4 is not there; a sequence of three; and a video."""
    pictures = [str(digit.path) for digit in write_digits(tmp_path / "digits", 11)]
    Path(pictures[2]).write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    Path(pictures[3]).unlink()
    write_pan(tmp_path / "pan.mp4", shots=4)
    data: list[dict[str, Any]] = [{"image": path} for path in pictures[:8]]
    data += [{"pages": pictures[8:]}, {"video": str(tmp_path / "pan.mp4")}]
    site.house.records.mirror_tasks(site.key, [{"id": id, "data": one} for id, one in enumerate(data, 1)])
    return site


def stored(site: Any) -> int:
    return int(site.house.embeddings.count(site.house.encoder().spec.digest))


def test_all_that_can_be_read_is_embedded_and_found(mixed: Any) -> None:
    done = embed_project(mixed.house, mixed.project, Progress())
    assert done.tasks == 10
    assert done.frames == stored(mixed) == mixed.ask("status")["frames"]
    told = "\n".join(done.problems)
    assert "task 3" in told
    assert "task 4" in told
    assert {task for task, _ in mixed.found({"task": 1}, k=1000)} == {2, 5, 6, 7, 8, 9, 10}
    again = embed_project(mixed.house, mixed.project, Progress())
    assert (again.frames, again.held) == (0, done.frames)


def test_as_an_errand_it_tells_what_is_left(mixed: Any) -> None:
    before = mixed.ask("status")
    assert (before["of_tasks"], before["embedded_tasks"]) == (10, 0)
    done = do(mixed.house, mixed.key, "embed", {"every_s": 0}, Progress())
    assert done["frames"] == stored(mixed)
    assert done["unreadable"] == len(done["problems"]) > 0
    assert mixed.ask("status")["embedded_tasks"] == 8


def test_of_videos_every_second_or_every_frame(mixed: Any) -> None:
    few = embed_project(mixed.house, mixed.project, Progress(), tasks=[10])
    found = mixed.search({"task": 10, "frame": 1}, k=1000, scenes=False, except_itself=False)["hits"]
    times_s = sorted(hit["time_s"] for hit in found)
    assert len(times_s) == few.frames
    assert all(later - earlier == pytest.approx(1, abs=0.1) for earlier, later in pairwise(times_s))
    every = embed_project(mixed.house, mixed.project, Progress(), every_s=0, tasks=[10])
    assert every.held == few.frames
    assert every.frames > 5 * few.frames


class _Stopping(Progress):
    def __init__(self, reports: int) -> None:
        super().__init__()
        self.left = reports
        self.told: list[tuple[int, int]] = []

    def report(self, done: int, total: int, message: str = "") -> None:
        self.told.append((done, total))
        self.left -= 1
        if self.left == 0:
            raise Cancelled("cancelled by a person")


def test_what_was_embedded_before_a_cancellation_is_kept(site: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(embedding_all, "_TASKS_AT_ONCE", 4)
    digits = write_digits(tmp_path / "digits", 10)
    site.house.records.mirror_tasks(
        site.key, [{"id": id, "data": {"image": str(digit.path)}} for id, digit in enumerate(digits, 1)]
    )
    progress = _Stopping(reports=5)
    with pytest.raises(Cancelled):
        embed_project(site.house, site.project, progress)
    kept = stored(site)
    assert 4 <= kept < 10
    rest = embed_project(site.house, site.project, progress)
    assert (rest.frames, rest.held) == (10 - kept, kept)
    assert progress.told[-1] == (10, 10)
    assert all(done <= total == 10 for done, total in progress.told)
