"""Doing an errand, in a worker: its module is imported when it is first asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ...errors import BadRequest
from ..house import House
from ..progress import Progress
from .table import ERRANDS


def do(house: House, project_key: str, name: str, request: Mapping[str, Any], progress: Progress) -> Any:
    """The errand's answer, plain JSON without NaN. Raises BadRequest for an errand that nobody knows."""
    if name not in ERRANDS:
        raise BadRequest(f"there is no errand {name!r}; there are {', '.join(ERRANDS)}")
    errand = ERRANDS[name]
    module = errand.module if "." in errand.module else f"{__package__}.{errand.module}"
    function = getattr(import_module(module), errand.function)
    answer = function(house, house.project(project_key), request, progress)
    json.dumps(answer, allow_nan=False)  # a mistake of ours must not reach a browser, which cannot read it
    return answer
