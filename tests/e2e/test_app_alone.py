"""Label Studio with Espalier's app inside, and no Espalier anywhere: it works as ever, and what is missing is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from espalier.demo import app_inside
from espalier.demo.one_click import one_click
from espalier.demo.pictures import IMAGE_CONFIG
from espalier.demo.results import choices

NOBODY = "http://127.0.0.1:9"
SECRET = "a secret that nobody else has now"


@pytest.fixture(scope="module")
def alone(start_label_studio: Any) -> Any:
    """Started with the app, for an Espalier that never was; and its guard against private addresses as it comes."""
    return start_label_studio(app=True, private_backends=False, backend_url=NOBODY)


@pytest.fixture(scope="module")
def project(alone: Any) -> int:
    made = alone.project(IMAGE_CONFIG, "Alone")
    return int(made["id"])


@pytest.fixture
def paired(alone: Any) -> Iterator[None]:
    """The two knew each other, and then Espalier went away."""
    file = alone.server.data_dir / "espalier.json"
    file.write_text(json.dumps({"url": NOBODY, "secret": SECRET, "user": "espalier", "password": "gone-as-well"}))
    yield
    file.unlink()


def get(alone: Any, path: str) -> Any:
    return alone.session.get(alone.url + path, timeout=60)


def test_people_label_as_ever(alone: Any, project: int) -> None:
    (task,) = alone.import_tasks(project, [{"data": {"image": "/static/images/logo.png"}}])
    made = alone.annotate(task, choices("image", {"digit": "4"}))
    assert alone.request("GET", f"/api/annotations/{made['id']}")["result"] == made["result"]
    for page in ("/projects/", f"/projects/{project}/data", f"/projects/{project}/settings", "/user/account"):
        shown = get(alone, page)
        assert shown.status_code == 200, page
        assert shown.text.count("/espalier/inject.js?") == 1
        assert shown.text.rstrip().endswith("</html>")
    script = get(alone, "/espalier/inject.js")
    assert (script.status_code, script.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert "inject.js" not in get(alone, "/api/version").text, "it adds to pages alone"


def test_before_it_was_connected_it_says_how(alone: Any, project: int) -> None:
    told = get(alone, f"/espalier/api/v1/projects/{project}/versions")
    assert told.status_code == 409
    assert "not connected yet" in told.json()["detail"]
    assert get(alone, f"/espalier/connect?project={project}").status_code == 200
    assert get(alone, "/espalier/connect?project=999999").status_code == 404


def test_one_click_says_that_nobody_answers_and_keeps_nothing(alone: Any, project: int) -> None:
    failed = one_click(alone.session, alone.url, project, NOBODY)
    assert "Espalier answers – no" in failed
    assert f"Espalier at {NOBODY} does not answer" in failed
    assert "start `espalier serve`" in failed
    assert "must be like" in one_click(alone.session, alone.url, project, "http://somewhere:99999")
    assert not (alone.server.data_dir / "espalier.json").exists()
    assert alone.request("GET", f"/api/ml?project={project}") == []


@pytest.mark.usefixtures("paired")
def test_what_needs_espalier_says_so_in_words_and_the_log_says_it_once(alone: Any, project: int) -> None:
    for _ in range(3):
        told = get(alone, f"/espalier/api/v1/me?project={project}")
        assert told.status_code == 502
        assert told.headers["Content-Type"] == "application/problem+json"
        assert "is it running?" in told.json()["detail"]
    page = get(alone, f"/espalier/panel/label?project={project}")
    assert (page.status_code, page.headers["Content-Type"]) == (502, "text/plain; charset=utf-8")
    log = alone.server.log.read_text(errors="replace")
    said = [line for line in log.splitlines() if "Espalier at 127.0.0.1:9" in line]
    assert len(said) == 1, said
    assert "is left out" in said[0]
    assert not any(secret in log + page.text + told.text for secret in (SECRET, "gone-as-well"))


@pytest.mark.usefixtures("paired")
def test_the_actions_are_there_and_answer_in_words(alone: Any, project: int) -> None:
    (task,) = alone.import_tasks(project, [{"data": {"image": "/static/images/logo.png"}}])
    listed = {action["id"] for action in alone.request("GET", f"/api/dm/actions?project={project}")}
    assert {"espalier_label", "espalier_similar", "espalier_train", "espalier_undo", "delete_tasks"} <= listed
    (form,) = alone.request("GET", f"/api/dm/actions/espalier_label/form/?project={project}")
    assert {"first", "last", "confidence"} <= {field["name"] for field in form["fields"]}
    for action in ("espalier_label", "espalier_train", "espalier_undo"):
        answer = alone.session.post(
            f"{alone.url}/api/dm/actions?id={action}&project={project}",
            json={"selectedItems": {"all": False, "included": [task]}, "run": "abc"},
            timeout=60,
        )
        assert answer.status_code == 502
        assert "is it running?" in answer.json()["detail"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 3}'])
def test_a_connection_that_cannot_be_read_is_as_none(alone: Any, project: int, text: str) -> None:
    file = alone.server.data_dir / "espalier.json"
    file.write_text(text)
    try:
        assert get(alone, f"/projects/{project}/data").status_code == 200
        assert get(alone, "/espalier/api/v1/me").status_code == 409
    finally:
        file.unlink()


def test_an_app_that_cannot_work_keeps_nobody_from_labeling(
    start_label_studio: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_inside, "_PACKAGES", ("espalier_labelstudio",))  # what it needs is not there
    broken = start_label_studio(app=True, private_backends=False, backend_url="http://[fe80::1%25lo]:9090")
    project = broken.project(IMAGE_CONFIG, "Broken")["id"]
    (task,) = broken.import_tasks(project, [{"data": {"image": "/static/images/logo.png"}}])
    broken.annotate(task, choices("image", {"digit": "4"}))
    page = get(broken, f"/projects/{project}/data")
    assert page.status_code == 200
    assert "/espalier/" not in page.text
    assert get(broken, "/espalier/api/v1/me").status_code == 404
    listed = {action["id"] for action in broken.request("GET", f"/api/dm/actions?project={project}")}
    assert "delete_tasks" in listed
    assert "espalier_label" not in listed
    log = broken.server.log.read_text(errors="replace")
    assert log.count("the Data Manager's actions is left out") == 1
    assert log.count("everything below /espalier/ is left out") == 1
