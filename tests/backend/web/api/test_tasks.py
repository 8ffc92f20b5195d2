"""Tasks, and what they show, from what is known; who opens them is a worker."""

from __future__ import annotations

from espalier.store.catalogue import Shown

from .conftest import KEY, Api

VIDEO = """<View><Video name="film" value="$video" frameRate="10"/><TimelineLabels name="scene" toName="film">
<Label value="a"/><Label value="b"/></TimelineLabels></View>"""
SEQUENCE = """<View><Image name="item" valueList="$images"/><Choices name="c" toName="item" perItem="true">
<Choice value="a"/><Choice value="b"/></Choices></View>"""


def test_tasks_are_listed_with_the_names_of_their_files(api: Api) -> None:
    told = api.get("/projects/1/tasks?limit=2")
    assert told.get_json() == {
        "items": [{"id": 1, "name": "1.png", "answered": True}, {"id": 2, "name": "2.png", "answered": True}]
    }
    assert told.headers["X-Total-Count"] == "3"
    assert api.get("/projects/1/tasks?limit=2&offset=2").get_json()["items"] == [
        {"id": 3, "name": "3.png", "answered": False}
    ]


def test_a_video_has_as_many_frames_as_label_studio_counts(api: Api) -> None:
    records = api.backend.records
    records.put_project(KEY, label_config=VIDEO)
    records.mirror_tasks(KEY, [{"id": 4, "data": {"video": "/data/local-files/?d=films/a%20b.mp4"}}])
    records.note_shown(KEY, [Shown(4, "film", 0, "d1", "video", 250, 10.0)])
    told = api.get("/projects/1/tasks/4").get_json()
    (media,) = told["media"]
    number = records.shown_in(KEY, 4)[0].media.number
    assert told["name"] == "a b.mp4"
    assert (media["frames"], media["length"], media["kind"]) == (100, 250, "video")
    assert len(media["pictures"]) == 12
    assert media["pictures"][0] == {"frame": 1, "id": number << 24}
    assert media["pictures"][-1] == {"frame": 100, "id": (number << 24) + 247}


def test_the_items_of_a_sequence_are_media_of_their_own(api: Api) -> None:
    records = api.backend.records
    records.put_project(KEY, label_config=SEQUENCE)
    records.mirror_tasks(KEY, [{"id": 4, "data": {"images": ["a.png", "b.png", "c.png"]}}])
    records.note_shown(KEY, [Shown(4, "item", item, digest, "sequence") for item, digest in ((0, "x"), (2, "z"))])
    (media,) = api.get("/projects/1/tasks/4").get_json()["media"]
    assert (media["frames"], media["duration_s"]) == (3, 0)
    numbers = [one.media.number << 24 for one in records.shown_in(KEY, 4)]
    assert media["pictures"] == [{"frame": 1, "id": numbers[0]}, {"frame": 3, "id": numbers[1]}]


def test_what_nobody_opened_yet_is_a_worker_s_job(api: Api) -> None:
    told = api.get("/projects/1/tasks/3?wait_s=0")
    assert told.status_code == 202
    assert api.get("/projects/1/tasks/3?wait_s=0").get_json()["job"] == told.get_json()["job"]
    assert api.get("/projects/1/tasks/99").status_code == 404
