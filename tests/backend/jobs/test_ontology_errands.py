"""What a worker answers about an ontology: plugins as they load, and mappings before they are made."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.errors import BadRequest
from espalier.jobs.errands.doing import do
from espalier.jobs.progress import Progress
from espalier.plugins import installed


def ask(home: Any, name: str, **request: Any) -> Any:
    return do(home.house, home.project.key, name, request, Progress())


def test_plugins_say_what_may_be_set_and_why_one_cannot_be_loaded(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    home.configure(IMAGE_CONFIG)
    known = installed._entry_points

    def with_a_broken_one(group: str, path: tuple[str, ...]) -> list[tuple[str, str, EntryPoint]]:
        broken = EntryPoint("oracle", "no_such_module:Oracle", group)
        return [*known(group, path), *([("oracles", "1.0", broken)] if "classifiers" in group else [])]

    monkeypatch.setattr(installed, "_entry_points", with_a_broken_one)
    told = {(one["role"], one["name"]): one for one in ask(home, "plugins")["items"]}
    assert "No module named 'no_such_module'" in told["classifier", "oracle"]["error"]
    linear = told["classifier", "linear"]
    assert (linear["error"], linear["usual"]) == ("", True)
    assert linear["properties"]["strength"]["title"] == "Strength"
    assert told["classifier", "kernel"]["properties"]["features"]["enum"] == ["linear", "kernel"]
    assert told["classifier", "dynamic"]["about"].startswith("Knows an option from its first example on")
    assert told["encoder", "classic"]["properties"] == {}


def test_a_mapping_is_counted_before_it_is_made(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(12, annotated=12)
    merge = {"kind": "merge", "classification": "loop", "old": [["no loop"]], "new": [["has a loop"]]}
    looked = ask(home, "preview_map", **merge)
    assert looked["answers"] == looked["annotations"] > 0
    assert home.house.records.mappings(home.project.key) == []
    made = ask(home, "map", **merge)
    assert (made["answers"], made["annotations"]) == (looked["answers"], looked["annotations"])
    with pytest.raises(BadRequest, match=r"maps .* already; undo it first"):
        ask(home, "preview_map", **merge)
