"""From scores to replies: pictures that are asked the same are decided together, all else file by file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np

from espalier_ontology import rules
from espalier_ontology.answers import WHOLE, Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Ontology

from ..contract import Ids, Scores
from ..errors import BadMedia
from ..learning.decide import decide, overall_score
from ..learning.decision import Decision
from ..learning.questions import Key
from .asked import Asked
from .loaded import Loaded
from .question import Question, by_frame
from .reply import failed, label_studio, reply, scores_of
from .work import Work


class Answering:
    """Of one request, by one of a bundle's models. ontology: the bundle's own. version: its model version's name."""

    def __init__(self, version: str, ontology: Ontology, loaded: Loaded, asked: Asked) -> None:
        self._version, self._ontology, self._loaded, self._asked = version, ontology, loaded, asked
        self._cutoffs = loaded.cutoffs.by_option()
        self._decision = lru_cache(maxsize=8)(self._new_decision)  # most files of a request are asked alike
        self._by_frame: dict[str, Ontology] = {}

    def replies(self, works: Iterable[Work]) -> Iterator[dict[str, Any]]:
        """In order. works: files of which nothing more comes."""
        for question, alike in groupby(works, _as_frame):
            if question is None:
                yield from map(self._reply, alike)
            else:
                yield from self._together(question, [*alike])

    def _together(self, question: Question, works: Sequence[Work]) -> Iterator[dict[str, Any]]:
        """Single pictures, decided as if they were the frames of one sequence."""
        numbers, scored = np.arange(len(works)), [work.scores[0] for work in works]
        scores = {key: np.concatenate([one[key] for one in scored]) for key in scored[0]}
        tag, within = question.tag.name, Frames.of((0, len(works)))
        if tag not in self._by_frame:
            self._by_frame[tag] = by_frame(question.ontology, question.tag)
        asked = replace(question, ontology=self._by_frame[tag], within=within)
        answers: list[list[Answer]] = [[] for _ in works]
        for answer in self._decided(asked, scores, numbers, len(works)):
            for number in answer.frames:
                answers[number].append(answer.on(WHOLE))
        for work, own in zip(works, answers, strict=True):
            yield self._said(work, question, own, *work.scored())

    def _reply(self, work: Work) -> dict[str, Any]:
        if work.question is None or not work.numbers:
            return failed(work.file.name, work.error or BadMedia(f"{work.file.name} shows no frame"))
        numbers, scores = work.scored()
        answers = self._decided(work.question, scores, numbers, work.opened.result().length)
        return self._said(work, work.question, answers, numbers, scores)

    def _decided(self, question: Question, scores: Mapping[Key, Scores], numbers: Ids, length: int) -> Sequence[Answer]:
        """The answers that may leave, of one file."""
        decided = decide(
            question.ontology,
            self._loaded.model,
            scores,
            numbers,
            length=length,
            parameters=self._decision(question.within, question.stride),
            source=self._version,
            media=question.tag.name,
        )
        return rules.enforce(question.ontology, decided).answers

    def _new_decision(self, within: Frames, stride: int) -> Decision:
        return replace(self._asked.decision(self._ontology, within, stride), version=self._cutoffs)

    def _said(
        self, work: Work, question: Question, answers: Sequence[Answer], numbers: Ids, scores: Mapping[Key, Scores]
    ) -> dict[str, Any]:
        opened = work.opened.result()
        score = overall_score(question.ontology, scores, answers)
        said = reply(opened, question, answers, numbers, score, [str(work.error)] if work.error is not None else [])
        if self._asked.scores and opened.kind == "image":
            said["scores"] = scores_of(self._loaded.model, scores)
        if self._asked.regions:
            said["regions"] = label_studio(opened, question, answers)
        return said


def _as_frame(work: Work) -> Question | None:
    """What a picture is asked that may be decided with its neighbours; None for every other file."""
    question = work.question
    if question is None or not work.numbers or work.opened.result().kind != "image" or question.tag.kind != "image":
        return None
    return question
