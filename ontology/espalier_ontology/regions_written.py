"""Answers written as Label Studio's result JSON.

A timeline label becomes one region per range. Its attributes share the region's id and repeat its range; where an
attribute changes, the region is split.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .answers import PERSON, Answer, merge
from .frames import Frames, Range
from .timeline import Timeline
from .tree import Classification, Ontology, Path
from .wire import RESULT_TYPES, frames_to_numbers

Result = dict[str, object]


def write(
    ontology: Ontology,
    answers: Iterable[Answer],
    *,
    timelines: Mapping[str, Timeline] | None = None,
    lengths: Mapping[str, int] | None = None,
    salt: str = "",
) -> list[Result]:
    """The result list of a prediction or an annotation, parents before children.

    Answers should have passed `rules.enforce`; those of unknown classifications or options are left out, and so are
    attributes outside a region. `score` is a model's confidence, to 4 digits, and the mean where one result holds
    several options; a person's answers have none. Ids are made of the content and the salt, so that a rewritten
    result has the same ones. lengths: by media tag name; items past it are left out.
    """
    by_name: dict[str, list[Answer]] = {}
    for answer in merge(answers):
        if answer.classification in ontology and ontology.classification(answer.classification).option(answer.option):
            by_name.setdefault(answer.classification, []).append(answer)
    results: list[Result] = []
    for classification in ontology:
        given = by_name.get(classification.name, [])
        if classification.scope == "media" and given:
            results.append(_result(classification, given, salt))
        elif classification.scope == "item":
            results += _items(classification, given, (lengths or {}).get(classification.media), salt)
    for classification in ontology:
        if classification.kind == "timeline":
            timeline = (timelines or {}).get(classification.media)
            attributes = [other for other in ontology if classification.name in ontology.labels(other.name)]
            for option in classification.options:
                labels = [one for one in by_name.get(classification.name, ()) if one.option == option.path]
                if labels:
                    beside = [
                        (other, [one for one in by_name.get(other.name, ()) if one.under in (None, option.path)])
                        for other in attributes
                        if option.path in ontology.labels(other.name)[classification.name]
                    ]
                    results += _regions(classification, labels, beside, timeline, salt)
    return results


def _items(classification: Classification, answers: Sequence[Answer], length: int | None, salt: str) -> list[Result]:
    return [
        _result(classification, together, salt, item_index=index)
        for (start, stop), together in _pieces(answers)
        for index in range(start, stop if length is None else min(stop, length))
    ]


def _regions(
    classification: Classification,
    labels: Sequence[Answer],
    attributes: Sequence[tuple[Classification, Sequence[Answer]]],
    timeline: Timeline | None,
    salt: str,
) -> Iterator[Result]:
    """The regions of one label, in order of time, each followed by its attributes."""
    everything = [*labels, *(answer for _, given in attributes for answer in given)]
    for span, together in _pieces(everything):
        here = [answer for answer in together if answer.classification == classification.name]
        if not here:
            continue
        for start, end in frames_to_numbers(Frames.of(span), timeline):
            ranges = [{"start": start, "end": end}]
            label = _result(classification, here, salt, ranges=ranges)
            yield label
            for attribute, _ in attributes:
                given = [answer for answer in together if answer.classification == attribute.name]
                if given:
                    yield {**_result(attribute, given, salt, ranges=ranges), "id": label["id"]}


def _pieces(answers: Sequence[Answer]) -> Iterator[tuple[Range, list[Answer]]]:
    """The longest ranges on which the same answers hold, in order, with those answers."""
    spans = sorted(
        (position, opens, index)
        for index, answer in enumerate(answers)
        for start, stop in answer.frames.ranges
        for position, opens in ((start, True), (stop, False))
    )
    active: set[int] = set()
    begin = 0
    for position, opens, index in spans:
        if active and position > begin:
            yield (begin, position), [answers[one] for one in sorted(active)]
        begin = position
        (active.add if opens else active.discard)(index)


def _result(
    classification: Classification,
    answers: Sequence[Answer],
    salt: str,
    *,
    ranges: list[dict[str, int]] | None = None,
    item_index: int | None = None,
) -> Result:
    """One entry for answers that hold together; of an option that is given twice the surer one counts."""
    kind = RESULT_TYPES[classification.control]
    surest: dict[Path, Answer] = {}
    for answer in sorted(answers, key=lambda one: (one.source == PERSON, one.confidence)):
        surest[answer.option] = answer
    chosen = [surest[option.path] for option in classification.options if option.path in surest]
    wire = [classification.wire_path(answer.option) for answer in chosen]
    options: list[object] = [list(path) if classification.nested else path[-1] for path in wire]
    value: dict[str, object] = {kind: options} if ranges is None else {"ranges": ranges, kind: options}
    result: Result = {
        "from_name": classification.name,
        "to_name": classification.media,
        "type": kind,
        "value": value,
    }
    if item_index is not None:
        result["item_index"] = item_index
    result = {"id": _identifier(salt, result), **result}
    scores = [answer.confidence for answer in chosen if answer.source != PERSON]
    if scores:
        result["score"] = round(min(1.0, max(0.0, sum(scores) / len(scores))), 4)
    return result


def _identifier(salt: str, content: Mapping[str, object]) -> str:
    """10 characters out of A-Z, a-z, 0-9, - and _, as Label Studio makes them."""
    digest = hashlib.sha256(json.dumps([salt, content], sort_keys=True).encode()).digest()
    return base64.urlsafe_b64encode(digest)[:10].decode()
