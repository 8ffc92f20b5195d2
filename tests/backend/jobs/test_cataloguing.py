"""What is predicted and learned from can be searched: wherever tasks are opened, what they show is noted."""

from __future__ import annotations

from typing import Any

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.jobs.cataloguing import note
from espalier.jobs.opening import open_tasks


def shown(home: Any) -> set[int]:
    return {one.task_id for one in home.house.records.showings(home.key) if one.media >= 0}


def test_what_is_learned_from_and_what_is_predicted_is_noted(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, _ = home.digits(40, 30)
    home.train()
    assert shown(home) == {task["id"] for task in tasks[:30]}
    home.predict(tasks[30:])
    assert shown(home) == {task["id"] for task in tasks}


def test_what_a_task_showed_stays_where_it_cannot_be_opened_for_now(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, digits = home.digits(2, 0)

    def opened() -> Any:
        ontology = home.house.ontology(home.project)
        return open_tasks([(task["id"], task["data"]) for task in tasks], ontology, home.house.fetcher(home.project))

    assert note(home.house, home.project, opened())
    assert not note(home.house, home.project, opened()), "nothing is news the second time"
    digits[0].path.unlink()
    assert not note(home.house, home.project, opened())
    assert shown(home) == {1, 2}
    digits[1].path.write_bytes(digits[1].path.read_bytes() + b"changed")
    before = home.house.records.showings(home.key)
    assert note(home.house, home.project, opened())
    after = home.house.records.showings(home.key)
    assert after[0] == before[0]
    assert after[1].media != before[1].media
