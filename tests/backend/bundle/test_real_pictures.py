"""On real pictures and a real video, with real weights: the bundle's answers against those of the house."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.bundle.asked import Asked
from espalier.bundle.given_file import GivenFile
from espalier.bundle.opening import opened
from espalier.bundle.predictor import Predictor
from espalier.media.picture import read_picture
from espalier_timm import TimmEncoder

from .conftest import Project, project_in

Shared = Callable[[str], Path]
NETWORK = "timm:mobilenetv2_100"


@pytest.fixture(scope="module", autouse=True)
def written_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The network is one and the same in all of these, and to write it takes longer than all the rest."""
    export = TimmEncoder.export_onnx
    known: dict[str, Path] = {}

    def once(encoder: TimmEncoder, path: Path) -> None:
        digest = encoder.spec.digest
        if digest not in known:
            known[digest] = tmp_path_factory.mktemp("network") / "network.onnx"
            export(encoder, known[digest])
            assert list(known[digest].parent.iterdir()) == [known[digest]], "no weights beside it"
        shutil.copy(known[digest], path)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TimmEncoder, "export_onnx", once)
        yield


def control(name: str, options: Sequence[str], condition: str = "") -> str:
    listed = "".join(f'<Choice value="{option}"/>' for option in options)
    return f'<Choices name="{name}" toName="image" choice="single" {condition}>{listed}</Choices>'


def nested(rows: list[dict[str, str]]) -> tuple[str, list[Mapping[str, str]]]:
    below: dict[str, set[str]] = {}
    for row in rows:
        below.setdefault(row["coarse"], set()).add(row["fine"])
    asked = control("coarse", sorted(below)) + "".join(
        control(
            f"fine {coarse}",
            sorted(fine),
            f'visibleWhen="choice-selected" whenTagName="coarse" whenChoiceValue="{coarse}"',
        )
        for coarse, fine in sorted(below.items())
    )
    return asked, [{"coarse": row["coarse"], f"fine {row['coarse']}": row["fine"]} for row in rows]


def flat(rows: list[dict[str, str]]) -> tuple[str, list[Mapping[str, str]]]:
    return control("label", sorted({row["label"] for row in rows})), [{"label": row["label"]} for row in rows]


def fill(project: Project, images: Path, count: int, form: Callable[..., Any]) -> list[Path]:
    """So many pictures as tasks, two thirds of them labeled, learned from."""
    with (images / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [rows[n] for n in np.random.default_rng(0).permutation(len(rows))[:count]]
    asked, answers = form(rows)
    paths = [images / row["filename"] for row in rows]
    project.fill(
        f'<View><Image name="image" value="$image"/>{asked}</View>',
        [{"image": str(path)} for path in paths],
        [
            [
                {"from_name": name, "to_name": "image", "type": "choices", "value": {"choices": [option]}}
                for name, option in one.items()
            ]
            for one in answers[: count * 2 // 3]
        ],
    )
    return paths


def said(result: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return sorted((item["from_name"], json.dumps(item["value"])) for item in result)


@pytest.mark.parametrize(
    ("name", "count", "form"),
    [("clothing10", 300, flat), ("cifar100_nested", 400, nested), ("day_night", 240, flat)],
    ids=["ten classes", "nested", "two classes"],
)
def test_pictures_are_answered_as_in_the_house(
    shared: Shared, tmp_path: Path, name: str, count: int, form: Callable[..., Any]
) -> None:
    data = shared("data")
    weights = {"encoder": NETWORK, "weights_dir": data / "weights", "precision": "fp32"}
    with project_in(tmp_path, data, **weights) as project:
        paths = fill(project, data / "images" / name, count, form)
        bundle = project.bundle(tmp_path / "bundle.zip", int8=True)
        house = project.predict()
        encoder = project.house.encoder()
        model = project.house.model(Path(project.version.directory))
        pictures = np.stack([read_picture(path, encoder.spec.input_size) for path in paths[:64]])
        true = model.scores(encoder.encode(pictures))
    files = [GivenFile(path.name, (path,)) for path in paths]
    alike = {}
    with opened(bundle) as found:
        predictor = Predictor(found)
        scores = model.scores(predictor.loaded(precision="fp32").network.encode(pictures))
        difference = max(float(np.abs(true[key] - scores[key]).max()) for key in true)
        for precision in ("fp32", "int8"):
            replies = list(predictor.predict(files, Asked(regions=True, precision=precision)))
            pairs = zip(replies, house, strict=True)
            alike[precision] = float(np.mean([said(one["regions"]) == said(two.row.result) for one, two in pairs]))
        way = found.manifest.measured["int8"]
        default = found.manifest.precision
    print(
        f"\n{name}: fp32 scores differ by {difference:.1e} at most, {alike['fp32']:.4f} of {count} answered alike; "
        f"int8 ({way['way']}; tried {way['tried']}) {alike['int8']:.4f}; {default} answers by default"
    )
    assert difference < 1e-3
    assert alike["fp32"] >= 0.995  # of embeddings that the house keeps as float16
    assert default == "int8"
    assert way["agreement"] >= 0.99
    assert alike["int8"] >= 0.99


def test_a_video_is_answered_as_in_the_house(shared: Shared, tmp_path: Path) -> None:
    data = shared("data")
    videos = data / "videos"
    settings = {"encoder": NETWORK, "weights_dir": data / "weights", "precision": "fp32"}
    with project_in(tmp_path, data, **settings) as project:
        (task,) = json.loads((videos / "fruit_conveyor.ls_export.json").read_text())
        config = (videos / "fruit_conveyor.label_config.xml").read_text()
        film = videos / "fruit_conveyor.mp4"
        project.fill(config, [{"video": str(film)}], [task["annotations"][0]["result"]])
        bundle = project.bundle(tmp_path / "bundle")
        (house,) = project.predict()
    with opened(bundle) as found:
        (reply,) = Predictor(found).predict([GivenFile(film.name, (film,))], Asked(regions=True))
    assert said(reply["regions"]) == said(house.row.result)
    assert house.row.result
    scores = sorted(item["score"] for item in house.row.result)
    assert np.allclose(sorted(item["score"] for item in reply["regions"]), scores, atol=1e-3)
