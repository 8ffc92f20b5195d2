"""What a `$field` of a labeling configuration stands for in a task's data."""

from __future__ import annotations

import re
from collections.abc import Mapping

_STEP = re.compile(r"[^.\[\]]+")


def value_at(data: Mapping[str, object], field: str) -> object:
    """The value of a field, with or without its `$`; `a.b` and `a[0].b` reach into objects and lists.

    None where the data has no such value. A key that is spelled with dots is found before the path is followed.
    """
    field = field.removeprefix("$")
    if field in data:
        return data[field]
    found: object = data
    for step in _STEP.findall(field):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return None if found is data else found
