"""Espalier as a class of label-studio-ml: served by that SDK, it answers from a bundle, and hands events on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from espalier.demo.pictures import IMAGE_CONFIG, VIDEO_CONFIG
from espalier.demo.results import choices
from espalier.settings import Secret
from espalier.web.app import create_app

FIRST = """
import json, sys

sys.modules["torch"] = None  # a bundle needs none, and the SDK would load it
from label_studio_ml.api import init_app
from label_studio_ml.model import SimpleJobManager
from espalier_label_studio_ml.model import EspalierModel

asked = json.load(sys.stdin)
client = init_app(EspalierModel, model_dir=asked["models"], **asked["with"]).test_client()
project = {"project": "7.1", "schema": asked["config"], "hostname": "", "access_token": ""}
said = {"setup": client.post("/setup", json=project).get_json()}
answer = client.post("/predict", json={"tasks": asked["tasks"], "project": "7.1", "label_config": asked["config"]})
said["predict"] = answer.get_json()
if asked["event"]:  # as its server does in a process of its own
    SimpleJobManager(asked["models"]).job(EspalierModel, asked["event"].pop("action"), asked["event"], "1")
json.dump(said, sys.stdout)
"""

SECOND = """
import json, sys

from espalier_label_studio_ml.model import EspalierModel

asked = json.load(sys.stdin)
model = EspalierModel(project_id="7", label_config=asked["config"])
said = {"setup": {"model_version": model.get("model_version")}}
said["predict"] = {"results": model.predict(asked["tasks"], context={})}
if asked["event"]:
    said["fit"] = model.fit(asked["event"].pop("action"), asked["event"])
json.dump(said, sys.stdout)
"""

Serve = Callable[..., dict[str, Any]]


@pytest.fixture(params=["first generation", "second generation"])
def serve(
    request: pytest.FixtureRequest,
    label_studio_ml: Path,
    label_studio_ml_2: Callable[[Path], None],
    tmp_path: Path,
) -> Serve:
    """serve(bundle, media, config, tasks, event=..., NAME="value"): what the class says, in a process of its own."""
    is_first = request.param == "first generation"
    (sdk,) = (label_studio_ml.parents[1] / "lib").glob("python*/site-packages")
    if not is_first:
        sdk = tmp_path / "sdk"
        sdk.mkdir()
        label_studio_ml_2(sdk)
    models = tmp_path / "models"
    models.mkdir()

    def run(
        bundle: Path,
        media: Path,
        config: str,
        tasks: list[dict[str, Any]],
        *,
        event: dict[str, Any] | None = None,
        status: int = 0,
        **environment: str,
    ) -> dict[str, Any]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ESPALIER_", "LABEL_STUDIO"))}
        ours = {
            "PYTHONPATH": str(sdk),
            "MODEL_DIR": str(models),
            "ESPALIER_BUNDLE": str(bundle),
            "ESPALIER_MEDIA_ROOTS": str(media),
            "OMP_NUM_THREADS": "1",
        }
        asked = {"models": str(models), "config": config, "tasks": tasks, "event": event, "with": {}}
        done = subprocess.run(
            [sys.executable, "-c", FIRST if is_first else SECOND],
            input=json.dumps(asked),
            env=kept | ours | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, done.stderr
        said: dict[str, Any] = json.loads(done.stdout) if not status else {}
        return said | {"log": done.stderr}

    return run


@pytest.fixture(scope="module")
def bundle(digits: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found: Path = digits.bundle(tmp_path_factory.mktemp("bundle") / "digits")
    return found


def test_it_answers_from_a_bundle_as_the_house_does(digits: Any, bundle: Path, serve: Serve) -> None:
    tasks = [{"id": task.id, "data": task.data} for task in digits.house.records.tasks(digits.key)][60:70]
    lost = {"id": 99, "data": {"image": str(digits.media / "nowhere.png")}}
    said = serve(bundle, digits.media, IMAGE_CONFIG, [*tasks, lost])
    assert said["setup"]["model_version"] in ("INITIAL", digits.version.name)  # the first has names of its own
    *answered, missing = said["predict"]["results"]
    own = digits.predict()[60:70]
    for one, expected in zip(answered, own, strict=True):
        assert one["model_version"] == digits.version.name
        assert _plain(one["result"]) == _plain(expected.row.result)
        assert one["score"] == pytest.approx(expected.row.score, abs=0.02)
    assert any(one["result"] for one in answered)
    assert (missing["result"], missing["score"]) == ([], 0.0)
    assert "task 99 cannot be predicted" in said["log"]


@pytest.mark.parametrize("serve", ["second generation"], indirect=True)
def test_films_are_answered_over_ranges(film: Any, serve: Serve, tmp_path: Path) -> None:
    tasks = [{"id": task.id, "data": task.data} for task in film.house.records.tasks(film.key)]
    said = serve(film.bundle(tmp_path / "bundle"), film.media, VIDEO_CONFIG, tasks)
    for one, expected in zip(said["predict"]["results"], film.predict(), strict=True):
        ranges = [region["value"]["ranges"] for region in one["result"]]
        assert ranges == [region["value"]["ranges"] for region in expected.row.result]


def test_events_are_handed_to_an_espalier_that_learns(
    digits: Any, bundle: Path, serve: Serve, learning: tuple[str, str]
) -> None:
    url, secret = learning
    given = {"id": 9001, "task": 88, "result": choices("image", {"loop": "no loop"}), "was_cancelled": False}
    event = {
        "action": "ANNOTATION_CREATED",
        "annotation": given,
        "task": {"id": 88, "data": digits.house.records.tasks(digits.key)[87].data},
        "project": {"id": 7, "label_config": IMAGE_CONFIG, "created_at": "2023-11-14T22:13:20Z"},
    }
    said = serve(bundle, digits.media, IMAGE_CONFIG, [], event=event, ESPALIER_URL=url, ESPALIER_WEBHOOK_SECRET=secret)
    known = [one.id for one in digits.house.records.annotations(digits.key)]
    assert 9001 in known, said["log"]


@pytest.mark.parametrize("serve", ["second generation"], indirect=True)
def test_what_cannot_be_is_told(digits: Any, bundle: Path, serve: Serve) -> None:
    event = {"action": "ANNOTATION_CREATED", "project": {"id": 7}}
    lost = serve(bundle, digits.media, VIDEO_CONFIG, [], event=event, ESPALIER_URL="http://127.0.0.1:9")
    assert "does not answer, so ANNOTATION_CREATED is lost to it" in lost["log"]
    assert "which the labeling configuration does not ask: is it another project's?" in lost["log"]
    nowhere = serve(bundle.parent / "nowhere", digits.media, IMAGE_CONFIG, [], status=1)
    assert "there is no bundle at" in nowhere["log"]


@pytest.fixture
def learning(digits: Any) -> Iterator[tuple[str, str]]:
    """The address and the webhook secret of an Espalier that has the project."""
    house, secret = digits.house, "a-secret-of-some-length"
    settings = replace(house.settings, webhook_secret=Secret(secret))
    server = make_server("127.0.0.1", 0, create_app(settings, house.records, house.queues))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", secret
    server.shutdown()
    thread.join()
    server.server_close()


def _plain(result: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return sorted((region["from_name"], region["value"]["choices"]) for region in result)
