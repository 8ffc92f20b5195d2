"""The search finds what brute force over the allowed frames finds, tells where it is, and refuses in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from espalier.contract import Embeddings, EncoderSpec, Pictures
from espalier.demo.pictures import write_digits
from espalier.demo.results import choices
from espalier.errors import BadMedia, BadRequest
from espalier.jobs.house import House
from espalier.plugins.checked import CheckedEncoder
from espalier.search.conditions import Conditions, allowed
from espalier.search.searchable import searchable

WANTED = st.fixed_dictionaries(
    {},
    optional={
        "label": st.sampled_from(["weather", "weather: rain", "shot: wide"]),
        "unlabeled": st.booleans(),
        "tasks": st.lists(st.integers(1, 40), max_size=12),
        "media": st.sampled_from([["image"], ["video"]]),
        "first": st.integers(1, 20),
    },
)


def furnish(site: Any) -> None:
    """30 images and two videos of 40 frames."""
    site.images(site.rows(30))
    for task in range(1, 31, 3):
        site.label(task, weather="rain" if task % 2 else "sun")
    for task in (31, 32):
        site.video(task, site.rows(40))
        site.annotate(task, site.shots(("wide", 5, 20)))


def test_what_is_found_is_what_brute_force_over_the_allowed_frames_finds(site: Any) -> None:
    furnish(site)

    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(WANTED, st.integers(1, 30), st.integers(1, 30), st.booleans())
    def alike(wanted: dict[str, Any], task: int, k: int, except_itself: bool) -> None:
        found = searchable(site.house, site.project)
        ids = allowed(site.house, site.project, Conditions.from_json(wanted))
        every = found.frames.ids
        ids = every if ids is None else ids
        itself = int(found.shown.media[found.shown.of_task(task)[0]]) << 24
        query = found.frames.read(np.array([itself]))[0]
        ids = ids[ids != itself] if except_itself else ids
        scores = found.frames.read(ids) @ query if len(ids) else np.zeros(0)
        best = ids[np.lexsort((ids, -scores))][:k]
        answer = site.search({"task": task}, k=k, conditions=wanted, scenes=False, except_itself=except_itself)
        assert [hit["id"] for hit in answer["hits"]] == best.tolist()
        assert [hit["score"] for hit in answer["hits"]] == pytest.approx(np.sort(scores)[::-1][:k].tolist(), abs=1e-3)
        assert answer["of"] == 110

    alike()


def test_one_hit_per_scene_of_a_video_with_the_others_beside_it(site: Any) -> None:
    first, second = site.rows(2)
    near = [first + 0.05 * row for row in site.rows(30)]
    # Frames 1 to 15 and, ten seconds later, 116 to 130 show the same.
    frames = near[:15] + list(np.repeat(second[None], 100, axis=0)) + near[15:]
    site.video(1, site.unit(frames), rate=10)
    site.images(site.unit([first, *site.rows(5)]), first=2)
    answer = site.search({"task": 2}, k=3)
    scenes = [(hit["task"], hit["scene"]["first"], hit["scene"]["last"]) for hit in answer["hits"][:2]]
    assert sorted(scenes) == [(1, 1, 15), (1, 116, 130)]
    assert all(hit["scene"]["frames"] == 15 for hit in answer["hits"][:2])
    assert len({other["frame"] for other in answer["hits"][0]["scene"]["others"]}) == 14
    assert len({hit["task"] for hit in answer["hits"]}) < 3
    every = site.found({"task": 2}, k=30, scenes=False)
    assert sorted(every) == [(1, number) for number in [*range(1, 16), *range(116, 131)]]


def test_the_frame_after_one_s_own_is_no_find(site: Any) -> None:
    near = site.rows(1) + 0.05 * site.rows(20)
    site.video(1, site.unit(near))
    site.images(site.rows(3), first=2)
    assert {task for task, _ in site.found({"task": 1, "frame": 7}, k=4)} == {2, 3, 4}
    assert site.found({"task": 1, "frame": 7}, k=1, except_itself=False) == [(1, 7)]


def test_a_region_finds_what_is_like_any_of_its_frames(site: Any) -> None:
    looks = site.rows(3)
    site.video(1, site.unit(np.repeat(looks, 10, axis=0)))
    site.images(site.unit([*looks, *site.rows(4)]), first=2)
    assert sorted(site.found({"task": 1, "first": 1, "last": 20}, k=2)) == [(2, 1), (3, 1)]
    assert site.found({"task": 1, "first": 25}, k=1) == [(4, 1)]
    assert sorted(site.found({"task": 1}, k=3)) == [(2, 1), (3, 1), (4, 1)]


def test_hits_tell_where_they_are_shown_and_what_is_said_of_them(site: Any) -> None:
    row = site.rows(1)[0]
    site.serve()
    site.images(site.unit([row, row + 0.1 * site.rows(1)[0], *site.rows(3)]))
    site.tasks([2, 9])
    shown = searchable(site.house, site.project).shown
    media = shown.of_number(int(shown.media[shown.of_task(2)[0]]))
    site.show(site.shown(9, media.digest))
    site.label(2, weather="rain")
    site.predict(2, [{**one, "score": 0.75} for one in choices("image", {"weather": "sun"})])
    hit = site.search({"task": 1}, k=1)["hits"][0]
    assert (hit["task"], hit["tag"], hit["frame"], hit["time_s"], hit["also"]) == (2, "image", 1, None, [9])
    assert hit["labels"] == [
        {"classification": "weather", "option": ["rain"], "source": "person", "confidence": 1.0},
        {"classification": "weather", "option": ["sun"], "source": "v1", "confidence": 0.75},
    ]
    assert hit["scene"] is None
    site.video(20, site.unit([row, *site.rows(3)]), rate=2)
    site.annotate(20, site.shots(("close", 1, 2)))
    hits = site.search({"task": 1}, k=1)["hits"]
    assert (hits[0]["task"], hits[0]["frame"], hits[0]["time_s"]) == (20, 1, 0.0)
    assert [label["option"] for label in hits[0]["labels"]] == [["close"]]
    # And where all labels have been read for a condition, the same is said.
    site.search({"task": 1}, conditions={"unlabeled": True, "min_confidence": 0})
    assert site.search({"task": 1}, k=1)["hits"] == hits


def test_a_task_that_was_deleted_is_found_no_more(site: Any) -> None:
    site.images(site.rows(5))
    assert len(site.found({"task": 1})) == 4
    site.house.records.forget_tasks(site.key, [3])
    assert {task for task, _ in site.found({"task": 1})} == {2, 4, 5}
    with pytest.raises(BadRequest, match="project 7 has no task 3"):
        site.search({"task": 3})


def test_pictures_that_nobody_embedded_are_embedded_when_they_are_asked_with(site: Any, tmp_path: Path) -> None:
    digits = write_digits(tmp_path / "digits", 6)
    tasks = [{"id": id, "data": {"image": str(digit.path)}} for id, digit in enumerate(digits, 1)]
    site.house.records.mirror_tasks(site.key, tasks)
    answer = site.search({"task": 2})
    assert answer["hits"] == []
    assert answer["of"] == 1
    assert site.found({"task": 1}) == [(2, 1)]
    uploads = site.house.settings.data_dir / "uploads"
    uploads.mkdir()
    (uploads / "a.png").write_bytes(digits[1].path.read_bytes())
    best = site.search({"picture": "a.png"})["hits"][0]
    assert (best["task"], best["score"]) == (2, pytest.approx(1, abs=1e-3))


def test_pictures_and_frames_are_examples_together(site: Any, tmp_path: Path) -> None:
    digits = write_digits(tmp_path, 8)
    site.house.records.mirror_tasks(
        site.key, [{"id": id, "data": {"image": str(digit.path)}} for id, digit in enumerate(digits, 1)]
    )
    uploads = site.house.settings.data_dir / "uploads"
    uploads.mkdir()
    (uploads / "a.png").write_bytes(digits[4].path.read_bytes())
    for task in range(1, 9):
        site.search({"task": task})
    query = {"positives": [{"picture": "a.png"}], "negatives": [{"task": 2}]}
    best = site.search(query)["hits"]
    assert best[0]["task"] == 5
    assert 2 not in {hit["task"] for hit in best}
    both = site.search({"positives": [{"picture": "a.png"}, {"picture": "a.png"}, {"task": 6}]})["hits"]
    assert 6 not in {hit["task"] for hit in both}
    with pytest.raises(BadRequest, match="no uploaded picture"):
        site.search({"positives": [{"task": 1}], "negatives": [{"picture": "../b.png"}]})
    for wrong in ({"picture": 3}, {"picture": "a.png", "task": 1}):
        with pytest.raises(BadRequest, match="positives: "):
            site.search({"positives": [wrong]})


def test_uploads_are_all_that_a_picture_may_be_read_from(site: Any, tmp_path: Path) -> None:
    site.images(site.rows(2))
    uploads = site.house.settings.data_dir / "uploads"
    uploads.mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "outside.png")
    (uploads / "link.png").symlink_to(tmp_path / "outside.png")
    for name in ("../../outside.png", str(tmp_path / "outside.png"), "link.png", "nothing.png", "."):
        with pytest.raises(BadRequest, match="no uploaded picture"):
            site.search({"picture": name})
    (uploads / "broken.png").write_bytes(b"no picture")
    with pytest.raises(BadMedia, match=r"broken\.png"):
        site.search({"picture": "broken.png"})


def test_a_picture_of_too_many_pixels_is_refused(new_site: Any) -> None:
    site = new_site(max_megapixels=1)
    site.images(site.rows(2))
    uploads = site.house.settings.data_dir / "uploads"
    uploads.mkdir()
    Image.new("1", (1200, 1200)).save(uploads / "large.png")
    with pytest.raises(BadMedia, match=r"large\.png.*1 megapixels|1\.4"):
        site.search({"picture": "large.png"})


class WordEncoder:
    """Knows two words: the first and the second axis."""

    spec = EncoderSpec("words", 4, (8, 8), "ef" * 16)

    def encode(self, frames: Pictures) -> Embeddings:
        return np.asarray(np.eye(4)[np.zeros(len(frames), int)], np.float32)

    def encode_text(self, texts: Any) -> Embeddings:
        return np.asarray(np.eye(4)[[("cat", "dog").index(text) for text in texts]], np.float32)


def test_words_find_frames_where_the_encoder_knows_them(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site.images(site.rows(3))
    with pytest.raises(BadRequest, match="classic knows no words: to search by text set ESPALIER_ENCODER"):
        site.search({"text": "dog"})
    monkeypatch.setattr(House, "encoder", lambda *_, **__: CheckedEncoder("words", WordEncoder()))
    site.embed([(f"image {id}", 0) for id in (1, 2)], np.eye(4, dtype=np.float32)[:2])
    assert site.found({"text": "dog"}) == [(2, 1), (1, 1)]
    assert site.ask("status")["reads_text"] is True


def test_nothing_to_find_is_said(site: Any) -> None:
    answer = site.ask("status")
    assert (answer["frames"], answer["index"]["vectors"], answer["behind"]) == (0, 0, 0)
    site.images(site.rows(2))
    assert site.ask("status")["behind"] == 2
    assert "meets the conditions" in site.search({"task": 1}, conditions={"label": "weather"})["note"]
    assert site.search({"task": 1})["note"] == ""
    assert json.loads(json.dumps(site.ask("status")))["behind"] == 0


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"query": {}}, "must be one of a task, a picture, a text, or positives"),
        ({"query": {"task": 1, "text": "x"}}, "got task and text"),
        ({"query": {"task": "1"}}, "task must be the id of a task, got '1'"),
        ({"query": {"task": 1, "frame": 0}}, "frame must be a whole number of at least 1"),
        ({"query": {"task": 1, "frame": 2}}, "there is no task 1 frame 2"),
        ({"query": {"task": 1, "frame": 1, "last": 3}}, "either a frame, or first and last"),
        ({"query": {"task": 1, "tag": "sound"}}, "there is no media tag 'sound'; there are image, pages, video"),
        ({"query": {"task": 99}}, "project 7 has no task 99"),
        ({"query": {"text": " "}}, "text must be a text of 1 to 1000 characters"),
        ({"query": {"positives": []}}, "positives must be a list of at most 1000 examples"),
        ({"query": {"positives": [{"task": 1}], "frame": 2}}, "'frame' does not go with 'positives'"),
        ({"query": {"positives": [{"tusk": 1}]}}, "'tusk' is not known"),
        ({"query": {"task": 1}, "k": 1001}, "k must be a whole number within 1 and 1000"),
        ({"query": {"task": 1}, "scenes": 1}, "scenes must be true or false"),
        ({"query": {"task": 1}, "limit": 3}, "'limit' is not known; known are query, k"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_cannot_be_searched_for_is_refused_in_words(site: Any, request_: dict[str, Any], words: str) -> None:
    site.images(site.rows(2))
    with pytest.raises((BadRequest, BadMedia), match=words):
        site.ask("search", **request_)


def test_an_unknown_kind_names_those_that_there_are(site: Any) -> None:
    with pytest.raises(BadRequest, match="nothing is called 'find' here; there are search, status"):
        site.ask("find")
