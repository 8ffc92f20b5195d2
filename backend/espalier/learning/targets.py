"""Targets: from people's answers to the questions that classifiers are trained on.

What is not said is not learned. A classification without an answer gives no row: an empty multiple choice may mean
"none of these" or "not looked at", and Label Studio's results do not tell the two apart. A child classification, or
the children of an option, give rows only where people answered the parent so.

Timelines are the exception, for nobody marks what does not happen. A frame under one label at least says yes or no to
every label of that timeline. For the frames under none there are four policies:

* `all`: they say no to every label. Right where videos are labeled from end to end.
* `span`: so do only those between the first and the last labeled frame. Right where people label a stretch.
* `none`: they say nothing. Right where people mark a few examples.
* `auto`, the default: `none` for an annotation of which every region is a mark of one or two frames; `span` for the
  others, for people stop anywhere but seldom leave out what lies between. If a label then has no counter-example at
  all, `all` for those others, since nothing can be learned of a label that always holds.

Frames that were selected and labeled in bulk say nothing of the others under any policy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from espalier_ontology import rules
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Classification, Ontology, Path

from ..contract import Ids
from ..errors import BadSetting
from .asked import Asked
from .questions import Annotated, Key, LeftOut, Lesson, Question
from .segments import Segment, agree, choose, negatives, sweep
from .training_parameters import TrainingParameters

Policy = Literal["auto", "all", "span", "none"]

FRAMES_PER_MEDIA = 2000
FRAMES_PER_WHOLE_MEDIA = 64
"""Frames of one media that speak for an answer to the media as a whole: they are alike, and it is one answer."""
_MARK = 2


def lesson(
    ontology: Ontology,
    annotated: Sequence[Annotated],
    *,
    parameters: TrainingParameters | None = None,
    uncovered: Policy | Mapping[str, Policy] = "auto",
    max_frames_per_media: int = FRAMES_PER_MEDIA,
) -> Lesson:
    """Every question that the answers say something about, in the ontology's order.

    parameters: what a person chose to learn, and how. uncovered: the policy for timelines, or one by classification; a
    timeline's own `model_negatives` attribute wins.
    """
    chosen = parameters or TrainingParameters()
    annotated = [item for item in annotated if item.weight > 0]
    group_numbers = {group: number for number, group in enumerate(sorted({item.group for item in annotated}))}
    said: dict[Key, list[_Said]] = {}
    left_out: Counter[tuple[str, Path, str]] = Counter()
    readings: dict[tuple[tuple[Answer, ...], int, str | None, bool], _Reading] = {}
    for item in annotated:
        form = (
            item.answers,
            item.length,
            item.tag,
            item.background,
        )  # thousands of pictures share a handful of answers
        if form not in readings:
            readings[form] = _read(ontology, item)
        left_out.update(readings[form].left_out)
        for key, covered in readings[form].covered.items():
            said.setdefault(key, []).append(_Said(item, covered))
    questions = []
    for classification in ontology:
        if not chosen.learns(classification):
            continue
        policy = _policy(classification, uncovered)
        for siblings in classification.siblings():
            key = (classification.name, siblings.parent)
            if key not in said:
                continue
            question = _question(
                Asked(ontology, classification, siblings, chosen),
                said[key],
                policy,
                max_frames_per_media,
                group_numbers,
                left_out,
            )
            if len(question):
                questions.append(question)
    return Lesson(
        tuple(questions), tuple(LeftOut(*key, frames=count) for key, count in sorted(left_out.items()) if count)
    )


class _Said:
    """One annotation's segments for one question."""

    def __init__(self, item: Annotated, covered: list[Segment]) -> None:
        self.item, self.covered = item, covered
        self.marks = all(segment.frames <= _MARK for segment in covered)

    def segments(self, policy: Policy) -> list[Segment]:
        if policy == "none" or not self.covered:
            return self.covered
        if policy == "all":
            return negatives(self.covered, Frames.of((0, self.item.length)))
        return negatives(self.covered, Frames.of((self.covered[0].start, self.covered[-1].stop)))


class _Reading(NamedTuple):
    """The segments of each question that an annotation answers, and what was left out of it."""

    covered: dict[Key, list[Segment]]
    left_out: Counter[tuple[str, Path, str]]


def _read(ontology: Ontology, item: Annotated) -> _Reading:
    """Every answer, cut to the frames on which its classification is asked."""
    left_out: Counter[tuple[str, Path, str]] = Counter()
    whole = Frames.of((0, max(1, item.length)))
    asked: dict[str, Frames] | None = None
    by_question: dict[Key, dict[int, Frames]] = {}
    columns: dict[Key, dict[Path, int]] = {}
    for answer in item.answers:
        if answer.classification not in ontology:
            continue
        classification = ontology.classification(answer.classification)
        if item.tag is not None and classification.media != item.tag:
            continue
        if classification.option(answer.option) is None:
            left_out[answer.classification, answer.option[:-1], f"no option {answer.option[-1]!r} any more"] += 1
            continue
        frames = whole if classification.scope == "media" else answer.frames & whole
        if classification.conditions:
            asked = rules.asked(ontology, item.answers) if asked is None else asked
            orphans = frames - asked[classification.name]
            if orphans:
                left_out[classification.name, (), "answered where the parent's answer does not ask for it"] += len(
                    orphans
                )
            frames &= asked[classification.name]
        if not frames:
            continue
        for depth in range(len(answer.option)):
            key = (classification.name, answer.option[:depth])
            if key not in columns:
                columns[key] = {
                    path: i
                    for siblings in classification.siblings()
                    if siblings.parent == key[1]
                    for i, path in enumerate(siblings.options)
                }
            holding = by_question.setdefault(key, {})
            column = columns[key][answer.option[: depth + 1]]
            holding[column] = holding[column] | frames if column in holding else frames
    covered = {key: sweep(holding) for key, holding in by_question.items()}
    for classification in ontology.roots if item.background else ():
        if item.tag in (None, classification.media):
            covered.setdefault((classification.name, ()), [Segment(0, max(1, item.length), frozenset())])
    return _Reading(covered, left_out)


