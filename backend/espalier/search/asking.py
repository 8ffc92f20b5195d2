"""Asking: a request of any kind, answered in this process.

The module of a kind is imported when it is first asked for: the worker is light while nobody asks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module

from ..errors import BadRequest
from ..jobs.house import House
from ..jobs.progress import Progress
from ..store.rows import Project
from .fields import Json
from .kinds import KINDS


def ask(
    house: House, project: Project, kind: str, request: Mapping[str, object], progress: Progress | None = None
) -> Json:
    """In this process. The answer is plain JSON, without NaN. Raises BadRequest in words."""
    if kind not in KINDS:
        raise BadRequest(f"nothing is called {kind!r} here; there are {', '.join(KINDS)}")
    entry = KINDS[kind]
    module = import_module(f"{__package__}.{entry.module}")
    asked = getattr(module, entry.request).from_json(request)
    answer: Json = getattr(module, entry.answer)(house, project, asked, progress or Progress())
    json.dumps(answer, allow_nan=False)  # a mistake of ours must not reach a browser, which cannot read it
    return answer
