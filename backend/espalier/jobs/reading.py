"""What people said about tasks whose media are open, in the words of today's ontology."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from espalier_ontology import regions
from espalier_ontology.answers import Answer
from espalier_ontology.label_mapping import LabelMapping, LookAgain, apply, in_order
from espalier_ontology.old_names import with_old_names
from espalier_ontology.regions import Problem, Reading
from espalier_ontology.tree import Ontology

from .opening import OpenTask


def unopened(task_id: int) -> OpenTask:
    """For reading which options are named, where it does not matter on which frames."""
    return OpenTask(task_id, {})


@dataclass(frozen=True)
class MappedReading(Reading):
    """again: answers with an option that was split, which are not among `answers`: somebody must look at them again."""

    again: tuple[LookAgain, ...] = ()


class Readings:
    """Reads results under one ontology. Equal answers to an image are read once: thousands of pictures share a few.

    mappings: what old options are called today; answers are read under `known`, which has both, and told in today's
    words. Without any, `known` is the ontology itself.
    """

    def __init__(self, ontology: Ontology, mappings: Sequence[LabelMapping] = ()) -> None:
        self.ontology = ontology
        self.mappings = tuple(in_order(mappings))
        self.known = with_old_names(ontology, mappings) if mappings else ontology
        self._alike = all(tag.kind == "image" for tag in ontology.media)
        self._known: dict[tuple[frozenset[str], tuple[LabelMapping, ...], str], MappedReading] = {}

    def read(
        self, result: Sequence[Mapping[str, Any]], opened: OpenTask, answered_at: datetime | None = None
    ) -> MappedReading:
        """The answers in a result, and what is wrong with it. answered_at: None is before every mapping."""
        holding = self._holding(answered_at)
        if not self._alike:
            return self._read(result, opened, holding)
        # The ids of regions are all that differs, and mean nothing where there is one frame.
        said = [{name: item[name] for name in item if name != "id"} for item in result]
        form = frozenset(opened.media), holding, json.dumps(said, sort_keys=True)
        known = self._known.get(form)
        if known is None:
            known = self._read(result, opened, holding)
            if not known.problems:  # those name the region
                self._known[form] = known
        return known

    def as_given(self, result: Sequence[Mapping[str, Any]], opened: OpenTask) -> tuple[Answer, ...]:
        """The answers under `known`, in the words in which they were given."""
        return regions.read(self.known, result, timelines=opened.timelines, lengths=opened.lengths).answers

    def in_todays_words(self, answers: Iterable[Answer], trained_at: datetime | None = None) -> tuple[Answer, ...]:
        """A model's answers under `known`, as today's ontology has them; trained_at: when it learned its words.

        An option that was split or retired meanwhile is not answered; what was not changed stays as it is.
        """
        return self._today(answers, self._holding(trained_at)).answers

    def _holding(self, at: datetime | None) -> tuple[LabelMapping, ...]:
        return tuple(mapping for mapping in self.mappings if mapping.holds(self.ontology, at))

    def _read(
        self, result: Sequence[Mapping[str, Any]], opened: OpenTask, holding: tuple[LabelMapping, ...]
    ) -> MappedReading:
        read = regions.read(self.known, result, timelines=opened.timelines, lengths=opened.lengths)
        if not self.mappings:
            return MappedReading(read.answers, read.problems)
        today = self._today(read.answers, holding)
        return MappedReading(today.answers, (*read.problems, *today.problems), today.again)

    def _today(self, answers: Iterable[Answer], holding: tuple[LabelMapping, ...]) -> MappedReading:
        told, again = apply(answers, holding, self.known)
        kept: list[Answer] = []
        problems: list[Problem] = []
        for answer in told:
            classification = self.ontology.classification(answer.classification)
            path = answer.option
            while path and classification.option(path) is None:
                path = path[:-1]
            if path != answer.option:
                problems.append(Problem("-", answer.classification, f"has no option {' / '.join(answer.option)!r} now"))
            if path:  # what the answer says of the options above it stays true
                kept.append(answer if path == answer.option else replace(answer, option=path))
        return MappedReading(tuple(kept), tuple(dict.fromkeys(problems)), again)
