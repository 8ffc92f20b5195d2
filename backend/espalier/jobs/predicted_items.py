"""Predictions as people review them: of a picture one item, of a sequence one per frame, of a video one per range.

Read from Label Studio's results as they were stored, so that the web process can do it: no media is opened, and frames
are numbered as Label Studio shows them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from espalier_ontology.tree import Ontology, Path
from espalier_ontology.wire import RESULT_TYPES

Place = tuple[str, "int | None", "int | None"]
"""A media tag, and the first and last frame, from 1 and inclusive; None for all of it."""


class PredictedAnswer(NamedTuple):
    classification: str
    option: Path
    confidence: float


class Item(NamedTuple):
    """What one task's prediction says of one place."""

    task: int
    place: Place
    answers: tuple[PredictedAnswer, ...]
    """Parents before their children."""

    @property
    def score(self) -> float:
        """In [0, 1]: the confidence of the answer that is least sure."""
        return min(answer.confidence for answer in self.answers)

    @property
    def doubt(self) -> float:
        """In [0, 1]: how probable it is that at least one of the answers is wrong, were they right independently."""
        right = 1.0
        for answer in self.answers:
            right *= answer.confidence
        return 1.0 - right

    @property
    def seen(self) -> str:
        """What is answered, in eight letters: who approves says what they saw."""
        told = "\n".join("\t".join((name, *path)) for name, path, _ in self.answers)
        return f"{zlib.crc32(told.encode()):08x}"


class ItemReader:
    """Reads results under one ontology. What it does not ask, or not so, is left out."""

    def __init__(self, ontology: Ontology) -> None:
        self._asked = {
            one.name: (
                number,
                one.media,
                one.scope,
                RESULT_TYPES[one.control],
                ((one.media, None, None),) if one.scope == "media" else (),
                # Options that tasks list themselves are named in the results alone.
                tuple if one.dynamic_field else one.path_of,
            )
            for number, one in enumerate(ontology)
        }
        self._paths: dict[tuple[str, Any], Path | None] = {}

    def items(self, task_id: int, result: Iterable[Mapping[str, Any]], score: float) -> list[Item]:
        """In the order of the places. score: of answers that have none of their own."""
        found: dict[Place, list[tuple[int, PredictedAnswer]]] = {}
        for region in result:
            asked = self._asked.get(region.get("from_name", ""))
            if asked is None:
                continue
            number, tag, scope, kind, whole = asked[:5]
            value = region.get("value") or {}
            confidence = region.get("score", score)
            if not isinstance(confidence, (int, float)) or not 0 <= confidence <= 1:
                confidence = min(1.0, max(0.0, score))
            for given in value.get(kind) or ():
                path = self._path(region["from_name"], given)
                if path is None:
                    continue
                answer = number, PredictedAnswer(region["from_name"], path, confidence)
                for place in whole or _places(tag, scope, region, value):
                    if place in found:
                        if answer not in found[place]:
                            found[place].append(answer)
                    else:
                        found[place] = [answer]
        items = []
        for place in sorted(found, key=_order) if len(found) > 1 else found:
            told = found[place]
            if len(told) > 1:
                told.sort(key=_number)
            items.append(Item(task_id, place, tuple([answer for _, answer in told])))
        return items

    def _path(self, name: str, given: Any) -> Path | None:
        key = name, given if isinstance(given, str) else tuple(map(str, given)) if isinstance(given, list) else ()
        if key not in self._paths:
            wire: Sequence[Any] = given if isinstance(given, list) else [given]
            known = all(isinstance(part, str) for part in wire)
            self._paths[key] = self._asked[name][5](wire) if known else None
        return self._paths[key]


def without(ontology: Ontology, result: Sequence[Mapping[str, Any]], places: Iterable[Place]) -> list[dict[str, Any]]:
    """The regions of a result that remain where nothing is said of these places."""
    gone = set(places)
    kept: list[dict[str, Any]] = []
    for region in result:
        name = region.get("from_name")
        if not isinstance(name, str) or name not in ontology:
            kept.append(dict(region))
            continue
        asked = ontology.classification(name)
        value = region.get("value") or {}
        if asked.scope == "range":
            ranges = [one for one in value.get("ranges") or () if not gone & set(_range(asked.media, one))]
            if ranges:
                kept.append({**region, "value": {**value, "ranges": ranges}})
        elif not gone & set(_places(asked.media, asked.scope, region, value)):
            kept.append(dict(region))
    return kept


def _places(tag: str, scope: str, region: Mapping[str, Any], value: Mapping[str, Any]) -> Sequence[Place]:
    if scope == "media":
        return ((tag, None, None),)
    if scope == "item":
        item = region.get("item_index")
        return ((tag, item + 1, item + 1),) if isinstance(item, int) else ()
    return tuple(place for one in value.get("ranges") or () for place in _range(tag, one))


def _range(tag: str, one: Any) -> Sequence[Place]:
    first, last = (one.get("start"), one.get("end")) if isinstance(one, Mapping) else (None, None)
    return ((tag, int(first), int(last)),) if isinstance(first, (int, float)) and isinstance(last, (int, float)) else ()


def _number(answer: tuple[int, PredictedAnswer]) -> int:
    return answer[0]


def _order(place: Place) -> tuple[str, int, int]:
    tag, first, last = place
    return tag, first or 0, last or 0
