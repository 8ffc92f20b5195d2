"""Cells of tables that people open in spreadsheets: none is ever taken for a formula, and none loses what it said."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def safe(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula, marked as text by a leading '; anything else as it is."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def plain(text: str) -> str:
    """What `safe` was given."""
    return text[1:] if text[:1] == "'" and _FORMULA.match(text) else text


def option_text(path: Sequence[str]) -> str:
    """Animal / Cat; a JSON list where that could be read otherwise."""
    told = " / ".join(path)
    ambiguous = told[:1] in ("[", "{") or any(" / " in f" {name} " or not name.strip() for name in path)
    return json.dumps(list(path), ensure_ascii=False) if ambiguous else told
