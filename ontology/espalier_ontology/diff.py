"""What is different between two ontologies, in sentences, and what it means for the answers and for the model.

Colours, hot-keys, layout and order do not count. Nothing is renamed here: what looks like a rename is suggested, and
becomes one when a person makes a label mapping of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .change import Change, Fate
from .changed_options import changed_options
from .label_mapping import is_below
from .likely_renames import kept_by_alias, suggestions
from .tree import Classification, Condition, MediaTag, Ontology, Path

__all__ = ["Change", "diff"]


def diff(old: Ontology, new: Ontology) -> tuple[Change, ...]:
    """Every change from old to new: media first, then classifications in the new order, then those that are gone."""
    changes = list(_media(old, new))
    names = _Names(old, new)
    for classification in new:
        if classification.name not in old:
            changes.append(_added(classification))
            continue
        before = old.classification(classification.name)
        changes += _form(before, classification)
        changes += _conditions(before, classification, names)
        changes += changed_options(before, classification)
    changes += [_removed(gone, new) for gone in old if gone.name not in new]
    return tuple(changes)


class _Names:
    """What the old options of every classification are called now, as far as that is certain or likely."""

    def __init__(self, old: Ontology, new: Ontology) -> None:
        both = [(old.classification(one.name), one) for one in new if one.name in old]
        self.certain = {one.name: kept_by_alias(before, one) for before, one in both}
        self.likely = {one.name: suggestions(before, one) for before, one in both}

    def now(self, names: tuple[str, ...], path: Path) -> Path:
        for name in names:
            if path in self.certain.get(name, {}):
                return self.certain[name][path]
            for gone, suggestion in self.likely.get(name, {}).items():
                if suggestion.kind == "rename" and is_below(path, gone):
                    return (*suggestion.new[0], *path[len(gone) :])
        return path


def _media(old: Ontology, new: Ontology) -> Iterator[Change]:
    now = {tag.name: tag for tag in new.media}
    for tag in old.media:
        message = _tag(tag, now[tag.name]) if tag.name in now else ""
        if message:
            yield Change("media changed", tag.name, f"{tag.name} {message}", "need another look", "must be trained")


def _tag(old: MediaTag, new: MediaTag) -> str:
    if old.kind != new.kind:
        return f"shows a {new.kind} now, and a {old.kind} before"
    if old.field != new.field:
        return f"takes its {new.kind} from {new.field!r} now, and from {old.field!r} before"
    if old.frame_rate != new.frame_rate:
        rates = f"{new.frame_rate or 24} frames a second now, and {old.frame_rate or 24} before"
        return f"counts {rates}: a range that was answered earlier means another time"
    return ""


def _added(classification: Classification) -> Change:
    options = len(classification.options)
    message = f"{classification.name} is asked now, with {options} option{'' if options == 1 else 's'}"
    return Change("classification added", classification.name, message, "kept", "must be trained")


def _removed(gone: Classification, new: Ontology) -> Change:
    message = f"{gone.name} is not asked any more"
    paths = {option.path for option in gone.options}
    same = [one.name for one in new if one.media == gone.media and {option.path for option in one.options} == paths]
    reasons = [skipped.reason for skipped in new.skipped if skipped.name == gone.name]
    if reasons:
        message += f": {reasons[0]}"
    elif same:
        message += f"; {same[0]} has the same options, but answers stay with the control that they were given to"
    return Change("classification removed", gone.name, message, "no longer asked", "serves on")


def _form(old: Classification, new: Classification) -> Iterator[Change]:
    """How it is asked."""
    messages = []
    if old.media != new.media:
        messages.append(f"is about {new.media} now, and about {old.media} before")
    if old.scope != new.scope:
        messages.append(f"is asked per {new.scope} now, and per {old.scope} before")
    if old.control != new.control:
        messages.append(f"is a {new.control} now, and cannot read the answers to a {old.control}")
    elif old.nested != new.nested:
        messages.append(f"writes its answers as {'paths' if new.nested else 'names'} now")
    if old.exclusive and not new.exclusive:
        messages.append("takes several answers now, and earlier ones name one")
    elif new.exclusive and not old.exclusive:
        messages.append("takes one answer now, and earlier ones that name several are left out")
    elif old.kind != new.kind and old.control == new.control:
        messages.append(f"is a {new.kind} question now, and a {old.kind} one before")
    if new.leaves_only and not old.leaves_only:
        messages.append("takes only options with none below them now, and earlier answers may name others")
    if old.dynamic_field != new.dynamic_field:
        messages.append(f"takes its options from {_source(new)} now, and from {_source(old)} before")
    for message in messages:
        yield Change("form changed", new.name, f"{new.name} {message}", "need another look", "must be trained")


def _source(classification: Classification) -> str:
    field = classification.dynamic_field
    return f"{field!r} of the task data" if field else "the configuration"


def _conditions(old: Classification, new: Classification, names: _Names) -> Iterator[Change]:
    """Where it is asked."""
    before, now = _asked(old.conditions), _asked(new.conditions)
    if before == now:
        return
    answers: Fate = "kept"
    if _asked(tuple(_renamed(condition, names) for condition in old.conditions)) == now:
        message = f"is asked as before, {_where(new)}, where that is a new name"
    else:
        message = f"is asked {_where(new)} now, and {_where(old)} before"
        if now and not _wider(old.conditions, new.conditions):
            answers = "no longer asked"
    yield Change("conditions changed", new.name, f"{new.name} {message}", answers, "must be trained")


def _asked(conditions: tuple[Condition, ...]) -> frozenset[tuple[tuple[str, ...], frozenset[Path] | None, bool]]:
    return frozenset((condition.names, condition.options, condition.negated) for condition in conditions)


def _renamed(condition: Condition, names: _Names) -> Condition:
    if condition.options is None:
        return condition
    return replace(condition, options=frozenset(names.now(condition.names, path) for path in condition.options))


def _wider(old: tuple[Condition, ...], new: tuple[Condition, ...]) -> bool:
    """Whether everything that met the old conditions meets the new ones."""
    return all(any(_implies(before, now) for before in old) for now in new)


def _implies(before: Condition, now: Condition) -> bool:
    if before.negated != now.negated or not set(before.names) <= set(now.names):
        return False
    if before.options is None or now.options is None:
        return before.options == now.options or (now.options is None and not now.negated)
    return now.options <= before.options if now.negated else before.options <= now.options


def _where(classification: Classification) -> str:
    if not classification.conditions:
        return "everywhere"
    parts = []
    for condition in classification.conditions:
        options = " or ".join(sorted("/".join(path) for path in condition.options or ())) or "anything"
        parts.append(f"{' or '.join(condition.names)} is {'not ' if condition.negated else ''}{options}")
    return f"where {' and '.join(parts)}"
