"""What a prediction was made from, as one short string."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def inputs_digest(task: Mapping[str, Any]) -> str:
    """32 hex digits over the task's data and its annotations' ids and results, whatever their order.

    Skipped annotations are left out, for they answer nothing. A prediction depends on people's answers, because an
    attribute is predicted only where its parent was answered.
    """
    annotations = task.get("annotations") or []
    said = sorted(
        (
            [annotation.get("id"), annotation.get("result") or []]
            for annotation in annotations
            if isinstance(annotation, Mapping) and not annotation.get("was_cancelled")
        ),
        key=lambda pair: str(pair[0]),
    )
    body = json.dumps([task.get("data") or {}, said], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()
