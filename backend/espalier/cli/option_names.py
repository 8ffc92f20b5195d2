"""Options as people write them on the command line: Kind/Animal/Cat, with a backslash before a / , or = of a name."""

from __future__ import annotations

import re

from espalier_ontology.tree import Path

from ..errors import BadRequest

_SPECIAL = re.compile(r"([\\/,=])")


def written(classification: str, path: Path) -> str:
    """The one form that `read_option` reads back."""
    return "/".join(_SPECIAL.sub(r"\\\1", name) for name in (classification, *path))


def read_option(text: str) -> tuple[str, Path]:
    """A classification's name, and the path of one of its options. Raises BadRequest."""
    name, *path = (_plain(part) for part in split(text, "/"))
    if not name or not path or not all(path):
        raise BadRequest(f"an option is written CLASSIFICATION/OPTION, as in Weather/Rain, got {text!r}")
    return name, tuple(path)


def read_change(text: str, *, to_something: bool = True) -> tuple[str, list[Path], list[Path]]:
    """OLD[,OLD]=NEW[,NEW] of one classification: its name, the old options and the new ones. Raises BadRequest."""
    sides = split(text, "=")
    if len(sides) != (2 if to_something else 1):
        form = "OLD=NEW, as in Weather/Rain=Weather/Rainy" if to_something else "one option, as in Weather/Rain"
        raise BadRequest(f"this takes {form}, got {text!r}; a = in a name is written \\=")
    options = [[read_option(part.strip()) for part in split(side, ",")] for side in sides]
    names = {name for side in options for name, _ in side}
    if len(names) != 1:
        raise BadRequest(f"options cannot go from one classification to another, got {text!r}")
    old, *new = ([path for _, path in side] for side in options)
    return names.pop(), old, new[0] if new else []


def split(text: str, separator: str) -> list[str]:
    """At separators without a backslash before them; backslashes stay."""
    parts = [""]
    for piece in re.findall(r"\\.|.", text, re.DOTALL):
        if piece == separator:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
