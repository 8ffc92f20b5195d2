from __future__ import annotations

import json
from typing import Any


def test_a_plugin_is_chosen_for_one_classification_listed_and_taken_back(espalier: Any, project: str) -> None:
    assert espalier("ontology", "set", project).output.startswith("nothing is chosen; there are plugin: ")
    told = espalier("ontology", "set", project, "loop", "plugin=kernel", "score_threshold=0.7")
    assert told.exit_code == 0, told.output
    listed = [line.split() for line in espalier("ontology", "set", project).output.splitlines()]
    assert listed == [["loop", "plugin", "kernel", "(project)"], ["loop", "score_threshold", "0.7", "(project)"]]
    espalier("ontology", "set", project, "loop", "--unset", "plugin")
    left = json.loads(espalier("ontology", "set", project, "--json").output)
    assert [(one["name"], one["value"], one["origin"]) for one in left] == [("model_score_threshold", "0.7", "project")]


def test_mistakes_are_one_line(espalier: Any, project: str) -> None:
    refused = espalier("ontology", "set", project, "loop", "kernel")
    assert refused.exit_code == 1
    assert "settings are written name=value" in refused.output
    assert "no classifier plugin is called" in espalier("ontology", "set", project, "loop", "plugin=oracle").output
