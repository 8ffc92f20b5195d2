"""Label warnings: what is doubtful in the label counts of a project, in sentences for people."""

from __future__ import annotations

from collections.abc import Iterator

from ..learning.training_parameters import TrainingParameters
from .label_counts import LabelCounts, OptionCounts, QuestionCounts

RARE = 20
"""A class this many times rarer than another is hardly ever answered by a model that was not told to care."""
_LISTED = 8


def label_warnings(counts: LabelCounts, parameters: TrainingParameters) -> tuple[str, ...]:
    """Each begins with the classification that it is about. Of what nobody has answered at all, nothing is said."""
    return tuple(sentence for one in counts.questions if one.frames for sentence in _warnings(one, parameters))


def _warnings(question: QuestionCounts, parameters: TrainingParameters) -> Iterator[str]:
    name, noun = question.name, "frames" if question.per_frame else "images"
    answered = [option for option in question.options if option.frames]
    if question.reason:
        yield f"{name}: cannot be learned yet: {question.reason}"
    elif never := [option.name for option in question.options if not option.frames]:
        yield f"{name}: nobody has answered {_listed(never)}, so it is never predicted"
    few = [option for option in answered if question.images(option) < parameters.min_images]
    if few:
        numbers = _listed([f"{option.name} ({question.images(option)})" for option in few])
        yield f"{name}: fewer than {parameters.min_images} {noun}, so what is measured is a guess: {numbers}"
    if not question.exclusive:
        always = [option.name for option in answered if not option.frames_without]
        if always and not question.reason:
            yield f"{name}: there is no {noun[:-1]} without {_listed(always)}, so it is never predicted"
    if len(answered) > 1 and parameters.class_weight == "none" and not parameters.class_weights:
        yield from _imbalance(question, answered, noun)
    if question.per_frame and question.media > 1:
        lonely = [option.name for option in answered if option.media == 1]
        if lonely:
            yield f"{name}: only one media shows {_listed(lonely)}, so what is measured of it flatters"
    yield from _parts(question, answered)


def _imbalance(question: QuestionCounts, answered: list[OptionCounts], noun: str) -> Iterator[str]:
    most = max(answered, key=question.images)
    rare = [option for option in answered if question.images(option) * RARE <= question.images(most)]
    if rare:
        numbers = _listed([f"{option.name} ({question.images(option)})" for option in rare])
        yield (
            f"{question.name}: {RARE} times rarer than {most.name} ({question.images(most)} {noun}): {numbers}; "
            "label more of them, or weigh classes (--class-weight balanced)"
        )


def _parts(question: QuestionCounts, answered: list[OptionCounts]) -> Iterator[str]:
    """What a chosen part lacks. Where the set itself has none of anything, that was said of the whole choice."""
    for part in ("validation", "test"):
        if any(option.parts.get(part) for option in answered):
            missing = [option.name for option in answered if not option.parts.get(part)]
            if missing:
                yield f"{question.name}: the chosen {part} set has no {_listed(missing)}, so that is not measured there"
    unseen = [
        option.name
        for option in answered
        if option.parts and sum(option.parts.values()) == option.media and not option.parts["train"]
    ]
    if unseen:
        yield f"{question.name}: nothing is left to train on of {_listed(unseen)}: all of it is in validation or test"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
