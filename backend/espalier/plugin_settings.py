"""What people may set of a plugin, by the plugin's own schema: flat JSON Schema, so that a form can be made of it.

A schema is an object of properties; each is a number, an integer, a boolean or a string, perhaps of an `enum`, with a
`title` and a `description` in words for people. All are optional: what is left out, the plugin chooses itself.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from .errors import BadSetting

Schema = Mapping[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {"number": (int, float), "integer": (int,), "boolean": (bool,), "string": (str,)}
_ARTICLE = {"integer": "an"}
_LIMITS: tuple[tuple[str, str, Callable[[float, float], bool]], ...] = (
    ("minimum", "at least", operator.lt),
    ("maximum", "at most", operator.gt),
    ("exclusiveMinimum", "above", operator.le),
    ("exclusiveMaximum", "below", operator.ge),
)
_OF_OBJECT = {"$schema", "type", "title", "description", "properties", "additionalProperties"}
_OF_PROPERTY = {
    "type", "title", "description", "enum", "default", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
}  # fmt: skip


def faults(schema: object) -> list[str]:
    """What is wrong with a schema, in words; nothing where a form can be made of it."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        return [f"a schema is a mapping with type 'object', got {schema!r}"]
    found = [f"a schema has no {name!r}" for name in sorted(set(schema) - _OF_OBJECT)]
    if not isinstance(schema.get("description"), str):
        found.append("a schema has a description, which says what the plugin does")
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        return [*found, f"properties are a mapping, got {properties!r}"]
    for name, one in properties.items():
        if not isinstance(one, Mapping) or one.get("type") not in _TYPES:
            found.append(f"{name} is of one of the types {', '.join(_TYPES)}, got {one!r}")
            continue
        found += [f"{name} has no {key!r}" for key in sorted(set(one) - _OF_PROPERTY)]
        found += [f"{name} has a {key} in words" for key in ("title", "description") if not one.get(key)]
        values = [*one.get("enum", []), *([one["default"]] if "default" in one else [])]
        found += [fault for value in values if (fault := _fault(name, one, value))]
    return found


def parse(text: str, where: str) -> dict[str, Any]:
    """From JSON text, as an attribute of the labeling configuration holds it. Raises BadSetting."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BadSetting(
            f"""{where}: parameters={text!r} is not JSON, such as {{"strength": 10}}: {error}"""
        ) from error
    if not isinstance(value, dict):
        raise BadSetting(f"""{where}: parameters must be a JSON object, such as {{"strength": 10}}, got {text!r}""")
    return value


def problems(schema: Schema, given: Mapping[str, Any]) -> dict[str, str]:
    """By name, why a value cannot be used; names that the plugin does not have are among them."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    known = ", ".join(properties) or "none"
    found = {name: f"there is no parameter {name!r}; there are {known}" for name in given if name not in properties}
    return found | {
        name: fault
        for name, value in given.items()
        if name in properties and (fault := _fault(name, properties[name], value))
    }


def _fault(name: str, one: Mapping[str, Any], value: object) -> str:
    is_of_type = isinstance(value, _TYPES[one["type"]]) and isinstance(value, bool) == (one["type"] == "boolean")
    if not is_of_type or (isinstance(value, float) and not math.isfinite(value)):
        return f"{name}={value!r} must be {_ARTICLE.get(one['type'], 'a')} {one['type']}"
    if "enum" in one and value not in one["enum"]:
        return f"{name}={value!r} must be one of {', '.join(map(str, one['enum']))}"
    if isinstance(value, int | float):
        for key, words, is_out in _LIMITS:
            if key in one and is_out(value, one[key]):
                return f"{name}={value!r} must be {words} {one[key]}"
    return ""
