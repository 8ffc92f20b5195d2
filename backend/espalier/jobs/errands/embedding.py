"""Errands about embeddings: all of a project becomes searchable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ...search.embedding_all import EVERY_S, embed_project
from ...store.rows import Project
from ..house import House
from ..progress import Progress

_PROBLEMS_TOLD = 100


def embed_all(house: House, project: Project, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """What `espalier embed` does. What is embedded already is not decoded again, so that it goes on where it was
    stopped."""
    done = asdict(embed_project(house, project, progress, every_s=float(request.get("every_s", EVERY_S))))
    return {**done, "problems": list(done["problems"][:_PROBLEMS_TOLD]), "unreadable": len(done["problems"])}
