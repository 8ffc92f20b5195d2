"""The ontology as JSON, and back: with every option that tasks list, which the labeling configuration does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from espalier_ontology.tree import Classification, Condition, MediaTag, Ontology, Option, Path

from ..learning.model import Model


def to_json(ontology: Ontology) -> dict[str, Any]:
    """What `from_json` reads. Controls that cannot be predicted are left out."""
    return {
        "media": [vars(tag) for tag in ontology.media],
        "classifications": [
            {
                **{name: getattr(one, name) for name in _PLAIN},
                "options": [{name: _plain(getattr(option, name)) for name in _OPTION} for option in one.options],
                "conditions": [
                    {
                        "classification": condition.classification,
                        "options": None if condition.options is None else sorted(map(list, condition.options)),
                        "negated": condition.negated,
                        "also": list(condition.also),
                    }
                    for condition in one.conditions
                ],
                "settings": dict(one.settings),
            }
            for one in ontology
        ],
    }


def from_json(value: Mapping[str, Any]) -> Ontology:
    """What `to_json` gave. Raises TypeError or KeyError for anything else."""
    return Ontology(
        tuple(MediaTag(**tag) for tag in value["media"]),
        tuple(
            Classification(
                **{
                    **one,
                    "options": tuple(
                        Option(
                            **{
                                **option,
                                "path": tuple(option["path"]),
                                "predicted_values": tuple(option["predicted_values"]),
                            }
                        )
                        for option in one["options"]
                    ),
                    "conditions": tuple(_condition(condition) for condition in one["conditions"]),
                }
            )
            for one in value["classifications"]
        ),
    )


def labels(ontology: Ontology, model: Model) -> dict[str, Any]:
    """The tree for people and for other programs: every option with a number, its parent's, and its place in scores.

    head, column: which of the model's questions scores it, and in which column; None where too few were labeled.
    """
    places = {
        (head.classification, option): (number, column)
        for number, head in enumerate(model.heads.values())
        for column, option in enumerate(head.options)
    }
    ids: dict[tuple[str, Path], int] = {}
    rows: list[dict[str, Any]] = []
    for one in ontology:
        for option in one.options:
            ids[one.name, option.path] = len(ids)
            head, column = places.get((one.name, option.path), (None, None))
            rows.append(
                {
                    "id": ids[one.name, option.path],
                    "classification": one.name,
                    "name": option.name,
                    "path": list(option.path),
                    "label": option.wire_name,
                    "parent": ids.get((one.name, option.path[:-1])),
                    "head": head,
                    "column": column,
                }
            )
    questions = [
        {
            "name": one.name,
            "kind": one.kind,
            "asked_of": one.scope,
            "exclusive": one.exclusive,
            "only_where": [
                {
                    "classification": list(condition.names),
                    "is_not" if condition.negated else "is": None
                    if condition.options is None
                    else sorted(map(list, condition.options)),
                }
                for condition in one.conditions
            ],
        }
        for one in ontology
    ]
    return {"classifications": questions, "labels": rows}


_PLAIN = (
    "name", "media", "control", "kind", "scope", "required", "leaves_only", "dynamic_field", "single_path", "nested",
)  # fmt: skip
_OPTION = ("path", "alias", "hotkey", "background", "predicted_values")


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _condition(value: Mapping[str, Any]) -> Condition:
    options = value["options"]
    return Condition(
        value["classification"],
        None if options is None else frozenset(map(tuple, options)),
        value["negated"],
        tuple(value["also"]),
    )
