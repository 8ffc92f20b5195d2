"""Which task shows a file, by the name that people know it by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from espalier_ontology.tree import Ontology

from ..errors import BadMedia
from ..media.field import address_of, addresses_of
from .file_names import Parts, as_stored, parts_of, suffix_of


@dataclass(frozen=True)
class Shown:
    """Where a task shows a file. item: from 0, of a sequence; None of anything else."""

    task: int
    tag: str
    item: int | None = None


@dataclass(frozen=True)
class Match:
    """places: one where the file is found, none, or all that it may be. near: directories in common, with the name."""

    places: tuple[Shown, ...] = ()
    near: int = 0


_Known = tuple[Parts, Shown]


@dataclass
class ShownFiles:
    """Of one project's tasks."""

    _exact: dict[str, list[_Known]] = field(default_factory=dict)
    _likely: dict[str, list[_Known]] = field(default_factory=dict)
    tasks: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, ontology: Ontology, tasks: Iterable[tuple[int, Mapping[str, object]]]) -> ShownFiles:
        found = cls()
        for id, data in tasks:
            found.tasks.add(id)
            for shown, address in _addresses(ontology, id, data):
                found.add(parts_of(address), shown)
                # An upload is known by its own name, and by the one that Label Studio gave it.
                raw = address.rpartition("/")[2]
                if raw and raw != (parts_of(address) or ("",))[-1] and "?" not in raw:
                    found.add((raw,), shown)
        return found

    def add(self, parts: Parts, shown: Shown) -> None:
        if parts:
            self._exact.setdefault(parts[-1], []).append((parts, shown))
            for key in _keys(parts[-1]):
                self._likely.setdefault(key, []).append((parts, shown))

    def find(self, name: str) -> Match:
        """By the file's name, as it is, as Label Studio writes it, or without its ending; of several by directories."""
        parts = parts_of(name)
        if not parts:
            return Match()
        known = self._exact.get(parts[-1]) or next(filter(None, map(self._likely.get, _keys(parts[-1]))), [])
        scored = [(_in_common(parts, other), shown) for other, shown in known]
        best = max((score for score, _ in scored), default=0)
        return Match(tuple(dict.fromkeys(shown for score, shown in scored if score == best)), best)


def _addresses(ontology: Ontology, id: int, data: Mapping[str, object]) -> Iterator[tuple[Shown, str]]:
    for tag in ontology.media:
        try:
            if tag.kind == "sequence":
                for item, address in enumerate(addresses_of(tag, data)):
                    if address is not None:
                        yield Shown(id, tag.name, item), address
            else:
                yield Shown(id, tag.name), address_of(tag, data)
        except BadMedia:
            continue


def _keys(name: str) -> tuple[str, ...]:
    stored = as_stored(name).casefold()
    return (stored, stored.removesuffix(suffix_of(stored))) if suffix_of(stored) else (stored,)


def _in_common(one: Parts, other: Parts) -> int:
    """How many names are the same from the end on; the last is, or nearly."""
    count = 1
    for left, right in zip(reversed(one[:-1]), reversed(other[:-1]), strict=False):
        if left.casefold() != right.casefold():
            break
        count += 1
    return count
