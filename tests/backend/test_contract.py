"""What a plugin author imports from `espalier.contract` is all there, and nothing besides."""

from __future__ import annotations

import ast
from pathlib import Path

import espalier.contract


def test_all_that_its_files_define_is_given_by_the_package() -> None:
    defined = set()
    for path in Path(espalier.contract.__path__[0]).glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.Assign):
                defined |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    defined.discard("__all__")
    assert defined == set(espalier.contract.__all__)
    assert all(hasattr(espalier.contract, name) for name in defined)
