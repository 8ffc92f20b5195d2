"""What is not understood of what somebody wants to import: where, what stands there, why, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_CUT = 200


@dataclass(frozen=True)
class Problem:
    """row: counted from 1 as spreadsheets do, with the header; of a directory of pictures the file's path."""

    row: int | str
    value: str
    why: str
    do: str = ""

    def to_json(self) -> Mapping[str, Any]:
        return {name: told[:_CUT] if isinstance(told, str) else told for name, told in asdict(self).items()}
