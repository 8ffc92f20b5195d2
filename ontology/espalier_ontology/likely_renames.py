"""Options that are gone and new ones that look like them: suggestions for a person, never applied by themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from .label_mapping import MappingKind
from .synonyms import looks, means
from .tree import Classification, Option, Path

_SIMILAR = 0.6
"""Of two names, by difflib: Rain and Rainy reach 0.89, Car and Cat 0.67, Dog and Cat 0."""


@dataclass(frozen=True)
class Suggestion:
    """A label mapping that somebody may have meant: the options that are gone, what they may be now, and why."""

    kind: MappingKind
    classification: str
    old: tuple[Path, ...]
    new: tuple[Path, ...]
    why: str


def kept_by_alias(old: Classification, new: Classification) -> dict[Path, Path]:
    """Old paths that stand in Label Studio's results under a name which means another path now, and that path.

    So it is where the display name was changed and the alias says what it was: the answers came along.
    """
    now = {option.path: new.path_of(old.wire_path(option.path)) for option in old.options}
    return {path: found for path, found in now.items() if found is not None and found != path}


def suggestions(old: Classification, new: Classification) -> dict[Path, Suggestion]:
    """By an option that is gone, the highest one of its branch: what may have become of it."""
    came_along = kept_by_alias(old, new)
    gone = _topmost([option for option in old.options if not new.option(option.path) and option.path not in came_along])
    every = [option for option in new.options if not old.option(option.path) and option.path not in came_along.values()]
    found: dict[Path, Suggestion] = {}
    by_parent: dict[Path, list[Option]] = {}
    for option in gone:
        by_parent.setdefault(option.path[:-1], []).append(option)
    taken: set[Path] = set()
    for parent, lost in by_parent.items():
        beside = [option for option in _topmost(every) if option.path[:-1] == parent]
        for one, other, why in _pairs(lost, beside):
            found[one.path] = Suggestion("rename", new.name, (one.path,), (other.path,), why)
            taken.add(other.path)
    names = Counter(option.name for option in every)
    for option in gone:
        elsewhere = [other for other in every if other.name == option.name and other.path not in taken]
        if option.path not in found and len(elsewhere) == 1 == names[option.name]:
            where = "/".join(elsewhere[0].path[:-1]) or "at the top"
            why = f"the same name is new {f'under {where}' if elsewhere[0].path[1:] else where}"
            found[option.path] = Suggestion("rename", new.name, (option.path,), (elsewhere[0].path,), why)
            taken.add(elsewhere[0].path)
    for parent, lost in by_parent.items():
        lost = [option for option in lost if option.path not in found]
        fresh = [one for one in _topmost(every) if one.path[:-1] == parent and one.path not in taken]
        found |= _left_over(new.name, lost, fresh)
    return found


def _left_over(name: str, lost: Sequence[Option], fresh: Sequence[Option]) -> Mapping[Path, Suggestion]:
    """At one place, where no name tells: one for one, several that became one, or one that became several."""
    if not lost or not fresh or (len(lost) > 1 and len(fresh) > 1):
        return {}
    old, new = tuple(option.path for option in lost), tuple(option.path for option in fresh)
    kind: MappingKind = "merge" if len(old) > 1 else "split" if len(new) > 1 else "rename"
    why = f"{len(old)} gone and {len(new)} new at the same place"
    return dict.fromkeys(old, Suggestion(kind, name, old, new, why))


def _pairs(lost: Sequence[Option], fresh: Sequence[Option]) -> list[tuple[Option, Option, str]]:
    """Each with at most one other, the most alike first."""
    rated = [
        (-rating, i, j, why)
        for i, one in enumerate(lost)
        for j, other in enumerate(fresh)
        for rating, why in [_alike(one, other)]
        if rating
    ]
    pairs: list[tuple[Option, Option, str]] = []
    left, right = set(range(len(lost))), set(range(len(fresh)))
    for _, i, j, why in sorted(rated):
        if i in left and j in right:
            left.discard(i)
            right.discard(j)
            pairs.append((lost[i], fresh[j], why))
    return pairs


def _alike(one: Option, other: Option) -> tuple[float, str]:
    """0 where nothing speaks for it."""
    if one.alias and one.alias == other.alias:
        return 4.0, "the same alias"
    if looks(one.name) == looks(other.name):
        return 3.0, "the same name but for case and punctuation"
    if means(one.name) == means(other.name):
        return 2.0, "names that mean the same"
    likeness = SequenceMatcher(None, one.name.casefold(), other.name.casefold()).ratio()
    if likeness >= _SIMILAR:
        return likeness, "a similar name"
    if one.hotkey and one.hotkey == other.hotkey:
        return 0.5, "the same hotkey"
    return 0.0, ""


def _topmost(options: Sequence[Option]) -> list[Option]:
    """Those whose parent is not among them."""
    paths = {option.path for option in options}
    return [option for option in options if option.path[:-1] not in paths]
