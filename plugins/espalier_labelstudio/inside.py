"""Asking Label Studio's own REST API from within, as its user: its permissions, checks and signals all hold."""

from __future__ import annotations

import json
from typing import Any

from rest_framework.test import APIRequestFactory, force_authenticate

from .backend import Refused


def call(view: Any, user: Any, method: str, path: str, body: dict[str, Any] | None = None, **named: Any) -> Any:
    """What the view answers. Raises Refused with Label Studio's own sentence."""
    request = getattr(APIRequestFactory(), method.lower())(path, body, format="json")
    force_authenticate(request, user=user)
    request.user = user
    response = view.as_view()(request, **named)
    response.render()
    told = json.loads(response.content) if response.content else None
    if response.status_code >= 400:
        raise Refused(_sentence(told), response.status_code)
    return told


def _sentence(told: Any) -> str:
    if not isinstance(told, dict):
        return str(told)
    errors = told.get("validation_errors") or {}
    said = [str(one) for many in errors.values() for one in (many if isinstance(many, list) else [many])]
    return "; ".join(said) or str(told.get("detail") or told)
