"""Heat maps of a project's tasks, through everything that lies between a task and a PNG."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from espalier.demo.pictures import IMAGE_CONFIG, VIDEO_CONFIG, write_pan
from espalier.demo.results import timeline
from espalier.errors import BadRequest, NotTrained
from espalier.jobs.explaining import explain
from espalier.media.heat_map import heat_over

WHERE = """<View><Image name="image" value="$image"/>
  <Choices name="shape" toName="image"><Choice value="bars"/><Choice value="plain"/></Choices></View>"""


def test_every_encoder_has_heat_maps(home: Any, tmp_path: Path) -> None:
    """The classic encoder cannot show where it looks: parts are covered instead. Bars stand in a known corner."""
    home.configure(WHERE)
    rng = np.random.default_rng(0)
    data = []
    for number in range(24):
        picture = rng.integers(90, 110, (96, 128, 3), dtype=np.uint8)
        if number % 2 == 0:
            picture[48:, 64:][:, ::8] = 255
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
        data.append({"image": str(tmp_path / f"{number}.png")})
    for number, task in enumerate(home.add_tasks(data)):
        said = {"type": "choices", "from_name": "shape", "to_name": "image"}
        home.annotate(task["id"], [{**said, "value": {"choices": ["bars" if number % 2 == 0 else "plain"]}}])
    home.train()
    found = explain(home.house, home.project, 1)
    assert (found.classification, found.option, found.method) == ("shape", ("bars",), "occlusion")
    assert found.score > 0.5
    assert found.picture.shape == (96, 128, 3), "shown as it is, not as the encoder gets it"
    whole = heat_over(found.heat, (96, 128))
    assert whole[40:, 56:].sum() / whole.sum() > 0.5
    with Image.open(io.BytesIO(found.png())) as image:
        assert (image.format, image.size) == ("PNG", (128, 96))
    with pytest.raises(BadRequest, match="classic has no layers for grad-cam; use occlusion"):
        explain(home.house, home.project, 1, method="grad-cam")


def test_a_network_shows_where_it_looks(new_home: Any) -> None:
    home = new_home(encoder="timm:test_vit@random", threads=1)
    home.configure(IMAGE_CONFIG)
    home.digits(40, 30)
    home.train()
    found = explain(home.house, home.project, 35, classification="looped digit", option=["8"], method="attention")
    assert (found.option, found.method, found.version) == (("8",), "attention", "espalier-v1")
    assert found.heat.shape == (10, 10)
    assert explain(home.house, home.project, 35).method == "auto"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"task_id": 99}, "has no task 99"),
        ({"frame": 2}, "task 1 has no frame 2; they are 1 to 1"),
        ({"classification": "weather"}, "there is no classification 'weather'; there are loop"),
        ({"option": ["maybe"]}, "'loop' has no trained option 'maybe'; trained are 'has a loop', 'no loop'"),
        ({"method": "x-ray"}, "there is no method 'x-ray' for heat maps"),
    ],
    ids=["task", "frame", "classification", "option", "method"],
)
def test_what_is_not_there_is_refused(home: Any, asked: dict[str, Any], message: str) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(16, 16)
    home.train()
    with pytest.raises(BadRequest, match=message):
        explain(home.house, home.project, **{"task_id": 1, **asked})


def test_without_a_version_it_says_what_is_missing(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(1, 0)
    with pytest.raises(NotTrained, match="has no model version"):
        explain(home.house, home.project, 1)


def test_frames_of_a_video_are_counted_as_people_count(home: Any, tmp_path: Path) -> None:
    home.configure(VIDEO_CONFIG)
    story = write_pan(tmp_path / "pan.mp4", seed=0)
    (task,) = home.add_tasks([{"video": str(tmp_path / "pan.mp4")}])
    home.annotate(task["id"], timeline(story))
    home.train()
    temple, flower = (next(shot.start for shot in story if shot.scene == scene) + 2 for scene in ("temple", "flower"))
    for frame, option in ((temple, "temple"), (flower, "flower")):
        found = explain(home.house, home.project, task["id"], frame=frame)
        assert (found.frame, found.option) == (frame, (option,))
        assert found.picture.shape == (240, 320, 3)
    with pytest.raises(BadRequest, match="has no frame 9999"):
        explain(home.house, home.project, task["id"], frame=9999)
