"""Duplicates, outliers and poor pictures of a small project, made so that it has one of each."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.demo.results import choices
from espalier.jobs.progress import Progress
from espalier.jobs.quality import QualityReport, quality

CONFIG = """<View><Image name="image" value="$image"/>
<Choices name="kind" toName="image" choice="single"><Choice value="stripes"/><Choice value="dots"/></Choices></View>"""
PICTURES = 40


def drawn(number: int) -> Image.Image:
    """Upright stripes or dots of random places and colours, with a little noise."""
    rng = np.random.default_rng(number)
    canvas = np.full((96, 128, 3), rng.integers(60, 200, 3), np.float64)
    for _ in range(14):
        x, y, colour = rng.integers(0, 118), rng.integers(0, 86), rng.integers(0, 255, 3)
        if number % 2:
            canvas[:, x : x + 4] = colour
        else:
            canvas[y : y + 9, x : x + 9] = colour
    return Image.fromarray(np.clip(canvas + rng.normal(0, 6, canvas.shape), 0, 255).astype(np.uint8))


@pytest.fixture
def project(home: Any) -> Any:
    """Tasks 1 to 40 are labeled and in order; what follows is wrong in one way each."""
    home.configure(CONFIG)
    root: Path = home.house.settings.media_roots[0]
    for number in range(1, PICTURES + 1):
        drawn(number).save(root / f"{number}.png")
    shutil.copy(root / "1.png", root / "41.png")
    drawn(2).save(root / "42.jpg", quality=88)
    drawn(3).filter(ImageFilter.GaussianBlur(4)).save(root / "43.png")
    drawn(4).point(lambda value: value // 8).save(root / "44.png")
    drawn(5).resize((24, 18)).save(root / "45.png")
    (root / "46.png").write_bytes(b"no picture")
    names = [*(f"{number}.png" for number in range(1, 42)), "42.jpg", *(f"{number}.png" for number in range(43, 47))]
    tasks = home.add_tasks([{"image": str(root / name)} for name in names])
    home.annotate_all(
        {task["id"]: choices("image", {"kind": "stripes" if task["id"] % 2 else "dots"}) for task in tasks[:PICTURES]}
    )
    home.annotate(41, choices("image", {"kind": "dots"}))
    return home


def looked_at(home: Any) -> QualityReport:
    return quality(home.house, home.key, Progress())


def test_each_defect_is_found_and_named(project: Any) -> None:
    report = looked_at(project)
    assert (report.tasks, report.pictures) == (46, 45)
    exact = [group for group in report.duplicates if group.kind == "exact"]
    assert [(group.tasks, group.labels_differ) for group in exact] == [((1, 41), True)]
    near = [group for group in report.duplicates if group.kind == "near"]
    assert any(set(group.tasks) >= {2, 42} and not group.labels_differ for group in near)
    poor = {picture.task_id: picture.sentence for picture in report.poor}
    assert poor[43].startswith("blurred: ")
    assert poor[44].startswith("dark: ")
    assert poor[45] == "tiny: 24 x 18 pixels"
    assert len(poor) <= 5, "of pictures of random colours one or two may be pale"
    assert len(report.problems) == 1
    assert "46" in report.problems[0]
    assert report.outliers == ()
    assert "once a model serves" in report.note


def test_outliers_are_told_of_what_was_learned(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(60, 60)
    path = home.house.settings.media_roots[0] / "strange.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (96, 96, 3)).astype(np.uint8)).save(path)
    home.add_tasks([{"image": str(path)}], first=61)
    home.annotate(61, choices("image", {"loop": "no loop"}))
    home.train()
    report = looked_at(home)
    assert report.outliers[0].task_id == 61
    assert report.outliers[0].sentence == "loop: unlike the others that are labeled no loop"
    assert report.outliers[0].score > 0.99
    assert report.note == ""


def test_a_project_without_tasks_has_nothing_wrong(home: Any) -> None:
    home.configure(CONFIG)
    report = looked_at(home)
    assert (report.tasks, report.pictures, report.duplicates, report.poor) == (0, 0, (), ())
