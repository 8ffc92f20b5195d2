"""What the demo is made of: pictures that show what is said of them, processes that end, failures told in words."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import av
import pytest
import yaml

from espalier.demo.backend import Backend
from espalier.demo.heartbeat import Heartbeat
from espalier.demo.installation import install, program
from espalier.demo.pictures import FRAME_RATE, IMAGE_CONFIG, VIDEO_CONFIG, write_digits, write_pan
from espalier.demo.process import Process, is_up
from espalier.demo.results import choices, frames_right, said, timeline
from espalier.errors import BadSetting, LabelStudioDown
from espalier.settings import Settings
from espalier_ontology import regions, rules
from espalier_ontology.labeling_config import parse
from espalier_ontology.lint import lint
from espalier_ontology.timeline import Timeline


def test_digits_are_answered_as_the_ontology_asks(tmp_path: Path) -> None:
    ontology = parse(IMAGE_CONFIG)
    for digit in write_digits(tmp_path, 18):
        assert digit.path.exists()
        result = choices("image", digit.answers)
        assert said(result) == digit.answers
        reading = regions.read(ontology, [{"id": "r", **item} for item in result])
        assert not reading.problems
        assert len(reading.answers) == 2
        assert not rules.check(ontology, reading.answers)


def test_the_pan_shows_what_its_story_says(tmp_path: Path) -> None:
    shots = write_pan(tmp_path / "pan.mp4", seed=4)
    with av.open(str(tmp_path / "pan.mp4")) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert frames == shots[-1].end
    assert {shot.part for shot in shots} == {"left", "right", None}
    clock = Timeline([number / FRAME_RATE for number in range(frames)], frames / FRAME_RATE, FRAME_RATE)
    result = timeline(shots)
    reading = regions.read(parse(VIDEO_CONFIG), result, timelines={"video": clock})
    assert not reading.problems
    assert frames_right(shots, result) == (frames, frames)
    assert frames_right(shots, []) == (0, frames)


@pytest.mark.parametrize("config", [IMAGE_CONFIG, VIDEO_CONFIG])
def test_nothing_is_doubtful_in_the_demo_s_configurations(config: str) -> None:
    assert not lint(config)


def test_the_heartbeat_says_what_is_being_done() -> None:
    heard: list[str] = []
    with Heartbeat(heard.append, "waiting", every_s=0.02) as heart:
        time.sleep(0.1)
        heart.now = "nearly there"
        time.sleep(0.1)
    assert "waiting" in heard[0]
    assert "nearly there" in heard[-1]
    count = len(heard)
    time.sleep(0.05)
    assert len(heard) == count


def test_an_installation_that_cannot_be_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_NO_INDEX", "PIP_DISABLE_PIP_VERSION_CHECK"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    heard: list[str] = []
    with pytest.raises(
        BadSetting, match=r"cannot be installed into .*No matching distribution.*ESPALIER_LABEL_STUDIO_VENV"
    ):
        install(tmp_path / "environment", heard.append)
    assert heard[0].startswith("installing Label Studio")


def test_an_installation_that_is_there_is_taken(tmp_path: Path) -> None:
    program(tmp_path).parent.mkdir()
    program(tmp_path).touch()
    assert install(tmp_path, pytest.fail) == program(tmp_path)


def test_a_process_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no licence for this')"]
    process = Process("The server", command, os.environ, tmp_path / "log")
    with pytest.raises(LabelStudioDown, match=r"The server ended; the end of .*\n.*no licence"):
        process.wait_until(lambda: False, 20)


def test_a_process_that_never_answers_is_ended(tmp_path: Path) -> None:
    process = Process("The server", [sys.executable, "-c", "import time; time.sleep(60)"], os.environ, tmp_path / "log")
    with pytest.raises(LabelStudioDown, match="did not answer within 0 s"):
        process.wait_until(lambda: is_up("http://127.0.0.1:1"), 0.3)
    assert not process.is_running


def test_the_backend_takes_no_settings_from_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATABASE_URL", "postgresql://the-real-one/espalier")
    monkeypatch.setenv("LABEL_STUDIO_HOST", "http://the-real-one")
    backend = Backend(tmp_path, 9191, {"encoder": "classic", "label_studio_api_key": "hunter2"})
    assert backend.config.stat().st_mode & 0o077 == 0
    read = Settings.read(backend.environment)
    assert (read.port, read.encoder, read.label_studio_url) == (9191, "classic", "")
    assert read.database.startswith(f"sqlite:///{tmp_path}")
    assert yaml.safe_load(backend.config.read_text())["label_studio_api_key"] == "hunter2"
