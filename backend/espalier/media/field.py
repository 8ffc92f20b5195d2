"""The value that a task holds for a media tag."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from espalier_ontology.tree import MediaTag

from ..errors import BadMedia

_STEP = re.compile(r"[^.\[\]]+")


def value_of(data: Mapping[str, object], field: str) -> object:
    """The value under a key, or under a dotted path (`item.video`, `frames[0].url`); None where there is none."""
    if field in data:
        return data[field]
    value: object = data
    for step in _STEP.findall(field):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, Sequence) and not isinstance(value, str) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def address_of(tag: MediaTag, data: Mapping[str, object]) -> str:
    """Where the image or video of a task is. Raises BadMedia where the data does not say."""
    value = value_of(data, tag.field)
    address = _address(value)
    if address is None:
        raise BadMedia(f"the task's data has {_found(value, data)} under {tag.field!r}, which {tag.name!r} shows")
    return address


def addresses_of(tag: MediaTag, data: Mapping[str, object]) -> list[str | None]:
    """The same for each item of a sequence; None for an item that does not say. Raises BadMedia where it is no list."""
    value = value_of(data, tag.field)
    if isinstance(value, str) and value.strip():
        value = [value]
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise BadMedia(
            f"the task's data has {_found(value, data)} under {tag.field!r}, where {tag.name!r} needs a list of links"
        )
    return [_address(item) for item in value]


def _address(value: object) -> str | None:
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("url", "image", "video", "src") if key in value), None)
    return value.strip() if isinstance(value, str) and value.strip() else None


def _found(value: object, data: Mapping[str, object]) -> str:
    if value is None:
        return f"nothing (only {', '.join(sorted(map(repr, data))) or 'no keys at all'})"
    return f"{str(value)[:60]!r}, which is no link,"
