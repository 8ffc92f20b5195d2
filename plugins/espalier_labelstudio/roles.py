"""What a Label Studio user may do in a project, as Espalier calls it: Label Studio's own permissions decide."""

from __future__ import annotations

from typing import Any

from espalier_ontology.tickets import Role

SEES = ("projects.view", "tasks.view", "predictions.any")
"""Espalier shows a project's media and is about its predictions: who may not have these has nothing of it."""


def role_of(user: Any, project: Any) -> Role | None:
    """None where the project is none of theirs, or its predictions are not."""
    if not user.is_authenticated or not project.has_permission(user):
        return None
    if not all(user.has_perm(one) for one in SEES):
        return None
    if not user.has_perm("annotations.create"):
        return "viewer"
    return "manager" if user.has_perm("projects.change") else "annotator"
