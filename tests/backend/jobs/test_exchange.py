"""Importing and exporting in a house with real pictures, as far as it goes without a Label Studio."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG, VIDEO_CONFIG, write_pan
from espalier.demo.results import choices, timeline
from espalier.errors import BadRequest, Cancelled
from espalier.exchange import exporting, importing
from espalier.exchange.answers_file import annotated, as_csv
from espalier.exchange.exported_files import ExportedFiles
from espalier.exchange.exporting import ExportRequest
from espalier.exchange.given_files import GivenFiles
from espalier.exchange.importing import ImportRequest
from espalier.jobs.errands.doing import do
from espalier.jobs.progress import Progress
from espalier.store.rows import Prediction

ID = "0" * 32


@pytest.fixture
def digits(home: Any) -> Any:
    """Six digits, of which four are answered; project 7."""
    home.configure(IMAGE_CONFIG)
    home.digits(6, 4)
    return home


def zip_of(home: Any, **asked: Any) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    file = io.BytesIO()
    told = exporting.export(home.house, home.project, ExportRequest.from_json(asked), file, Progress())
    return zipfile.ZipFile(file), told


def preview(home: Any, path: Path, **asked: Any) -> dict[str, Any]:
    request = ImportRequest.from_json({"name": path.name, **asked})
    return importing.preview(home.house, home.project, path, request, Progress())


def predict(home: Any, tasks: dict[int, str]) -> None:
    home.house.records.put_predictions(
        [
            Prediction(
                home.key, id, "v1", "", [{**one, "score": 0.75} for one in choices("image", {"loop": option})], 0.75
            )
            for id, option in tasks.items()
        ]
    )


def test_a_table_is_counted_by_the_rules_of_every_bulk_label(digits: Any, tmp_path: Path) -> None:
    names = [task.data["image"].rpartition("/")[2] for task in digits.house.records.tasks(digits.key)]
    option = digits.house.ontology(digits.project).classification("loop").options[0].name
    table = tmp_path / "labels.csv"
    table.write_text("filename,loop\n" + "".join(f"{name},{option}\n" for name in [*names, "gone.png"]))
    told = preview(digits, table)
    assert (told["kind"], told["rows"], told["tasks"], told["missing"]) == ("table", 7, 6, 1)
    assert told["counts"]["written"] == 2, "people have annotated the others"
    assert [one["row"] for one in told["problems"]] == [8]
    assert preview(digits, table, **{"as": "predictions"})["counts"]["written"] >= 2
    assert digits.house.records.runs(digits.key) == [], "nothing was written"


def test_what_is_exported_as_a_table_is_said_already(digits: Any, tmp_path: Path) -> None:
    ontology = digits.house.ontology(digits.project)
    table = tmp_path / "labels.csv"
    table.write_text("".join(as_csv(ontology, annotated(digits.house.records, digits.project))))
    told = preview(digits, table, also_annotated=True)
    assert (told["tasks"], told["problem_count"], told["counts"]["written"]) == (4, 0, 0)
    assert told["counts"]["said"] == sum(told["labels"].values()), "every answer is there"


def test_what_is_exported_as_directories_is_said_already(digits: Any, tmp_path: Path) -> None:
    archive, told = zip_of(digits)
    assert told["files"] == told["frames"] == 4
    path = tmp_path / "pictures.zip"
    path.write_bytes(archive.fp.getvalue())  # type: ignore[union-attr]
    again = preview(digits, path, also_annotated=True)
    assert (again["kind"], again["pictures"], again["tasks"], again["problem_count"]) == ("pictures", 4, 4, 0)
    assert (again["counts"]["written"], again["counts"]["said"]) == (0, sum(again["labels"].values()))
    archive.extractall(tmp_path / "pictures")
    assert preview(digits, tmp_path / "pictures", also_annotated=True) == again, "a directory is read as its ZIP file"
    first = archive.namelist()[0]
    source = next(tmp_path.rglob(f"digits/**/{first.rpartition('/')[2]}"))
    assert archive.read(first) == source.read_bytes(), "the picture itself"


def test_pictures_lie_in_directories_by_what_was_predicted(digits: Any) -> None:
    options = [option.name for option in digits.house.ontology(digits.project).classification("loop").options]
    predict(digits, {1: options[0], 5: options[0], 6: options[1]})
    archive, told = zip_of(digits, of="predictions", version="v1", classifications=["loop"])
    assert told["labels"] == {options[0]: 2, options[1]: 1}
    assert sorted(name.partition("/")[0] for name in archive.namelist()) == sorted([options[0]] * 2 + [options[1]])
    rest, _ = zip_of(digits, of="predictions", version="v1", classifications=["loop"], rest=True)
    assert len([name for name in rest.namelist() if name.startswith("(no answer)/")]) == 3
    with pytest.raises(BadRequest, match="has predicted no task"):
        zip_of(digits, of="predictions", version="v9")
    with pytest.raises(BadRequest, match="no classification 'what'"):
        zip_of(digits, classifications=["what"])


def test_frames_are_judged_with_a_table_of_truth_and_prediction(digits: Any) -> None:
    truth = {
        one.task_id: next(item["value"]["choices"][0] for item in one.result if item["from_name"] == "loop")
        for one in digits.house.records.annotations(digits.key)
    }
    names = {option.name for option in digits.house.ontology(digits.project).classification("loop").options}
    (other,) = names - {truth[2]}
    predict(digits, {1: truth[1], 2: other, 5: other})
    archive, told = zip_of(digits, what="judged", version="v1", classifications=["loop"])
    assert (told["files"], told["right"]) == (3, 1)
    rows = list(csv.DictReader(io.StringIO(archive.read("frames.csv").decode())))
    assert [(row["task"], row["truth"], row["prediction"], row["right"]) for row in rows] == [
        ("1", truth[1], truth[1], "right"),
        ("2", truth[2], other, "wrong"),
    ]
    assert [row["file"].partition("/")[0] for row in rows] == ["right", "wrong"]
    assert rows[1]["confidence"] == "0.7500"


def test_frames_of_a_video_are_jpegs_at_a_stride(home: Any, tmp_path: Path) -> None:
    shots = write_pan(tmp_path / "=<b>pan.mp4", seed=1, shots=4)
    home.configure(VIDEO_CONFIG)
    home.add_tasks([{"video": str(tmp_path / "=<b>pan.mp4")}])
    home.annotate(1, timeline(shots))
    archive, told = zip_of(home, classifications=["scene"], stride=10)
    assert told["files"] == 8
    assert all(archive.read(name)[:3] == b"\xff\xd8\xff" for name in archive.namelist())
    assert {name.rpartition("/")[2].partition("-")[0] for name in archive.namelist()} == {"=_b_pan"}
    ontology = home.house.ontology(home.project)
    table = tmp_path / "labels.csv"
    table.write_text("".join(as_csv(ontology, annotated(home.house.records, home.project))))
    again = preview(home, table, also_annotated=True)
    assert (again["problem_count"], again["counts"]["written"], again["tasks"]) == (0, 0, 1)


def test_a_cancelled_export_leaves_nothing(digits: Any) -> None:
    class Stopped(Progress):
        def report(self, done: int, total: int, message: str = "") -> None:
            raise Cancelled("cancelled by a person")

    with pytest.raises(Cancelled):
        exporting.export_to_keep(digits.house, digits.project, {"id": ID}, Stopped())
    assert list((digits.house.settings.data_dir / "exports").iterdir()) == []


def test_the_errands_make_a_file_that_is_kept_for_its_project(digits: Any, tmp_path: Path) -> None:
    house = digits.house
    told = do(house, digits.key, "export", {"id": ID, "what": "folders"}, Progress())
    files = ExportedFiles(house.settings.data_dir)
    assert told["size_bytes"] == files.path(ID).stat().st_size
    assert [one.id for one in files.of(digits.key)] == [ID]
    assert files.of("8.1") == []
    with pytest.raises(BadRequest, match="no export"):
        files.find("8.1", ID)
    files.remove(digits.key, ID)
    assert files.of(digits.key) == []


def test_a_file_that_was_sent_is_kept_for_its_project(digits: Any) -> None:
    files = GivenFiles(digits.house.settings.data_dir)
    kept = files.keep(digits.key, "a.csv", io.BytesIO(b"filename,loop\ngone.png,x\n").read)
    told = do(digits.house, digits.key, "preview_import", {"file": kept.file}, Progress())
    assert told["problem_count"] == 1
    assert told["counts"] is None
    with pytest.raises(BadRequest, match="another project"):
        files.find("8.1", kept.file)
    for wrong in ("../secret", "im-", kept.file[:-1]):
        with pytest.raises(BadRequest, match="is not here"):
            files.find(digits.key, wrong)
    with pytest.raises(BadRequest, match="is empty"):
        files.keep(digits.key, "a.csv", io.BytesIO(b"").read)


def test_an_import_and_an_export_know_what_they_may_hold() -> None:
    with pytest.raises(BadRequest, match="has no colums"):
        ImportRequest.from_json({"colums": {}})
    with pytest.raises(BadRequest, match="has no by"):
        ExportRequest.from_json({"by": "x"})
    with pytest.raises(BadRequest, match="stride must be 1"):
        ExportRequest.from_json({"stride": 0})
