"""What a Label Studio user may do in a project, as Espalier calls it: Label Studio's own permissions decide."""

from __future__ import annotations

from typing import Any

from espalier_ontology.tickets import Role


def role_of(user: Any, project: Any) -> Role | None:
    """None where the project is none of theirs."""
    if not user.is_authenticated or not project.has_permission(user):
        return None
    if user.has_perm("projects.change"):
        return "manager"
    if user.has_perm("annotations.create") and user.has_perm("predictions.any"):
        return "annotator"
    return "viewer" if user.has_perm("projects.view") else None
