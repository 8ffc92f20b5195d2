"""The app needs nothing beyond what Label Studio's environment has: Django, the standard library, Label Studio itself,
and espalier_ontology, which comes with it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
APP = ROOT / "plugins" / "espalier_labelstudio"
FILES = sorted(APP.rglob("*.py"))
THEIRS = {"django", "rest_framework"}
LABEL_STUDIO = {"core", "data_manager", "jwt_auth", "ml", "projects", "tasks", "users", "webhooks"}
OURS = {"espalier_labelstudio", "espalier_ontology"}
MOST_SCRIPT_BYTES = 30_000


def imported(tree: ast.Module) -> Iterator[str]:
    """Top-level names, in-function imports included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_imports_nothing_else(file: Path) -> None:
    found = set(imported(ast.parse(file.read_text())))
    assert found <= THEIRS | LABEL_STUDIO | OURS | sys.stdlib_module_names


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_of_it_is_evaluated_or_unpickled(file: Path) -> None:
    assert not {"pickle", "marshal", "shelve"} & set(imported(ast.parse(file.read_text())))
    assert not re.search(r"\b(eval|exec)\(", file.read_text())


def test_what_it_takes_from_the_ontology_takes_nothing_else() -> None:
    """espalier_ontology itself is held to the standard library by the test of the floors."""
    taken = {
        node.module
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("espalier_ontology")
    }
    assert taken == {"espalier_ontology.tickets"}


def test_the_script_is_small_and_writes_no_html() -> None:
    script = (APP / "inject.js").read_bytes()
    assert len(script) < MOST_SCRIPT_BYTES
    for danger in (b"innerHTML", b"outerHTML", b"insertAdjacentHTML", b"document.write", b"eval(", b"new Function"):
        assert danger not in script
    assert b"http://" not in script, "it loads nothing from elsewhere"
    assert b"https://" not in script


def test_its_page_writes_what_people_entered_as_text() -> None:
    page = (APP / "templates" / "espalier_labelstudio" / "connect.html").read_text()
    assert "|safe" not in page
    assert "autoescape" not in page
    assert "csrf_token" in page
    assert "<script" not in page
