"""The bundle's server, over loopback, where neither torch nor queue nor database can be imported."""

from __future__ import annotations

import csv
import io
import json
import socket
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from espalier.bundle import request_files
from espalier.bundle.app import create_app
from espalier.bundle.asked import Asked
from espalier.bundle.given_file import GivenFile
from espalier.bundle.limits import Limits
from espalier.bundle.predictor import Predictor
from espalier.errors import BadSetting
from espalier.settings import Secret

from .conftest import Project

Bare = Callable[..., "subprocess.Popen[str]"]


@contextmanager
def serving(bare: Bare, path: Path, *options: str | Path, **environment: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = bare("bundle", "serve", path, "--port", str(port), *options, **environment)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < deadline:
            try:
                requests.get(f"{url}/health", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        else:
            pytest.fail(f"no server: {server.communicate()[0]}")
        yield url
    finally:
        server.terminate()
        server.communicate(timeout=30)


def sent(paths: list[Path]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("file", (path.name, path.read_bytes())) for path in paths]


def pictures(project: Project, count: int) -> list[Path]:
    return sorted((project.media / "digits").iterdir())[:count]


def test_it_answers_as_the_house_without_any_of_its_libraries(
    bare: Bare, networked: Project, networked_zip: Path
) -> None:
    paths = pictures(networked, 40)
    with serving(bare, networked_zip, "--root", networked.media) as url:
        assert requests.get(f"{url}/health", timeout=10).json() == {"status": "UP", "model": "Taken away, espalier-v1"}
        about = requests.get(f"{url}/about", timeout=10).json()
        assert about["precisions"] == ["fp32", "int8"]
        assert [one["name"] for one in about["classifications"]] == ["loop", "looped digit", "open digit"]
        options = {"precision": "fp32", "regions": "1"}
        answer = requests.post(f"{url}/predict", files=sent(paths), params=options, timeout=60).json()
        named = {"files": [f"digits/{path.name}" for path in paths], "precision": "fp32", "regions": True}
        by_name = requests.post(f"{url}/predict", json=named, timeout=60).json()
    predicted = networked.predict()[:40]
    assert [len(one["regions"]) for one in answer["files"]] == [len(one.row.result) for one in predicted]
    for reply, one in zip(answer["files"], predicted, strict=True):
        for mine, theirs in zip(reply["regions"], one.row.result, strict=True):
            assert mine["value"] == theirs["value"]
            assert mine["score"] == pytest.approx(theirs["score"], abs=2e-2)  # see test_answers
    assert [one["answers"] for one in by_name["files"]] == [one["answers"] for one in answer["files"]]


def test_a_film_is_answered_over_the_wire(bare: Bare, film: Project, tmp_path: Path) -> None:
    bundle = film.bundle(tmp_path / "film.zip")
    with serving(bare, bundle) as url:
        answer = requests.post(
            f"{url}/predict", files=sent([film.media / "1.mp4"]), data={"stride": "2", "first": "1"}, timeout=60
        )
    (reply,) = answer.json()["files"]
    assert (reply["name"], reply["kind"], reply["frames"], reply["stride"]) == ("1.mp4", "video", 160, 2)
    house = {
        (answer.classification, answer.option, answer.under, answer.frames.ranges): answer.confidence
        for answer in film.predict(stride=2)[1].answers
    }
    wire = {
        (
            one["classification"],
            tuple(one["option"]),
            tuple(one["under"]) if "under" in one else None,
            tuple((first - 1, last) for first, last in one["frames"]),
        ): one["confidence"]
        for one in reply["answers"]
    }
    assert wire == pytest.approx(house, abs=1e-3)
    assert any(name == "part" for name, *_ in wire)


def test_a_directory_is_answered_without_any_of_its_libraries(
    bare: Bare, networked: Project, networked_zip: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "pictures"
    (directory / "below").mkdir(parents=True)
    for number, path in enumerate(pictures(networked, 12)):
        (directory / ("below" if number % 2 else ".") / path.name).write_bytes(path.read_bytes())
    (directory / "notes.txt").write_text("not a picture")

    def run(form: str, to: Path, *more: str) -> str:
        command = bare("bundle", "predict", networked_zip, directory, "--format", form, "--to", to, *more)
        said, _ = command.communicate(timeout=120)
        assert command.returncode == 0, said
        assert "12 files answered" in said
        assert "1 file could not be read" in said
        assert "notes.txt is not a picture" in said
        return said

    run("json", tmp_path / "a.json", "--scores")
    files = {one["name"]: one for one in json.loads((tmp_path / "a.json").read_text())["files"]}
    assert len(files) == 13
    run("csv", tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:3] == ["filename", "loop", "loop confidence"]
    for row in rows:
        options = [one["option"][0] for one in files[row["filename"]]["answers"] if one["classification"] == "loop"]
        assert row["loop"] == "|".join(options)
    run("folders", tmp_path / "sorted", "--by", "loop")
    run("folders", tmp_path / "sorted.zip", "--by", "loop")
    found = {path.relative_to(tmp_path / "sorted").as_posix() for path in (tmp_path / "sorted").rglob("*.png")}
    assert found == {f"{row['loop'] or 'unanswered'}/{row['filename']}" for row in rows}
    assert set(zipfile.ZipFile(tmp_path / "sorted.zip").namelist()) == found


def test_a_refusal_is_one_line(bare: Bare, own_copy: Path) -> None:
    (own_copy / "labels.json").write_text("{}")
    command = bare("bundle", "serve", own_copy)
    said, _ = command.communicate(timeout=60)
    assert command.returncode == 1
    assert said.startswith("Error: ")
    assert "labels.json was changed" in said
    assert "Traceback" not in said


def client(predictor: Predictor, **limits: Any) -> Any:
    return create_app(predictor, Limits(**limits)).test_client()


def upload(path: Path, **form: str) -> dict[str, Any]:
    return {"data": {"file": (path.open("rb"), path.name), **form}, "content_type": "multipart/form-data"}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("cutoff=2", "must be within [0, 1]"),
        ("cutoff=high", "cutoff must be a number, got 'high'"),
        ("cutoffs=loop", "cutoffs are written"),
        ("stride=-1", "stride must be 1 or more"),
        ("first=5&last=2", "1 <= first <= last"),
        ("colour=red", "'colour' is nothing that can be asked for"),
        ("model=newest", "model must be best or last"),
        ("model=last", "holds the model best alone"),
        ("precision=int8", "holds no int8 network"),
        ("regions=maybe", "regions must be true or false"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    digits: Project, digits_predictor: Predictor, query: str, message: str
) -> None:
    answer = client(digits_predictor).post(f"/predict?{query}", **upload(pictures(digits, 1)[0]))
    assert answer.status_code == 400
    assert message in answer.json["error"]
    assert "\n" not in answer.json["error"]


def test_paths_are_taken_only_below_the_directory_that_was_allowed(
    digits: Project, digits_predictor: Predictor, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "inside.png").write_bytes(pictures(digits, 1)[0].read_bytes())
    (tmp_path / "secret.png").write_bytes(pictures(digits, 1)[0].read_bytes())
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    allowed = client(digits_predictor, root=root)
    assert allowed.post("/predict", json={"files": ["inside.png"]}).status_code == 200
    names: list[Any] = [
        "../secret.png",
        str(tmp_path / "secret.png"),
        "link.png",
        "nothing.png",
        ".",
        "",
        "a\0b",
        7,
        [],
    ]
    for name in names:
        answer = allowed.post("/predict", json={"files": [name]})
        assert answer.status_code == 400, name
    refusal = client(digits_predictor).post("/predict", json={"files": ["inside.png"]})
    assert "start it with --root DIRECTORY" in refusal.json["error"]


def test_too_much_is_refused(digits: Project, digits_predictor: Predictor, film: Project) -> None:
    picture = pictures(digits, 1)[0]
    small = client(digits_predictor, max_mb=1, max_files=1)
    answer = small.post("/predict", data=b"0" * 2_000_000, content_type="multipart/form-data; boundary=x")
    assert (answer.status_code, "1 MB" in answer.json["error"]) == (413, True)
    two = {"a": (picture.open("rb"), "a"), "b": (picture.open("rb"), "b")}
    answer = small.post("/predict", data=two, content_type="multipart/form-data")
    assert "2 files are more than the 1" in answer.json["error"]
    hasty = client(digits_predictor, max_seconds=1e-6)
    assert "takes longer than is allowed" in hasty.post("/predict", **upload(picture)).json["error"]
    answer = client(digits_predictor).post("/predict", content_type="multipart/form-data; boundary=x")
    assert "there is no file in this request" in answer.json["error"]
    assert client(digits_predictor).post("/predict", data="x", content_type="text/plain").status_code == 415
    narrow = client(Predictor(digits_predictor.bundle, max_megapixels=0))
    answer = narrow.post("/predict", **upload(picture))
    assert (answer.status_code, "megapixels" in answer.json["error"]) == (422, True)


def test_it_listens_to_others_only_with_a_password(digits_predictor: Predictor) -> None:
    with pytest.raises(BadSetting, match="set BASIC_AUTH_USER and BASIC_AUTH_PASS"):
        Limits(host="0.0.0.0")
    with pytest.raises(BadSetting, match="go together"):
        Limits(user="ada")
    guarded = client(digits_predictor, host="0.0.0.0", user="ada", password=Secret("lovelace"))
    for path in ("/health", "/about"):
        assert guarded.get(path).status_code == 401
        assert guarded.get(path, auth=("ada", "byron")).status_code == 401
        assert guarded.get(path, auth=("ada", "lovelace")).status_code == 200
    assert guarded.post("/predict").status_code == 401


@pytest.mark.parametrize("in_memory", [0, request_files.IN_MEMORY], ids=["on disk", "in memory"])
def test_what_is_sent_is_answered_wherever_it_is_kept(
    digits: Project, film: Project, digits_predictor: Predictor, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(request_files, "IN_MEMORY", in_memory)
    (picture,) = pictures(digits, 1)
    contents = (picture.read_bytes(), (film.media / "1.mp4").read_bytes(), b"<html></html>")
    files = [(io.BytesIO(content), name) for content, name in zip(contents, ("a.png", "b.mp4", "c.png"), strict=True)]
    form = {"file": files, "cutoff": "0"}
    answer = client(digits_predictor).post("/predict", data=form, content_type="multipart/form-data").json
    kinds = [(one["name"], one.get("kind"), one.get("looked_at")) for one in answer["files"]]
    assert kinds == [("a.png", "image", None), ("b.mp4", "video", 160), ("c.png", None, None)]
    assert answer["files"][2]["error"].startswith("c.png is an HTML page, not a picture")
    (named,) = digits_predictor.predict([GivenFile("a.png", (picture,))], Asked(cutoff=0.0))
    assert answer["files"][0] == named


def test_a_request_may_be_answered_in_many_threads_at_once(digits: Project, digits_predictor: Predictor) -> None:
    from concurrent.futures import ThreadPoolExecutor

    app = create_app(digits_predictor, Limits())
    paths = pictures(digits, 24)

    def ask(path: Path) -> Any:
        answer: Any = app.test_client().post("/predict", **upload(path))
        return answer.json["files"][0]["answers"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, paths)) == [ask(path) for path in paths]
