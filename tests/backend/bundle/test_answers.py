"""A bundle answers as the house does: pictures with nested questions, films with attributes, whatever the encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.bundle import ontology_file
from espalier.bundle.asked import Asked
from espalier.bundle.given_file import GivenFile
from espalier.bundle.opening import opened
from espalier.bundle.predictor import Predictor
from espalier.bundle.writing import write
from espalier.errors import BadRequest
from espalier.jobs.predicting import Predicted
from espalier_ontology import labeling_config

from .conftest import Project


def files_of(project: Project, field: str) -> list[GivenFile]:
    paths = [Path(str(task.data[field])) for task in project.house.records.tasks(project.key)]
    return [GivenFile(path.name, (path,)) for path in paths]


def without_ids(result: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Regions without their ids and scores, which are compared by themselves."""
    return [{name: value for name, value in item.items() if name not in ("id", "score")} for item in result]


def same(replies: list[dict[str, Any]], predicted: list[Predicted], within: float = 1e-3) -> float:
    """The share of files that are answered alike; where they are, their confidences lie so near."""
    alike = 0
    for reply, one in zip(replies, predicted, strict=True):
        if without_ids(reply["regions"]) == without_ids(one.row.result):
            alike += 1
            mine, theirs = ([item.get("score", 0) for item in result] for result in (reply["regions"], one.row.result))
            assert np.allclose(mine, theirs, atol=within)
    return alike / len(replies)


