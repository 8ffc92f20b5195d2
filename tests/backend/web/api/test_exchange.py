"""Imports and exports through the REST API, as far as the web process does them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from espalier.exchange import given_files
from espalier.exchange.exported_files import ExportedFiles
from espalier.exchange.given_files import GivenFiles

from .conftest import KEY, Api

ID = "a" * 32
FILE = {"content_type": "application/octet-stream"}


def test_a_file_is_kept_as_it_was_sent(api: Api) -> None:
    body = b"filename,label\n=1+1.jpg,Rain\n"
    sent = api.ask("POST", "/projects/1/imports/files?name=<b>.csv", data=body, **FILE)
    assert sent.status_code == 201
    told = sent.get_json()
    assert (told["name"], told["size_bytes"]) == ("<b>.csv", len(body))
    kept, path = GivenFiles(api.backend.settings.data_dir).find(KEY, told["file"])
    assert path.read_bytes() == body
    asked = {"file": kept.file, "as": "predictions", "columns": {"label": "Weather"}}
    assert api.post("/projects/1/imports/preview?wait_s=0", asked).status_code == 202
    (job,) = api.backend.queues.runs.get_jobs()
    assert job.args == [KEY, "preview_import", asked]
    assert api.post("/projects/1/imports?wait_s=0", asked).status_code == 202


def test_files_that_are_too_large_or_empty_are_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    GivenFiles(api.backend.settings.data_dir).keep(KEY, "a", io.BytesIO(b"x").read)
    before = sorted((api.backend.settings.data_dir / "imports").iterdir())
    assert api.ask("POST", "/projects/1/imports/files", data=b"", **FILE).status_code == 400
    monkeypatch.setattr(given_files, "MOST_BYTES", 10)
    refused = api.ask("POST", "/projects/1/imports/files", data=b"x" * 11, **FILE)
    assert refused.status_code == 400
    assert "import a part at a time" in refused.get_json()["detail"]
    assert sorted((api.backend.settings.data_dir / "imports").iterdir()) == before, "nothing of it stays"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/imports/files"), ("POST", "/imports/preview"), ("POST", "/imports"), ("POST", "/exports"),
     ("DELETE", f"/exports/{ID}")],
)  # fmt: skip
def test_a_viewer_may_only_fetch(method: str, path: str, api: Api) -> None:
    assert api.ask(method, f"/projects/1{path}", role="viewer", json={}).status_code == 403
    assert api.get("/projects/1/exports", role="viewer").get_json() == {"items": []}


@pytest.fixture
def made(api: Api) -> Any:
    """An export of 3000 bytes and something."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("cat/a.jpg", b"x" * 3000)
    files = ExportedFiles(api.backend.settings.data_dir)
    with files.draft(KEY, ID, "<b>.zip", "folders") as draft:
        draft.path.write_bytes(file.getvalue())
        draft.told = {"tasks": 1, "files": 1, "problems": []}
    yield file.getvalue()
    files.path(ID).unlink(missing_ok=True)


def test_an_export_is_fetched_whole_or_in_parts(api: Api, made: bytes) -> None:
    (listed,) = api.get("/projects/1/exports").get_json()["items"]
    assert (listed["id"], listed["size_bytes"]) == (ID, len(made))
    whole = api.get(f"/projects/1/exports/{ID}/file", role="viewer", buffered=True)
    assert (whole.status_code, whole.data) == (200, made)
    assert "attachment" in whole.headers["Content-Disposition"]
    part = api.get(f"/projects/1/exports/{ID}/file", headers={"Range": "bytes=100-199"}, buffered=True)
    assert (part.status_code, part.data) == (206, made[100:200])
    beyond = api.get(f"/projects/1/exports/{ID}/file", headers={"Range": "bytes=99999-"})
    assert beyond.status_code == 416
    assert beyond.mimetype == "application/problem+json"
    same = api.get(f"/projects/1/exports/{ID}/file", headers={"If-None-Match": whole.headers["ETag"]}, buffered=True)
    assert same.status_code == 304


def test_an_export_belongs_to_its_project_and_can_be_removed(api: Api, made: bytes) -> None:
    api.backend.records.put_project("2.1", title="Another")
    assert api.get(f"/projects/2/exports/{ID}/file").status_code == 404
    assert api.get("/projects/1/exports/..%2F..%2Fetc/file").status_code == 404
    assert api.ask("DELETE", f"/projects/1/exports/{ID}").get_json()["id"] == ID
    assert api.get(f"/projects/1/exports/{ID}/file").status_code == 404


@pytest.mark.parametrize(("asked", "errand"), [({}, "export"), ({"what": "bundle", "stride": 3}, "write_bundle")])
def test_a_file_is_made_by_a_worker(api: Api, asked: dict[str, Any], errand: str) -> None:
    assert api.post("/projects/1/exports?wait_s=0", asked).status_code == 202
    (job,) = api.backend.queues.runs.get_jobs()
    assert job.args[1] == errand
    assert "stride" not in job.args[2]
    assert len(job.args[2]["id"]) == 32


def test_formulas_are_text_in_what_is_exported(api: Api) -> None:
    api.backend.records.mirror_tasks(KEY, [{"id": 1, "data": {"image": "/data/local-files/?d==1%2B1.png"}}])
    table = api.get("/projects/1/exports/labels?format=csv").text
    assert ",'=1+1.png" in table
