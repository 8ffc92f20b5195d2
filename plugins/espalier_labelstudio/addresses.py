"""What answers below /espalier/."""

from __future__ import annotations

from django.urls import path

from .connect import connect
from .handed_on import hand_on
from .script import script, sheet

OURS = [
    path("espalier/inject.js", script, name="espalier-script"),
    path("espalier/connect.css", sheet, name="espalier-sheet"),
    path("espalier/connect", connect, name="espalier-connect"),
    path("espalier/<path:path>", hand_on, name="espalier"),
]
