"""An option is renamed in a real Label Studio that holds answers with it; Espalier goes on with the answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import write_digits
from espalier.demo.results import choices

LOOP = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image"><Choice value="has a loop"/>{}</Choices></View>"""
OLD, NEW, ALIAS = (
    LOOP.format(option)
    for option in (
        '<Choice value="no loop"/>',
        '<Choice value="open"/>',
        '<Choice value="open" alias="no loop"/>',
    )
)
RENAMED_CONTROL = OLD.replace('name="loop"', 'name="loops"')


@pytest.fixture(scope="module")
def backend(start_backend: Any) -> Iterator[Any]:
    with start_backend(ESPALIER_ENCODER="classic") as started:
        yield started


def said(label_studio: Any, project: dict[str, Any]) -> list[str]:
    """What people answered, as Label Studio keeps it."""
    tasks = label_studio.request("GET", f"/api/projects/{project['id']}/export?exportType=JSON")
    return sorted(
        item["value"]["choices"][0] for task in tasks for one in task["annotations"] for item in one["result"]
    )


def wait_for(text: str, told: Callable[[], str]) -> str:
    deadline = time.monotonic() + 120
    while text not in (found := told()):
        assert time.monotonic() < deadline, found
        time.sleep(0.5)
    return found


def test_a_label_that_was_answered_is_renamed(label_studio: Any, backend: Any, tmp_path: Path) -> None:
    digits = write_digits(tmp_path, 24)
    project = label_studio.project(OLD, "Loops")
    tasks = [task for digit in digits for task in label_studio.upload(project["id"], digit.path)]
    label_studio.connect(project["id"], backend.url)
    for task, digit in zip(tasks, digits, strict=True):
        label_studio.annotate(task, choices("image", {"loop": digit.answers["loop"]}))
    backend.learned(project, 24)
    answers, id, path = said(label_studio, project), str(project["id"]), f"/api/projects/{project['id']}"

    # What the settings page asks before it saves; the API itself refuses only to lose a control with answers.
    refused = label_studio.request("POST", f"{path}/validate", {"label_config": NEW}, status=400)
    assert "These labels still exist in annotations or drafts" in str(refused)
    label_studio.request("POST", f"{path}/validate", {"label_config": ALIAS}, status=200)
    label_studio.request("PATCH", path, {"label_config": RENAMED_CONTROL}, status=400)
    label_studio.request("PATCH", path, {"label_config": NEW}, status=200)
    assert said(label_studio, project) == answers

    suggested = f'espalier ontology map {id} --rename "loop/no loop=loop/open"'
    wait_for(suggested, lambda: str(backend.espalier("ontology", "diff", id)))
    mapped = backend.espalier("ontology", "map", id, "--rename", "loop/no loop=loop/open")
    count = answers.count("no loop")
    assert f"{count} answers in {count} annotations are read under the new name" in mapped
    assert "a training is asked for: now" in mapped
    wait_for("nothing changed", lambda: str(backend.espalier("ontology", "diff", id)))
    assert "nobody has answered" not in backend.espalier("versions", id), "all of the answers were learned from"
    assert said(label_studio, project) == answers
    assert backend.espalier("revisit", id) == "nothing needs another look\n"