def _question(
    asked: Asked,
    said: list[_Said],
    policy: Policy,
    most: int,
    group_numbers: Mapping[str, int],
    left_out: Counter[tuple[str, Path, str]],
) -> Question:
    key, classification, options = asked.key, asked.classification, asked.options
    exclusive = asked.exclusive
    if exclusive is None:
        exclusive = all(len(segment.holds) <= 1 for part in said for segment in part.covered)
    policies: list[Policy] = ["none"] * len(said)
    if classification.kind == "timeline":
        policies = _policies(said, policy, len(options))
    by_media: dict[str, list[tuple[_Said, list[Segment]]]] = {}
    for part, chosen in zip(said, policies, strict=True):
        by_media.setdefault(part.item.media, []).append((part, part.segments(chosen)))
    if classification.scope == "media":
        most = min(most, FRAMES_PER_WHOLE_MEDIA)
    media: list[str] = []
    groups: list[int] = []
    weights: list[float] = []
    frames: list[Ids] = []
    kept: list[Segment] = []
    for name, parts in by_media.items():
        if exclusive:
            parts = [(part, _single(segments, asked, left_out)) for part, segments in parts]
        segments, differing = agree([(part.item.ground_truth, s) for part, s in parts], exclusive=exclusive)
        if differing:
            left_out[(*key, "annotators differ")] += differing
        group = group_numbers[parts[0][0].item.group]
        weight = max(part.item.weight for part, _ in parts)
        for segment, numbers in zip(segments, choose(segments, most), strict=True):
            if len(numbers) and len(segment.masked) < len(options):
                kept.append(segment)
                frames.append(numbers)
                media.append(name)
                groups.append(group)
                weights.append(weight)
    counts = np.array([len(numbers) for numbers in frames], np.int64)
    targets = np.zeros((len(kept), len(options)), np.float32)
    mask = np.ones((len(kept), len(options)), np.bool_)
    for row, segment in enumerate(kept):
        targets[row, list(segment.holds)] = 1.0
        mask[row, list(segment.masked)] = False
    question = Question(
        classification.name,
        key[1],
        options,
        exclusive,
        np.repeat(np.array(media, np.str_), counts),
        np.concatenate(frames).astype(np.int64) if frames else np.zeros(0, np.int64),
        np.repeat(targets, counts, axis=0),
        np.repeat(mask, counts, axis=0),
        np.repeat(np.array(groups, np.int64), counts),
        np.repeat(np.array(weights, np.float32), counts),
    )
    return question if asked.kept.all() else _without(question, asked.kept, left_out)


def _without(question: Question, kept: NDArray[np.bool_], left_out: Counter[tuple[str, Path, str]]) -> Question:
    """Without some options: a frame that shows one of these says nothing about which of the others it shows."""
    if not question.exclusive:
        question = question.columns(kept)
        return question.rows(question.mask.any(axis=1))
    gone = question.holds[:, ~kept].any(axis=1)
    left_out[(*question.key, "shows an option that is left out")] += int(gone.sum())
    return question.rows(~gone).columns(kept)


def _single(segments: list[Segment], asked: Asked, left_out: Counter[tuple[str, Path, str]]) -> list[Segment]:
    """Where two options of a single choice hold, the default label; without one, such segments are left out."""
    if asked.default is not None:
        only = frozenset((asked.default,))
        segments = [s._replace(holds=only) if len(s.holds) > 1 and asked.default in s.holds else s for s in segments]
    double = sum(segment.frames for segment in segments if len(segment.holds) > 1)
    if not double:
        return segments
    left_out[(*asked.key, "two options of a single choice on one frame")] += double
    return [segment for segment in segments if len(segment.holds) <= 1]


def _policies(said: list[_Said], policy: Policy, options: int) -> list[Policy]:
    if policy != "auto":
        return ["none" if part.item.selected else policy for part in said]
    chosen: list[Policy] = ["none" if part.marks or part.item.selected else "span" for part in said]
    answered: set[int] = set()
    doubted: set[int] = set()
    everything = frozenset(range(options))
    for part, each in zip(said, chosen, strict=True):
        for segment in part.segments(each):
            answered |= segment.holds
            doubted |= everything - segment.holds
    return ["all" if each == "span" else each for each in chosen] if answered - doubted else chosen


def _policy(classification: Classification, uncovered: Policy | Mapping[str, Policy]) -> Policy:
    given = uncovered if isinstance(uncovered, str) else uncovered.get(classification.name, "auto")
    named = classification.settings.get("model_negatives", given)
    for policy in get_args(Policy):
        if policy == named:
            return policy  # type: ignore[no-any-return]
    raise BadSetting(
        f"model_negatives={named!r} of {classification.name!r} must be one of {', '.join(get_args(Policy))}"
    )
