"""A renamed, merged and split label keep their history: on real pictures, through the jobs that train and predict."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.results import choices
from espalier.jobs.promotion import promote
from espalier.jobs.remapping import add, undo
from espalier.jobs.revisit import refresh
from espalier.learning.model import Model
from espalier.store.rows import MappingKind, ModelVersion

CONFIG = """<View><Image name="image" value="$image"/>
  <Choices name="view" toName="image">{options}</Choices>
  <Choices name="tree" toName="image"><Choice value="yes"/><Choice value="no"/></Choices></View>"""
FOLDERS = {
    "day": "day_night/day",
    "night": "day_night/night",
    "hemlock": "trees_tiny/Hemlock",
    "cherry": "trees_tiny/Japanese_Cherry",
}
EACH = 10


class Album:
    """Real pictures of four kinds, ten of each; those of the first eight are annotated, the last two are not."""

    def __init__(self, home: Any, pictures: dict[str, list[Path]]) -> None:
        self.home = home
        self.configure("day", "night", "hemlock", "cherry")
        self.views = [view for view in pictures for _ in pictures[view]]
        self.tasks = home.add_tasks([{"image": str(path)} for paths in pictures.values() for path in paths])
        for number, (task, view) in enumerate(zip(self.tasks, self.views, strict=True)):
            if number % EACH < 8:
                tree = "yes" if view in ("hemlock", "cherry") else "no"
                home.annotate(task["id"], choices("image", {"view": view, "tree": tree}))

    def configure(self, *options: str) -> None:
        tags = "".join(f'<Choice value="{option}"/>' for option in options)
        self.home.configure(CONFIG.format(options=tags))

    def map(self, kind: MappingKind, old: str, *new: str) -> str:
        """The id of the last mapping."""
        paths = [(name,) for name in old.split(",")]
        made = add(self.home.house, self.home.project, kind, "view", paths, [(name,) for name in new])
        return made.mappings[-1].id

    def train(self) -> dict[str, int]:
        """How often each view was learned. The newest version serves, whatever the gate says of so few pictures."""
        version: ModelVersion = self.home.train()
        promote(self.home.house, self.home.key, version.name)
        counts = Model.load(Path(version.directory)).heads["view", ()].counts
        return {path[0]: count for path, count in counts.items() if count}

    def answers(self, question: str) -> Counter[tuple[str, str]]:
        """How often each view is answered so by the version that serves, for all pictures."""
        said: Counter[tuple[str, str]] = Counter()
        for view, predicted in zip(self.views, self.home.predict(self.tasks, confidence=0.0), strict=True):
            found = [answer.option[0] for answer in predicted.answers if answer.classification == question]
            said[view, found[0] if found else "-"] += 1
        return said


@pytest.fixture
def album(home: Any, shared: Callable[[str], Path], tmp_path: Path) -> Album:
    pictures: dict[str, list[Path]] = {}
    for view, folder in FOLDERS.items():
        (tmp_path / view).mkdir()
        for path in sorted(shared(f"data/images/{folder}").glob("*.jpg"))[:EACH]:
            pictures.setdefault(view, []).append(Path(shutil.copy(path, tmp_path / view)))
    return Album(home, pictures)


def test_a_renamed_label_keeps_its_history(album: Album) -> None:
    assert album.train() == {"day": 8, "night": 8, "hemlock": 8, "cherry": 8}
    before, trees = album.answers("view"), album.answers("tree")
    album.configure("daylight", "night", "hemlock", "cherry")
    unmapped = album.answers("view")
    assert album.answers("tree") == trees, "the old version goes on with what is unchanged"
    for (view, answer), count in before.items():
        assert unmapped[view, answer] == (0 if answer == "day" else count) or answer == "-"
    id = album.map("rename", "day", "daylight")
    renamed = album.answers("view")
    assert {(view, answer.replace("daylight", "day")): count for (view, answer), count in renamed.items()} == before
    assert renamed["day", "daylight"] >= 8
    assert album.train() == {"daylight": 8, "night": 8, "hemlock": 8, "cherry": 8}
    assert album.answers("view")["day", "daylight"] >= 8
    undo(album.home.house, album.home.project, id)
    assert album.train() == {"night": 8, "hemlock": 8, "cherry": 8}


def test_merged_labels_keep_their_history(album: Album) -> None:
    album.train()
    before = album.answers("view")
    album.configure("day", "night", "conifer or cherry")
    album.map("merge", "hemlock,cherry", "conifer or cherry")
    merged = album.answers("view")
    both = sum(count for (_, answer), count in before.items() if answer in ("hemlock", "cherry"))
    assert sum(count for (_, answer), count in merged.items() if answer == "conifer or cherry") == both >= 16
    assert album.train() == {"day": 8, "night": 8, "conifer or cherry": 16}
    assert album.answers("view")["cherry", "conifer or cherry"] >= 8


def test_a_split_label_keeps_its_history_until_somebody_has_looked(album: Album) -> None:
    album.train()
    before, trees = album.answers("view"), album.answers("tree")
    album.configure("noon", "evening", "night", "hemlock", "cherry")
    album.map("split", "day", "noon", "evening")
    assert refresh(album.home.house, album.home.project).put == 8
    split = album.answers("view")
    assert album.answers("tree") == trees
    assert {key: count for key, count in split.items() if key[1] != "-"} == {
        key: count for key, count in before.items() if key[1] not in ("day", "-")
    }
    assert album.train() == {"night": 8, "hemlock": 8, "cherry": 8}
    newest = album.home.house.records.versions(album.home.key)[0]
    assert "8 answers with options that were split since wait for another look" in newest.message
    for number, entry in enumerate(album.home.house.records.revisits(album.home.key, "open")):
        chosen = {"view": "noon" if number % 2 else "evening", "tree": "no"}
        album.home.annotate(entry.task_id, choices("image", chosen), id=entry.annotation_id)
    assert refresh(album.home.house, album.home.project) == (0, 8)
    assert album.train() == {"noon": 4, "evening": 4, "night": 8, "hemlock": 8, "cherry": 8}
    versions = album.home.house.records.versions(album.home.key)
    assert len({version.data_fingerprint for version in versions}) == len(versions)
