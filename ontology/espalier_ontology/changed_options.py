"""Options that are new, gone, or called otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from .change import Change, Fate
from .likely_renames import Suggestion, kept_by_alias, suggestions
from .tree import Classification, Path


def changed_options(old: Classification, new: Classification) -> Iterator[Change]:
    """What may be answered, in the new order, and then what no longer may."""
    certain, likely = kept_by_alias(old, new), suggestions(old, new)
    came = {now: path for path, now in certain.items() if old.option(now) is None}
    meant = {one.new[0]: path for path, one in likely.items() if one.kind == "rename"}
    known = {option.path[:-1] for option in old.options}
    for option in new.options:
        path = option.path
        before = old.option(path)
        if before is not None:
            yield from _alias(old, new, path)
        elif path in came:
            if path[:-1] not in came:  # what is below a renamed option came with it
                message = f"{_shown(new, came[path])} is called {path[-1]} now, and its alias keeps its answers"
                why = Suggestion("rename", new.name, (came[path],), (path,), "the alias is the old name")
                yield Change("option renamed", new.name, message, "kept", "must be trained", path, why)
        elif not path[:-1] or old.option(path[:-1]) is not None or path[:-1] in came:
            message = f"{_shown(new, path)} is new"
            answers: Fate = "kept"
            if path in meant:
                message += f", or what {_shown(old, meant[path])} is called now"
            elif path[:-1] in known:
                message += ", and nobody who answered before could choose it"
                answers = "need another look"
            yield Change("option added", new.name, message, answers, "must be trained", path)
    for option in old.options:
        path = option.path
        at_the_top = not path[:-1] or new.option(path[:-1]) is not None or path[:-1] in certain
        if new.option(path) is not None or not at_the_top or certain.get(path) in came:
            continue
        if path in certain:
            message = (
                f"{_shown(old, path)} is gone, and its answers are read as {_shown(new, certain[path])}, by the alias"
            )
            why = Suggestion("merge", new.name, (path,), (certain[path],), "the alias is the old name")
            yield Change("option removed", new.name, message, "kept", "must be trained", path, why)
            continue
        suggestion = likely.get(path)
        answers = "need another look" if suggestion else "no longer asked"
        message = f"{_shown(old, path)} is gone{_meant(suggestion)}"
        yield Change("option removed", new.name, message, answers, "must be trained", path, suggestion)


def _alias(old: Classification, new: Classification, path: Path) -> Iterator[Change]:
    wire = old.wire_path(path)
    read = new.path_of(wire)
    if read == path:
        return
    if read is None:
        message = f"answers of {_shown(new, path)} stand as {'/'.join(wire)!r} in Label Studio, which means nothing now"
        suggestion = None
        if wire[:-1] == path[:-1]:
            suggestion = Suggestion("rename", new.name, (wire,), (path,), "the alias is gone")
        yield Change("alias changed", new.name, message, "need another look", "serves on", path, suggestion)
    else:
        message = f"answers of {_shown(new, path)} stand as {'/'.join(wire)!r}, which means {_shown(new, read)} now"
        yield Change("alias changed", new.name, message, "need another look", "serves on", path)


def _shown(classification: Classification, path: Path) -> str:
    return "/".join((classification.name, *path))


def _meant(suggestion: Suggestion | None) -> str:
    if suggestion is None:
        return ""
    new = ", ".join("/".join(path) for path in suggestion.new)
    verb = {"rename": "renamed to", "merge": "merged into", "split": "split into"}[suggestion.kind]
    return f"; perhaps it was {verb} {new} ({suggestion.why})"
