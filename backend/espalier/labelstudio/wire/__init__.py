"""What Label Studio sends, parsed once into frozen values; past this room nobody looks into a request body.

Bodies carry secrets (the creator's token, the project's token, the media login): only what is named here is kept.
"""

from __future__ import annotations

from .digest import inputs_digest
from .event import Event, parse_event
from .fields import project_key
from .predict import PredictRequest, parse_predict
from .setup import Setup, parse_setup

__all__ = [
    "Event",
    "PredictRequest",
    "Setup",
    "inputs_digest",
    "parse_event",
    "parse_predict",
    "parse_setup",
    "project_key",
]
