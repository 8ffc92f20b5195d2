"""From scores to answers: nothing under its cutoff, one option where there is only one, steady in time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.contract import EncoderSpec
from espalier.errors import BadRequest
from espalier.learning.calibration import Calibration
from espalier.learning.decide import answers_for, decide, overall_score
from espalier.learning.decision import Decision
from espalier.learning.head import Head
from espalier.learning.linear import LinearClassifier
from espalier.learning.model import Model
from espalier.learning.questions import Key
from espalier_ontology import rules
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Classification, Condition, Kind, MediaKind, MediaTag, Ontology, Option, Path, Scope


def asks(
    name: str,
    *options: str | Path,
    kind: Kind = "single",
    scope: Scope = "media",
    where: Condition | None = None,
    leaves_only: bool = False,
    threshold: str | None = None,
) -> Classification:
    return Classification(
        name,
        "m",
        "Choices",
        kind,
        scope,
        tuple(Option(option if isinstance(option, tuple) else (option,)) for option in options),
        (where,) if where else (),
        leaves_only=leaves_only,
        settings={"model_score_threshold": threshold} if threshold else {},
    )


def ontology(*asked: Classification, media: MediaKind = "video") -> Ontology:
    return Ontology((MediaTag("m", media, "m"),), asked)


def model(asked: Ontology, cutoff: float = 0.5, *, exclusive: bool | None = None) -> Model:
    """Heads that are never asked to score: the tests give the scores."""
    heads: dict[Key, Head] = {}
    for classification in asked:
        for siblings in classification.siblings():
            one = classification.kind != "timeline" and classification.kind != "multiple"
            one = one if exclusive is None else exclusive
            k = len(siblings.options)
            identity = Calibration.identity(k, exclusive=one)
            classifier = LinearClassifier()
            head = Head(
                classification.name,
                siblings.parent,
                siblings.options,
                one,
                "linear",
                classifier,
                identity,
                np.full(k, cutoff),
            )
            heads[head.key] = head
    return Model(asked.fingerprint, "", EncoderSpec("x", 1, (1, 1), "0" * 16), 0, heads)


def decided(
    asked: Ontology,
    scores: Mapping[Key, object],
    parameters: Decision | None = None,
    *,
    numbers: list[int] | None = None,
    length: int | None = None,
    people: tuple[Answer, ...] = (),
    gate: bool = False,
) -> list[Answer]:
    arrays = {key: np.asarray(value, np.float32) for key, value in scores.items()}
    n = len(next(iter(arrays.values())))
    return (answers_for if gate else decide)(
        asked,
        model(asked),
        arrays,
        np.arange(n) if numbers is None else np.array(numbers),
        length=length or n,
        parameters=parameters or Decision(),
        source="v1",
        people=people,
    )


def ranges(answers: list[Answer], option: str) -> list[tuple[int, int]]:
    return [span for answer in answers if answer.option[-1] == option for span in answer.frames.ranges]


WEATHER = asks("weather", "sun", "rain")
TIMELINE = asks("tl", "run", "jump", kind="timeline", scope="range")
TL: Key = ("tl", ())
SKY: Key = ("weather", ())


def track(*values: float) -> NDArray[np.float32]:
    """Scores of `run`, with `jump` at nought."""
    return np.stack([np.array(values, np.float32), np.zeros(len(values), np.float32)], axis=1)


def test_a_picture_gets_its_best_option() -> None:
    (answer,) = decided(ontology(WEATHER, media="image"), {SKY: [[0.8, 0.2]]})
    assert answer == Answer("weather", ("sun",), Frames(((0, 1),)), float(np.float32(0.8)), "v1")


def test_under_the_cutoff_nothing_is_answered() -> None:
    scores = {SKY: [[0.6, 0.4]]}
    asked = ontology(WEATHER, media="image")
    by_path: dict[Path, float] = {("sun",): 0.59}
    assert decided(asked, scores, Decision(cutoff=0.7)) == []
    assert decided(asked, scores, Decision(cutoff=0.9, cutoffs={"weather": 0.5}))
    assert decided(asked, scores, Decision(cutoffs={"weather": {"sun": 0.61}})) == []
    assert decided(asked, scores, Decision(cutoffs={"weather": by_path}))


def test_the_configuration_may_name_the_threshold_and_a_run_overrules_it() -> None:
    asked = ontology(asks("weather", "sun", "rain", threshold="0.9"), media="image")
    scores = {SKY: [[0.8, 0.2]]}
    assert decided(asked, scores) == []
    assert decided(asked, scores, Decision(cutoff=0.7))
    with pytest.raises(BadRequest, match="model_score_threshold='high' of 'weather'"):
        decided(ontology(asks("weather", "sun", "rain", threshold="high")), scores)


def test_a_whole_video_is_decided_once_on_the_mean() -> None:
    (answer,) = decided(ontology(WEATHER), {SKY: [[0.9, 0.1], [0.3, 0.7], [0.9, 0.1]]}, length=30)
    assert answer.option == ("sun",)
    assert answer.frames == Frames(((0, 30),))
    assert answer.confidence == pytest.approx(0.7)


def test_items_of_a_sequence_are_decided_one_by_one() -> None:
    seen = asks("seen", "cat", "dog", kind="multiple", scope="item")
    answers = decided(ontology(seen, media="sequence"), {("seen", ()): [[0.9, 0.8], [0.1, 0.2], [0.7, 0.1]]})
    found = [(answer.option[0], answer.frames.ranges, round(answer.confidence, 1)) for answer in answers]
    assert found == [("cat", ((0, 1),), 0.9), ("dog", ((0, 1),), 0.8), ("cat", ((2, 3),), 0.7)]


def test_ranges_and_their_mean_confidence() -> None:
    (answer,) = decided(ontology(TIMELINE), {TL: track(0, 0.9, 0.7, 0.8, 0.1)})
    assert answer.frames == Frames(((1, 4),))
    assert answer.confidence == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.1, 0.9, 0.1, 0.1), []),
        ((0.9, 0.9, 0.45, 0.9, 0.9), [(0, 5)]),
        ((0.9, 0.9, 0.2, 0.9, 0.9), [(0, 5)]),
        ((0.9, 0.9, 0.2, 0.2, 0.9, 0.9), [(0, 2), (4, 6)]),
        ((0.45, 0.9, 0.9, 0.45, 0.45), [(1, 5)]),
        ((0.45, 0.45, 0.45, 0.45), []),
        ((0.51, 0.51, 0.41, 0.41, 0.41), [(0, 2)]),
        ((0.9,), [(0, 1)]),
    ],
    ids=[
        "a flicker is dropped",
        "a dip within the margin is passed over",
        "a short gap is bridged",
        "a longer gap is not",
        "it begins where it is sure and ends past the margin",
        "the margin alone begins nothing",
        "a weak tail does not pull the mean under the cutoff",
        "a single frame may stand where nothing else was looked at",
    ],
)
def test_steadiness(values: tuple[float, ...], expected: list[tuple[int, int]]) -> None:
    assert ranges(decided(ontology(TIMELINE), {TL: track(*values)}), "run") == expected


def test_a_sample_speaks_until_the_next_inside_the_range() -> None:
    within = Frames(((10, 24),))
    found = decided(
        ontology(TIMELINE),
        {TL: track(0.9, 0.9, 0.1)},
        Decision(stride=5, within=within),
        numbers=[10, 15, 20],
        length=100,
    )
    assert ranges(found, "run") == [(10, 20)]
    to_the_end = decided(
        ontology(TIMELINE),
        {TL: track(0.9, 0.9, 0.9)},
        Decision(stride=5, within=within),
        numbers=[10, 15, 20],
        length=100,
    )
    assert ranges(to_the_end, "run") == [(10, 24)]


def test_frames_that_were_not_looked_at_part_two_ranges() -> None:
    found = decided(ontology(TIMELINE), {TL: track(0.9, 0.9, 0.9, 0.9)}, numbers=[0, 1, 50, 51], length=60)
    assert ranges(found, "run") == [(0, 2), (50, 52)]


KINDS = asks("kind", ("animal",), ("animal", "cat"), ("animal", "dog"), ("plant",), kind="taxonomy")


@pytest.mark.parametrize(
    ("cutoff", "leaves_only", "expected"),
    [
        (0.5, False, [("animal", "cat")]),
        (0.7, False, [("animal",)]),
        (0.95, False, []),
        (0.7, True, []),
        (0.5, True, [("animal", "cat")]),
    ],
)
def test_down_a_taxonomy_while_it_is_sure(cutoff: float, leaves_only: bool, expected: list[Path]) -> None:
    kinds = asks("kind", *(option.path for option in KINDS.options), kind="taxonomy", leaves_only=leaves_only)
    scores = {("kind", ()): [[0.9, 0.1]], ("kind", ("animal",)): [[0.7, 0.3]]}
    found = decided(ontology(kinds, media="image"), scores, Decision(cutoff=cutoff))
    assert [answer.option for answer in found] == expected
    for answer in found:
        assert answer.confidence == pytest.approx(0.63 if len(answer.option) == 2 else 0.9)


SIDE = asks("side", "left", "right", scope="range", where=Condition("tl", frozenset({("run",)})))


def test_an_attribute_stands_in_the_regions_of_its_label_and_does_not_flicker() -> None:
    asked = ontology(TIMELINE, SIDE)
    sides = [[0.9, 0.1]] * 4 + [[0.1, 0.9]] + [[0.9, 0.1]] + [[0.1, 0.9]] * 4
    found = decided(asked, {TL: track(0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0, 0), ("side", ()): sides}, gate=True)
    assert ranges(found, "run") == [(1, 8)]
    assert ranges(found, "left") == [(1, 4)]
    assert ranges(found, "right") == [(6, 8)]
    assert {answer.under for answer in found if answer.classification == "side"} == {("run",)}


def test_an_attribute_stands_in_the_regions_that_people_drew() -> None:
    drawn = Answer("tl", ("run",), Frames(((2, 4),)))
    parameters = Decision(only=frozenset({"side"}))
    scores = {TL: track(*[0.0] * 6), ("side", ()): [[0.9, 0.1]] * 6}
    found = decided(ontology(TIMELINE, SIDE), scores, parameters, people=(drawn,))
    assert ranges(found, "left") == [(2, 4)]


def test_no_child_leaves_without_its_parent() -> None:
    breed = asks("breed", "cat", "dog", where=Condition("weather", frozenset({("sun",)})))
    asked = ontology(WEATHER, breed, media="image")
    scores: dict[Key, object] = {SKY: [[0.2, 0.8]], ("breed", ()): [[0.9, 0.1]]}
    assert {answer.classification for answer in decided(asked, scores)} == {"weather", "breed"}
    assert {answer.classification for answer in decided(asked, scores, gate=True)} == {"weather"}


def test_the_score_of_a_prediction_is_its_confidence() -> None:
    asked = ontology(WEATHER, media="image")
    sure = {SKY: np.array([[0.9, 0.1]], np.float32)}
    unsure = {SKY: np.array([[0.55, 0.45]], np.float32)}
    answered = overall_score(asked, sure, decided(asked, sure))
    nothing = overall_score(asked, unsure, decided(asked, unsure, Decision(cutoff=0.7)))
    assert answered == pytest.approx(0.9)
    assert nothing == pytest.approx(0.55)
    assert overall_score(asked, {}, []) == 0.0


@pytest.mark.parametrize(
    "wrong", [{"cutoff": 1.2}, {"cutoff": float("nan")}, {"cutoffs": {"a": {"b": -1.0}}}, {"stride": 0}]
)
def test_wrong_parameters_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        Decision(**wrong)  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.floats(0, 1),
    st.integers(1, 4),
    st.integers(0, 4),
    st.integers(0, 4),
    st.floats(0, 0.5),
)
def test_laws(seed: int, n: int, cutoff: float, stride: int, min_length: int, min_gap: int, margin: float) -> None:
    """Whatever the scores: within bounds, never under the cutoff, long enough, one side at a time, and no orphan."""
    rng = np.random.default_rng(seed)
    numbers = np.cumsum(rng.integers(1, stride + 2, n)) - 1
    length = int(numbers[-1]) + 1 + int(rng.integers(0, 3))
    one_of_two = rng.random((n, 1)).round(1).astype(np.float32)
    scores = {
        TL: np.repeat(rng.random((n, 2)).round(1), rng.integers(1, 4), axis=0)[:n].astype(np.float32),
        ("side", ()): np.concatenate([one_of_two, 1 - one_of_two], axis=1),
        SKY: np.concatenate([1 - one_of_two, one_of_two], axis=1),
    }
    asked = ontology(TIMELINE, SIDE, WEATHER)
    parameters = Decision(cutoff=cutoff, stride=stride, min_length=min_length, min_gap=min_gap, margin=margin)
    found = decide(asked, model(asked), scores, numbers, length=length, parameters=parameters, source="v1")
    blocks = np.split(numbers, np.flatnonzero(np.diff(numbers) > stride) + 1)
    shortest = min(len(block) for block in blocks)
    for answer in found:
        assert cutoff - 1e-6 <= answer.confidence <= 1
        assert answer.frames.ranges[-1][1] <= length
        if answer.classification == "tl" and shortest * stride >= min_length:
            inside = [number for number in numbers.tolist() if number in answer.frames]
            assert len(inside) * stride >= min_length
    sides = [answer.frames for answer in found if answer.classification == "side"]
    assert sum(len(frames) for frames in sides) == len(Frames.of(*(span for f in sides for span in f.ranges)))
    assert rules.check(asked, rules.enforce(asked, found).answers) == ()
