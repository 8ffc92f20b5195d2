"""The house stands: no import runs upward, and none in a circle, in-function imports included."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {name: ROOT / name for name in ("ontology", "backend", "plugins")}

FLOORS = {
    "espalier_ontology": 1,
    "espalier": 2,  # errors, settings, contract, and the package itself
    "espalier.media": 2,
    "espalier.store": 2,
    "espalier.labelstudio": 2,
    "espalier.learning": 3,
    "espalier.judging": 3,
    "espalier.labeling": 3,
    "espalier.plugins": 3,
    "espalier.similarity": 3,
    "espalier.testing": 3,
    "espalier_classic": 3,
    "espalier_dynamic": 3,
    "espalier_label_studio_ml": 3,
    "espalier_label_studio_ml.model": 6,  # where others start: it opens a bundle
    "espalier_labelstudio": 2,
    "espalier_milvus": 3,
    "espalier_open_clip": 3,
    "espalier_timm": 3,
    "espalier.checking": 4,
    "espalier.exchange": 4,
    "espalier.jobs": 4,
    "espalier.search": 4,
    "espalier.web": 5,
    "espalier.bundle": 5,
    "espalier.demo": 6,
    "espalier.cli": 6,
}


def floor(module: str) -> int:
    known = [name for name in FLOORS if module == name or module.startswith(name + ".")]
    assert known, f"{module} has no floor; give it one in this table"
    return FLOORS[max(known, key=len)]


def modules() -> dict[str, Path]:
    found = {}
    for source in SOURCES.values():
        for path in source.rglob("*.py"):
            parts = path.relative_to(source).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(module: str) -> Iterator[str]:
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{name}.{alias.name}"
                yield full if full in MODULES else name


def own_imports(module: str) -> set[str]:
    return {name for name in imports(module) if name in MODULES and name != module}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_import_runs_upward(module: str) -> None:
    upward = {name for name in own_imports(module) if floor(name) > floor(module)}
    assert not upward, f"{module} (floor {floor(module)}) imports {sorted(upward)} from above"


def test_no_import_runs_in_a_circle() -> None:
    state: dict[str, str] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        if state.get(module) == "done":
            return
        assert state.get(module) != "open", f"circle: {' -> '.join([*path[path.index(module) :], module])}"
        state[module] = "open"
        for name in sorted(own_imports(module)):
            # a package's __init__ is run before its modules, and may gather them: that is no circle
            if not module.startswith(name + "."):
                visit(name, (*path, module))
        state[module] = "done"

    for module in sorted(MODULES):
        visit(module, ())


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("espalier_ontology")))
def test_the_ground_floor_needs_the_standard_library_alone(module: str) -> None:
    foreign = {
        name.split(".")[0]
        for name in imports(module)
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("espalier_ontology")
    }
    assert not foreign
