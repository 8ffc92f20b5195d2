"""The demo's story and the doctor, against a real Label Studio with `espalier serve` as a user starts it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.backend import Backend
from espalier.demo.installation import template
from espalier.demo.pictures import FRAME_RATE, IMAGE_CONFIG, VIDEO_CONFIG
from espalier.demo.story import DIGITS, FIRST_DIGITS, MORE_DIGITS, Story
from espalier_ontology import regions, rules
from espalier_ontology.answers import Answer
from espalier_ontology.labeling_config import parse
from espalier_ontology.timeline import Timeline


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def backend(label_studio: Any, tmp_path: Path) -> Iterator[Backend]:
    chosen = {
        "label_studio_url": label_studio.url,
        "label_studio_api_key": label_studio.token,
        "encoder": "classic",
        "debounce_s": 1,
    }
    started = Backend(tmp_path, free_port(), chosen).start()
    yield started
    started.stop()


def answers(config: str, result: list[dict[str, Any]], **known: Any) -> tuple[Answer, ...]:
    """What a prediction says; it keeps all rules, so there is no orphan among them."""
    ontology = parse(config)
    reading = regions.read(ontology, result, **known)
    assert not reading.problems
    assert not rules.check(ontology, reading.answers)
    return tuple(reading.answers)


def tasks(label_studio: Any, project: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = label_studio.request(
        "GET", f"/api/tasks?project={project}&page_size=1000&fields=all"
    )["tasks"]
    return listed


def test_the_story_ends_with_predictions_and_is_told_once(label_studio: Any, backend: Backend, tmp_path: Path) -> None:
    heard: list[str] = []
    story = Story(label_studio.server, backend.url, heard.append, tmp_path)
    story.tell()
    digits, photographs = (url.split("/")[-2] for url, _ in story.ends())

    unlabeled = [task for task in tasks(label_studio, digits) if not task["annotations"]]
    assert len(unlabeled) == DIGITS - FIRST_DIGITS - MORE_DIGITS
    nested = 0
    for task in unlabeled:
        (prediction,) = task["predictions"]
        nested += len(answers(IMAGE_CONFIG, prediction["result"])) == 2
    assert nested >= 0.9 * len(unlabeled), "the nested question is answered as well"

    (other,) = [task for task in tasks(label_studio, photographs) if not task["annotations"]]
    (prediction,) = other["predictions"]
    frames = max(item["value"]["ranges"][0]["end"] for item in prediction["result"])
    clock = Timeline([number / FRAME_RATE for number in range(frames)], frames / FRAME_RATE, FRAME_RATE)
    found = answers(VIDEO_CONFIG, prediction["result"], timelines={"video": clock})
    assert {"scene", "part"} <= {answer.classification for answer in found}

    tabs = label_studio.request("GET", f"/api/dm/views?project={digits}")
    assert [tab["data"]["title"] for tab in tabs] == ["To review", "All tasks"]
    assert any("predicted" in sentence for sentence in heard)
    assert "starting it anew" not in backend.log.read_text(), "the workers live on"

    before = len(heard)
    story.tell()
    story.reconnect()
    assert len(heard) == before, "a second start repeats nothing"


def doctor(backend: Backend, **changes: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "espalier.cli", "doctor"],
        env={**backend.environment, **changes},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout


def test_the_doctor_finds_what_is_wrong_with_label_studio(label_studio: Any, backend: Backend) -> None:
    project = label_studio.project(IMAGE_CONFIG, "Examined")["id"]
    label_studio.connect(project, backend.url)
    status, said = doctor(backend)
    assert status == 0, said
    assert f"project {project} Label Studio reaches {backend.url}" in " ".join(said.split())
    assert "is there, and active" in said

    legacy = label_studio.request("GET", "/api/current-user/token")["token"]
    status, said = doctor(backend, LABEL_STUDIO_API_KEY=legacy)
    assert status == 1
    assert "legacy tokens are disabled" in said

    for hook in label_studio.request("GET", f"/api/webhooks/?project={project}"):
        label_studio.request("DELETE", f"/api/webhooks/{hook['id']}/")
    status, said = doctor(backend)
    assert status == 1
    assert f"add {backend.url}/webhook under Settings > Webhooks" in said


def test_the_doctor_knows_a_label_studio_that_refuses_private_addresses(label_studio: Any, tmp_path: Path) -> None:
    migrated = template(label_studio.server.program.parent.parent)
    if migrated.exists():
        shutil.copytree(migrated, tmp_path / "data")
    strict = replace(
        label_studio.server, data_dir=tmp_path / "data", port=free_port(), local_files=None, private_backends=False
    ).start()
    settings = {"label_studio_url": strict.url, "label_studio_api_key": strict.token(), "encoder": "classic"}
    backend = Backend(tmp_path, free_port(), settings).start()
    try:
        project = strict.call("POST", "/api/projects/", json={"title": "Refused", "label_config": IMAGE_CONFIG})
        refused = strict.session.post(f"{strict.url}/api/ml", json={"project": project["id"], "url": backend.url})
        assert refused.status_code == 403
        assert "reserved network address" in refused.text
        status, said = doctor(backend)
    finally:
        backend.stop()
        strict.stop()
    assert status == 0, said
    assert "none has connected yet" in said
    assert "start Label Studio with LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false" in said
