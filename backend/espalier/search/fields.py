"""Fields of a request: what is unknown or out of range is refused in words."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal, overload

from ..errors import BadRequest

Json = dict[str, Any]


def known_fields(value: object, of: type, what: str) -> dict[str, Any]:
    """The fields of a JSON object, all of which the dataclass must know. Raises BadRequest naming the others."""
    if not isinstance(value, Mapping):
        raise BadRequest(f"{what} must be a JSON object, got {value!r}")
    known = [field.name for field in dataclasses.fields(of)]
    if unknown := [name for name in value if name not in known]:
        raise BadRequest(f"{what}: {unknown[0]!r} is not known; known are {', '.join(known)}")
    return dict(value)


@overload
def number_in(
    given: Mapping[str, Any], name: str, least: float, most: float = ..., *, whole: Literal[True]
) -> int | None: ...
@overload
def number_in(
    given: Mapping[str, Any], name: str, least: float, most: float = ..., *, whole: Literal[False] = ...
) -> float | None: ...
def number_in(
    given: Mapping[str, Any], name: str, least: float, most: float = math.inf, *, whole: bool = False
) -> float | int | None:
    """None where it is not given. Raises BadRequest for what is no such number."""
    value = given.get(name)
    if value is None:
        return None
    kinds = (int,) if whole else (int, float)
    if (
        not isinstance(value, kinds)
        or isinstance(value, bool)
        or not math.isfinite(value)
        or not least <= value <= most
    ):
        kind = "a whole number" if whole else "a number"
        bounds = f"within {least:g} and {most:g}" if math.isfinite(most) else f"of at least {least:g}"
        raise BadRequest(f"{name} must be {kind} {bounds}, got {value!r}")
    return int(value) if whole else float(value)


def flag_in(given: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise BadRequest(f"{name} must be true or false, got {value!r}")
    return value


def choice_in(given: Mapping[str, Any], name: str, choices: tuple[str, ...], *, default: str) -> str:
    value = given.get(name, default)
    if value not in choices:
        raise BadRequest(f"{name} must be one of {', '.join(choices)}, got {value!r}")
    return str(value)


def words_in(given: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """A list of texts."""
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise BadRequest(f"{name} must be a list of texts, got {value!r}")
    return tuple(value)
