"""The catalogue: media keep their numbers, tasks show what they showed last, and who follows it hears of everything."""

from __future__ import annotations

import threading

from espalier.store.catalogue import Showing, Shown
from espalier.store.records import Records
from espalier.store.rows import Prediction

KEY = "7.1700000000"


def image(task_id: int, digest: str, *, tag: str = "image", item: int = 0, kind: str = "image") -> Shown:
    return Shown(task_id, tag, item, digest, kind)


def mirrored(records: Records, *task_ids: int) -> None:
    records.mirror_tasks(KEY, [{"id": id, "data": {"image": f"{id}.jpg"}} for id in task_ids])


def places(records: Records, *, since: int = 0) -> list[tuple[int, str, int, int]]:
    return [(one.task_id, one.tag, one.item, one.media) for one in records.showings(KEY, since=since)]


def test_media_are_numbered_from_1_and_once(records: Records) -> None:
    mirrored(records, 1, 2, 3)
    assert records.note_shown(KEY, [image(1, "a"), image(2, "b"), image(3, "a")])
    assert [(one.number, one.digest) for one in records.catalogued(KEY)] == [(1, "a"), (2, "b")]
    assert places(records) == [(1, "image", 0, 1), (2, "image", 0, 2), (3, "image", 0, 1)]
    mirrored(records, 4)
    records.note_shown(KEY, [image(4, "c")])
    assert [one.digest for one in records.catalogued(KEY, after=2)] == ["c"]


def test_a_number_stays_with_its_media_when_nothing_shows_it(records: Records) -> None:
    mirrored(records, 1)
    records.note_shown(KEY, [image(1, "a")])
    records.note_shown(KEY, [image(1, "b")])
    assert places(records) == [(1, "image", 0, 2)]
    records.note_shown(KEY, [image(1, "a")])
    assert places(records) == [(1, "image", 0, 1)]


def test_what_is_no_news_is_not_written(records: Records) -> None:
    mirrored(records, 1)
    shown = [image(1, "a", tag="pages", item=item, kind="sequence") for item in range(3)]
    assert records.note_shown(KEY, shown)
    position = records.showings(KEY)[0].position
    assert not records.note_shown(KEY, shown[::-1])
    assert {one.position for one in records.showings(KEY)} == {position}


def test_a_task_shows_all_that_is_noted_and_nothing_else(records: Records) -> None:
    mirrored(records, 1)
    records.note_shown(KEY, [image(1, "a"), image(1, "b", tag="second")])
    records.note_shown(KEY, [image(1, "c")])
    assert places(records) == [(1, "image", 0, 3)]
    records.note_shown(KEY, [image(1, "d", tag="second")], only_adding=[1])
    assert places(records) == [(1, "image", 0, 3), (1, "second", 0, 4)]


def test_tasks_that_the_mirror_does_not_know_are_left_out(records: Records) -> None:
    mirrored(records, 1, 2)
    records.forget_tasks(KEY, [2])
    assert records.note_shown(KEY, [image(1, "a"), image(2, "b"), image(99, "c")])
    assert places(records) == [(1, "image", 0, 1)]
    assert not records.note_shown(KEY, [image(2, "b")])


def test_who_follows_hears_of_changed_and_of_deleted_tasks_alone(records: Records) -> None:
    mirrored(records, 1, 2, 3)
    records.note_shown(KEY, [image(id, str(id)) for id in (1, 2, 3)])
    heard = max(one.position for one in records.showings(KEY))
    records.note_shown(KEY, [image(2, "new")])
    assert [task for task, *_ in places(records, since=heard)] == [2]
    heard = max(one.position for one in records.showings(KEY))
    records.forget_tasks(KEY, [1, 3])
    assert records.drop_shown(KEY, [3, 2]) == {3}
    assert records.showings(KEY, since=heard) == [Showing(3, "", -1, -1, heard + 1)]
    assert records.drop_shown(KEY) == {1}
    assert records.drop_shown(KEY) == set()
    assert [task for task, *_, media in places(records) if media >= 0] == [2]


def test_projects_have_numbers_of_their_own(records: Records) -> None:
    other = "8.1700000000"
    mirrored(records, 1)
    records.mirror_tasks(other, [{"id": 1, "data": {}}])
    records.note_shown(KEY, [image(1, "a")])
    records.note_shown(other, [image(1, "b")])
    assert [one.number for one in records.catalogued(other)] == [1]
    assert records.showings(other)[0].media == 1


def test_thousands_are_noted_and_read(records: Records) -> None:
    ids = range(1, 3001)
    mirrored(records, *ids)
    records.note_shown(KEY, [image(id, f"{id:05}") for id in ids])
    assert len(records.catalogued(KEY)) == 3000
    assert not records.note_shown(KEY, [image(id, f"{id:05}") for id in ids])


def test_several_who_note_at_once_agree_on_the_numbers(records: Records) -> None:
    mirrored(records, *range(1, 41))
    barrier = threading.Barrier(4)

    def work(start: int) -> None:
        barrier.wait()
        for id in range(start, start + 10):
            records.note_shown(KEY, [image(id, f"{id % 7}")])

    threads = [threading.Thread(target=work, args=(start,)) for start in (1, 11, 21, 31)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = {one.digest: one.number for one in records.catalogued(KEY)}
    assert sorted(numbers.values()) == list(range(1, 8))
    assert all(one.media == numbers[f"{one.task_id % 7}"] for one in records.showings(KEY))
    assert len(places(records)) == 40


def test_predictions_can_be_followed(records: Records) -> None:
    def kept(*task_ids: int, version: str = "v1") -> None:
        records.put_predictions([Prediction(KEY, id, version, "inputs", []) for id in task_ids])

    def told(since: int) -> list[int]:
        return [one.task_id for one in records.predictions_of(KEY, "v1", since=since)]

    mirrored(records, 1, 2, 3)
    assert records.predicted(KEY, "v1") == (0, 0)
    kept(1, 2)
    count, heard = records.predicted(KEY, "v1")
    assert (count, told(0)) == (2, [1, 2])
    kept(3, version="v2")
    assert records.predicted(KEY, "v1") == (2, heard)
    kept(2, 3)
    assert told(heard) == [2, 3]
    assert records.predicted(KEY, "v1")[0] == 3
    _, heard = records.predicted(KEY, "v1")
    records.drop_predictions(KEY, "v1")
    kept(1)
    assert records.predicted(KEY, "v1")[1] > heard, "a position is never used again"
