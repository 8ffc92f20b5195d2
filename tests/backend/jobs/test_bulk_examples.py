"""What is learned from annotations that bulk labels made: what was selected, and nothing of the other frames."""

from __future__ import annotations

from datetime import datetime, timezone

from espalier.jobs.bulk_examples import Told, together
from espalier.learning.questions import Annotated
from espalier.learning.targets import lesson
from espalier.store.rows import Annotation
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.labeling_config import parse

ONTOLOGY = parse("""<View><Video name="v" value="$video"/>
<TimelineLabels name="tl" toName="v"><Label value="Rain"/><Label value="Fog"/></TimelineLabels>
<Choices name="place" toName="v" choice="single"><Choice value="in"/><Choice value="out"/></Choices></View>""")
AT, LATER = (datetime(2026, 11, 21, hour, tzinfo=timezone.utc) for hour in (7, 8))
OURS = {2: AT, 3: AT, 7: AT}


def annotation(id: int, task: int = 1, at: datetime = AT) -> Annotation:
    return Annotation("1.1", id, task, [], updated_at=at)


def label(option: str, *ranges: tuple[int, int]) -> Answer:
    return Answer("tl", (option,), Frames.of(*ranges))


def place(option: str) -> Answer:
    return Answer("place", (option,), Frames.of((0, 100)))


def test_parts_of_one_task_are_learned_as_one() -> None:
    told = together(
        ONTOLOGY,
        [(annotation(2), (label("Rain", (0, 5), (90, 95)),)), (annotation(3), (label("Rain", (50, 55)), place("in")))],
        OURS,
    )
    assert told == [Told(annotation(2), (label("Rain", (0, 5), (50, 55), (90, 95)), place("in")), selected=True)]


def test_what_was_given_is_added_to_what_people_said() -> None:
    first, second = (annotation(1), (label("Fog", (0, 9)), place("out"))), (annotation(5), (label("Rain", (20, 30)),))
    given = (annotation(2), (label("Rain", (40, 45)), place("in")))
    assert together(ONTOLOGY, [first, given, second], OURS) == [
        Told(annotation(1), (label("Fog", (0, 9)), place("out"), label("Rain", (40, 45)))),
        Told(annotation(5), (label("Rain", (20, 30), (40, 45)), place("in"))),
    ], "a single choice that a person made otherwise stays theirs"


def test_what_somebody_changed_is_theirs() -> None:
    changed = (annotation(7, at=LATER), (label("Rain", (0, 5)),))
    assert together(ONTOLOGY, [changed], OURS) == [Told(changed[0], changed[1])]
    assert together(ONTOLOGY, [(annotation(1, 8), ()), (annotation(2, 9), ())], OURS) == [
        Told(annotation(1, 8), ()),
        Told(annotation(2, 9), (), selected=True),
    ]


def test_selected_frames_say_nothing_of_the_others() -> None:
    answers = (label("Rain", (0, 5), (90, 95)), label("Fog", (40, 45)))
    for policy in ("auto", "span", "all"):
        rows = {
            selected: lesson(
                ONTOLOGY,
                [Annotated("m", "m", answers, length=100, selected=selected)],
                uncovered=policy,
            ).questions[0]
            for selected in (False, True)
        }
        assert len(rows[True]) == 15
        assert len(rows[False]) == (100 if policy == "all" else 95)
        assert rows[True].holds.sum() == 15
