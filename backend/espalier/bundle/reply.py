"""What is said of one file, as plain JSON values: answers with confidences, and frame ranges counted from 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from espalier_ontology import regions
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames, Range

from ..contract import Ids, Scores
from ..learning.model import Model
from ..learning.questions import Key
from .given_file import OpenFile
from .question import Question


def failed(name: str, error: Exception) -> dict[str, Any]:
    return {"name": name, "error": str(error)}


def reply(
    file: OpenFile, question: Question, answers: Sequence[Answer], numbers: Ids, score: float, warnings: Sequence[str]
) -> dict[str, Any]:
    """answers: those that may leave. numbers int64 (n,): the frames that were looked at."""
    said: dict[str, Any] = {"name": file.file.name, "kind": file.kind}
    if file.kind != "image":
        said |= {"frames": file.length, "looked_at": len(numbers), "stride": question.stride}
    said["answers"] = [_answer(file, answer) for answer in _put_together(answers, question, numbers)]
    said["score"] = round(score, 6)
    if warnings:
        said["warnings"] = list(warnings)
    return said


def label_studio(file: OpenFile, question: Question, answers: Iterable[Answer]) -> list[dict[str, object]]:
    """The same as Label Studio's regions; [] for a file of another kind than the labeling configuration shows."""
    if not question.own:
        return []
    tag = question.tag
    timelines = {tag.name: file.timeline(tag)} if tag.kind == "video" else {}
    return regions.write(
        question.ontology, answers, timelines=timelines, lengths={tag.name: file.length}, salt=file.file.name
    )


def scores_of(model: Model, scores: Mapping[Key, Scores]) -> list[dict[str, Any]]:
    """Every option of a picture, each with its score where its parent holds; scores: (1, k) by question."""
    return [
        {"classification": name, "option": list(option), "score": round(float(given), 6)}
        for (name, parent), part in scores.items()
        for option, given in zip(model.heads[name, parent].options, part[0], strict=True)
    ]


def _answer(file: OpenFile, answer: Answer) -> dict[str, Any]:
    said: dict[str, Any] = {
        "classification": answer.classification,
        "option": list(answer.option),
        "confidence": round(answer.confidence, 6),
    }
    if answer.under is not None:
        said["under"] = list(answer.under)
    if file.kind != "image":
        said["frames"] = [[start + 1, stop] for start, stop in answer.frames.ranges]
    if file.kind == "video":
        said["seconds"] = [list(file.seconds(start, stop)) for start, stop in answer.frames.ranges]
    return said


def _put_together(answers: Sequence[Answer], question: Question, numbers: Ids) -> list[Answer]:
    """Answers to single frames in a row as one, with the mean of their confidences; the others as they are."""
    single = {one.name for one in question.ontology if one.scope == "item"}
    kept = [answer for answer in answers if answer.classification not in single]
    confidences: dict[Answer, dict[int, float]] = {}
    for answer in answers:
        if answer.classification in single:
            form = replace(answer, frames=Frames(), confidence=0.0)
            confidences.setdefault(form, {}).update(dict.fromkeys(answer.frames, answer.confidence))
    stops = dict(zip(numbers.tolist(), _stops(numbers, question), strict=True))
    for form, by_frame in confidences.items():
        for run in _runs(sorted(by_frame), stops):
            mean = float(np.mean([by_frame[number] for number in run]))
            whole: Range = (run[0], stops[run[-1]])
            kept.append(replace(form, frames=Frames.of(whole), confidence=mean))
    place = {one.name: number for number, one in enumerate(question.ontology)}
    return sorted(kept, key=lambda answer: (place[answer.classification], answer.frames.ranges[0]))


def _runs(numbers: Sequence[int], stops: Mapping[int, int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and stops[runs[-1][-1]] == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _stops(numbers: Ids, question: Question) -> list[int]:
    """Up to where each frame that was looked at stands for those after it."""
    end = question.within.ranges[-1][1]
    following = np.append(numbers, end)[1:]
    return [int(stop) for stop in np.minimum(np.minimum(numbers + question.stride, following), end)]