def alike(one: Any, two: Any) -> bool:
    """Numbers nearly so: a matrix product of many rows adds up in another order than that of one."""
    if isinstance(one, float):
        return bool(abs(one - two) < 1e-4)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(alike(one[name], two[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(two) and all(map(alike, one, two))
    return bool(one == two)


def test_nested_questions_are_answered_as_in_the_house(digits: Project, digits_predictor: Predictor) -> None:
    replies = list(digits_predictor.predict(files_of(digits, "image"), Asked(regions=True)))
    assert same(replies, digits.predict()) == 1.0
    for reply in replies:
        names = [answer["classification"] for answer in reply["answers"]]
        assert "loop" in names or not names, "no child without its parent"


def test_a_network_gives_the_scores_of_the_house(networked: Project, networked_zip: Path) -> None:
    with opened(networked_zip) as bundle:
        predictor = Predictor(bundle)
        files, predicted = files_of(networked, "image"), networked.predict()
        asked = Asked(regions=True, precision="fp32")
        # The house keeps embeddings as float16, which the much alike ones of random weights feel most.
        assert same(list(predictor.predict(files, asked)), predicted, within=2e-2) >= 0.98
        version = networked.version
        model = networked.house.model(Path(version.directory))
        frames = np.random.default_rng(0).integers(0, 256, (40, *model.encoder.input_size, 3), np.uint8)
        house = model.scores(networked.house.encoder().encode(frames))
        bundled = predictor.loaded().model.scores(predictor.loaded(precision="fp32").network.encode(frames))
        for key, scores in house.items():
            assert np.abs(scores - bundled[key]).max() < 1e-3


def test_int8_agrees_or_is_not_what_answers(networked: Project, networked_zip: Path) -> None:
    with opened(networked_zip) as bundle:
        measured = bundle.manifest.measured["int8"]
        assert (measured["agreement"] >= 0.99) == (bundle.manifest.precision == "int8")
        assert measured["frames"] >= 100
        replies = list(Predictor(bundle).predict(files_of(networked, "image"), Asked(regions=True)))
    predicted = networked.predict()
    pairs = zip(replies, predicted, strict=True)
    alike = np.mean([without_ids(one["regions"]) == without_ids(two.row.result) for one, two in pairs])
    print(f"\ndigits under a tiny network, {measured['way']} in 8 bits: {alike:.3f} of 300 alike")
    assert alike >= 0.99


@pytest.mark.parametrize("asked", [{}, {"stride": 4}, {"first": 31, "last": 90}, {"cutoff": 0.9}])
def test_a_film_is_answered_as_in_the_house(film: Project, tmp_path: Path, asked: dict[str, Any]) -> None:
    wanted = {("confidence" if name == "cutoff" else name): value for name, value in asked.items()}
    with opened(film.bundle(tmp_path / "film")) as bundle:
        replies = list(Predictor(bundle).predict(files_of(film, "video"), Asked(regions=True, **asked)))
    assert same(replies, film.predict(**wanted)) == 1.0
    scenes = [one for one in replies[1]["answers"] if one["classification"] == "scene"]
    assert all(1 <= first <= last <= 160 for one in scenes for first, last in one["frames"])
    assert replies[1]["looked_at"] == len(
        range(asked.get("first", 1), asked.get("last", 160) + 1, asked.get("stride", 1))
    )
    if "cutoff" not in asked:
        assert any(one.get("under") == ["temple"] for one in replies[1]["answers"])


def test_a_video_shown_to_a_model_of_pictures_is_answered_frame_by_frame(
    digits_predictor: Predictor, film: Project
) -> None:
    (reply,) = digits_predictor.predict(files_of(film, "video")[:1], Asked(cutoff=0.0, stride=3, regions=True))
    assert (reply["kind"], reply["frames"], reply["looked_at"]) == ("video", 160, 54)
    shown = [False] * 161
    for answer in reply["answers"]:
        for first, last in answer["frames"]:
            if answer["classification"] == "loop":
                assert not any(shown[first : last + 1]), "one option of a single choice at a time"
                shown[first : last + 1] = [True] * (last + 1 - first)
    assert all(shown[1:])
    assert reply["regions"] == [], "the configuration has no place for them"


def test_a_picture_shown_to_a_model_of_videos_is_one_frame(film: Project, digits: Project, tmp_path: Path) -> None:
    with opened(film.bundle(tmp_path / "film")) as bundle:
        (reply,) = Predictor(bundle).predict(files_of(digits, "image")[:1], Asked(cutoff=0.0))
    assert reply["kind"] == "image"
    assert [one["classification"] for one in reply["answers"]].count("scene") >= 1


def test_pictures_that_belong_together_are_a_sequence(digits: Project, digits_predictor: Predictor) -> None:
    paths = tuple(path for file in files_of(digits, "image")[:5] for path in file.paths)
    (reply,) = digits_predictor.predict([GivenFile("five", paths)], Asked(cutoff=0.0))
    assert (reply["kind"], reply["frames"]) == ("sequence", 5)
    loops = [one["frames"] for one in reply["answers"] if one["classification"] == "loop"]
    assert sorted(number for ranges in loops for first, last in ranges for number in range(first, last + 1)) == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip


def test_cutoffs_of_the_house_and_of_the_request_hold(digits: Project, digits_predictor: Predictor) -> None:
    files = files_of(digits, "image")
    assert all(not one["answers"] for one in digits_predictor.predict(files[:8], Asked(cutoff=1.0)))
    only = Asked(cutoffs={"loop/no loop": 1.0}, cutoff=0.0)
    answers = [one["answers"] for one in digits_predictor.predict(files[:20], only)]
    assert any(answers)
    assert all(answer["option"] != ["no loop"] for found in answers for answer in found)
    for wrong in ({"cutoffs": {"colour": 0.5}}, {"classifications": ("colour",)}, {"media": "film"}):
        with pytest.raises(BadRequest, match=r"colour|film"):
            list(digits_predictor.predict(files[:1], Asked(**wrong)))


@pytest.mark.parametrize("asked", [{}, {"cutoff": 0.0}, {"cutoffs": {"loop/no loop": 0.9}}, {"scores": True}])
def test_pictures_that_are_decided_together_are_answered_as_each_alone(
    digits: Project, film: Project, digits_predictor: Predictor, tmp_path: Path, asked: dict[str, Any]
) -> None:
    (tmp_path / "page").write_text("<html><body>log in</body></html>")
    shown, (video, _) = files_of(digits, "image"), files_of(film, "video")
    files = [*shown[:40], video, *shown[40:45], GivenFile("page", (tmp_path / "page",)), *shown[45:90]]
    wanted = Asked(regions=True, **asked)
    together = list(digits_predictor.predict(files, wanted))
    alone = [reply for file in files for reply in digits_predictor.predict([file], wanted)]
    assert len({str(one.get("answers")) for one in together}) > 10, "they are not all alike"
    assert alike(together, alone)


def test_one_bad_file_stops_none_of_the_rest(digits: Project, digits_predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "page").write_text("<html><body>log in</body></html>")
    bad = GivenFile("digit.png", (tmp_path / "page",))
    good = files_of(digits, "image")
    replies = list(digits_predictor.predict([good[0], bad, *good[1:40]]))
    assert [one["name"] for one in replies] == [good[0].name, "digit.png", *[one.name for one in good[1:40]]]
    assert replies[1]["name"] == "digit.png"
    assert replies[1]["error"].startswith("digit.png is an HTML page, not a picture: the link probably needs a login")
    assert all("answers" in one for one in replies if one is not replies[1])


def test_an_ontology_survives_being_written(film: Project, digits: Project) -> None:
    dynamic = labeling_config.with_choices(
        labeling_config.parse(
            '<View><Image name="i" value="$i"/><Choices name="a" toName="i" value="$names"/>'
            '<Taxonomy name="t" toName="i" leafsOnly="true"><Choice value="x"><Choice value="y" alias="z"/></Choice>'
            "</Taxonomy></View>"
        ),
        [{"names": [{"value": "one"}, {"value": "two"}]}],
    )
    asked = [project.house.ontology(project.house.project(project.key)) for project in (film, digits)]
    for ontology in (dynamic, *asked):
        read = ontology_file.from_json(json.loads(json.dumps(ontology_file.to_json(ontology))))
        assert read.classifications == ontology.classifications
        assert (read.media, read.fingerprint) == (ontology.media, ontology.fingerprint)


def test_what_cannot_be_taken_away_is_refused_in_words(digits: Project, digits_bundle: Path, tmp_path: Path) -> None:
    project = digits.house.project(digits.key)
    with pytest.raises(BadRequest, match="is there already"):
        write(digits.house, project, digits.version, digits_bundle)
    with pytest.raises(BadRequest, match="classic is not one network: leave --int8 out"):
        digits.bundle(tmp_path / "int8", int8=True)
    assert not list(tmp_path.iterdir()), "nothing half-written is left"
