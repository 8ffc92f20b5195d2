"""What answers are like: pages, ETags, events, jobs, uploads, exports, and the page that shows the API."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest

from espalier.jobs import progress
from espalier.store.catalogue import Shown
from espalier.store.frame_ids import FRAME_BITS, ids_of
from espalier.web.api import answer_counts, streams, thumbnails, uploads

from .conftest import KEY, Api, weather


def test_lists_are_paged_with_links(api: Api) -> None:
    for number in range(2, 7):
        api.backend.records.put_project(f"{number}.1800000000", title=f"P{number}", label_config="<View/>")
    first = api.get("/projects?limit=4")
    assert len(first.get_json()["items"]) == 4
    assert first.headers["X-Total-Count"] == "6"
    assert first.headers["Link"] == '</api/v1/projects?limit=4&offset=4>; rel="next"'
    last = api.get("/projects?limit=4&offset=4")
    assert len(last.get_json()["items"]) == 2
    assert 'rel="prev"' in last.headers["Link"]


def test_what_has_not_changed_is_not_sent_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_counts, "_LASTS", 0.0)  # else a count is used again for a moment
    first = api.get("/projects/1")
    again = api.get("/projects/1", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    api.backend.records.mirror_annotations(KEY, [{"id": 3, "task": 3, "result": weather("Rain")}])
    later = api.get("/projects/1", headers={"If-None-Match": first.headers["ETag"]})
    assert later.status_code == 200
    assert later.get_json()["answered"] == 3


def test_answers_are_counted_per_option(api: Api) -> None:
    told = api.get("/projects/1").get_json()
    assert told["classifications"] == [
        {
            "classification": "Weather",
            "options": [{"option": ["Rain"], "tasks": 1}, {"option": ["Sun"], "tasks": 1}],
        }
    ]
    assert any("start a training" in sentence for sentence in told["missing"])


def test_what_takes_longer_is_a_job(api: Api) -> None:
    """No worker runs here: nobody waits for one, and the job says so."""
    told = api.post("/projects/1/runs/preview", {"confidence": 0.5})
    assert told.status_code == 202
    accepted = told.get_json()
    assert "none is running" in accepted["message"]
    assert api.get(accepted["status"].removeprefix("/api/v1")).get_json()["state"] == "queued"
    assert api.get(accepted["result"].removeprefix("/api/v1")).status_code == 202
    assert api.post(f"/jobs/{accepted['job']}/cancel").get_json()["state"] == "cancelled"
    assert api.get(accepted["result"].removeprefix("/api/v1")).status_code == 409


def test_who_only_looks_something_up_again_gets_the_same_job(api: Api) -> None:
    jobs = {api.get("/projects/1/labels").get_json()["job"] for _ in range(2)}
    assert len(jobs) == 1
    api.backend.records.mirror_annotations(KEY, [{"id": 3, "task": 3, "result": weather("Rain")}])
    assert api.get("/projects/1/labels").get_json()["job"] not in jobs


def test_equal_searches_that_wait_are_one_job(api: Api) -> None:
    jobs = [api.post("/projects/1/search", {"query": {"task": task}}).get_json()["job"] for task in (1, 1, 2)]
    assert jobs[0] == jobs[1] != jobs[2]


def test_progress_is_told_as_events(api: Api) -> None:
    job = api.post("/projects/1/runs/preview").get_json()["job"]
    queues = api.backend.queues
    answer = api.get(f"/jobs/{job}/events", buffered=False)
    assert answer.mimetype == "text/event-stream"
    parts: Any = answer.response
    events = (bytes(part).decode() for part in parts)
    assert next(events).startswith("retry:")
    assert told(next(events)) == ("progress", "queued", "")
    progress.say(queues.redis, job, "half of it")
    assert told(next(events)) == ("progress", "queued", "half of it")
    queues.cancel(job)
    assert told(next(events))[:2] == ("end", "cancelled")
    assert next(events, None) is None
    answer.close()


def told(event: str) -> tuple[str, str, str]:
    name, data = event.strip().split("\n")
    shown: dict[str, Any] = json.loads(data.removeprefix("data: "))
    return name.removeprefix("event: "), shown["state"], shown["message"]


def test_only_so_many_may_watch(api: Api) -> None:
    job = api.post("/projects/1/runs/preview").get_json()["job"]
    watching = [api.get(f"/jobs/{job}/events", buffered=False) for _ in range(streams.STREAMS)]
    refused = api.get(f"/jobs/{job}/events")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "5"
    for one in watching:
        one.close()
    api.get(f"/jobs/{job}/events", buffered=False).close()


def test_uploads_expire_and_are_few(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_FILES", 3)
    directory = api.backend.settings.data_dir / "uploads"
    own = directory / "by-a-command.png"
    directory.mkdir(exist_ok=True)
    own.write_bytes(b"x")
    png = b"\x89PNG\r\n\x1a\n" + bytes(100)
    names = [
        api.ask("POST", "/projects/1/uploads", data=png, content_type="image/png").get_json()["picture"]
        for _ in range(5)
    ]
    assert {path.name for path in directory.iterdir()} == {*names[-3:], own.name}


def test_thumbnails_on_disk_need_no_worker(api: Api) -> None:
    records = api.backend.records
    records.note_shown(KEY, [Shown(1, "img", 0, "aa" * 32, "image")])
    [media] = records.catalogued(KEY)
    frame = int(ids_of(media.number, np.array([0]))[0])
    path = api.backend.settings.data_dir / "thumbnails" / "aa" / f"{'aa' * 32}-0-160.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff\xd8 a small picture")
    first = api.get(f"/projects/1/thumbnails/{frame}")
    assert (first.status_code, first.mimetype, first.data) == (200, "image/jpeg", path.read_bytes())
    again = api.get(f"/projects/1/thumbnails/{frame}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert api.get("/projects/1/tasks/1/thumbnail").data == path.read_bytes()
    missing = api.get(f"/projects/1/thumbnails/{frame}?size=96")
    assert (missing.status_code, missing.headers["Retry-After"]) == (503, "1")
    assert thumbnails.FRAME_BITS == FRAME_BITS


def test_labels_are_exported_as_json_and_csv(api: Api) -> None:
    tasks = json.loads(api.get("/projects/1/exports/labels").data)
    assert [(task["id"], len(task["annotations"])) for task in tasks] == [(1, 1), (2, 1), (3, 0)]
    lines = api.get("/projects/1/exports/labels?format=csv").text.splitlines()
    assert lines[0] == "task,classification,option,first,last,score,by,file"
    assert [line.split(",")[:3] for line in lines[1:]] == [["1", "Weather", "Rain"], ["2", "Weather", "Sun"]]
    empty = api.get("/projects/1/exports/predictions")
    assert [task["predictions"] for task in json.loads(empty.data)] == [[], [], []]


def test_the_page_of_the_api_brings_all_that_it_needs(api: Api) -> None:
    page = api.get("/docs")
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in page.text
    assert "//" not in page.text.replace("<!doctype html>", "")
    for name in ("page.js", "page.css"):
        assert api.get(f"/docs/{name}").status_code == 200
    assert b"innerHTML" not in api.get("/docs/page.js").data


def test_many_may_ask_at_once(api: Api) -> None:
    answers: list[int] = []
    application = api.client.application
    headers = {"Authorization": f"Bearer {api.tokens['viewer']}"}

    def ask() -> None:
        answers.append(application.test_client().get("/api/v1/projects/1", headers=headers).status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8
