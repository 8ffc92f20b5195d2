"""Pairing with a Label Studio: one click there, and this backend may write, and trusts who it says its users are."""

from __future__ import annotations

from flask import g
from pydantic import Field

from ...labelstudio import pairing
from ...labelstudio.pairing import Pairing
from .given import Given
from .problem import Refused
from .routes import Asked, Routes, Told


class PairingAsked(Asked):
    url: str = Field(max_length=500, description="Label Studio's address, as this backend reaches it.")
    secret: str = Field(max_length=500, description="Signs its tickets; at least 24 letters.")
    token: str = Field("", max_length=5000, description="A personal access token; empty keeps what is known.")
    by: str = Field("", max_length=300, description="Who paired the two.")


class PairingShown(Told):
    """What is paired; its secrets are never shown."""

    url: str
    has_token: bool
    by: str


def register(routes: Routes, given: Given) -> None:
    directory = given.settings.data_dir

    @routes.endpoint("GET", "/label-studio", PairingShown, role="viewer", refuses=(404,), id="getPairing")
    def paired() -> PairingShown:
        """The Label Studio that this backend is paired with."""
        return _shown(_found())

    @routes.endpoint(
        "PUT", "/label-studio", PairingShown, role="manager", takes=PairingAsked, refuses=(400,), id="putPairing"
    )
    def pair(body: PairingAsked) -> PairingShown:
        """Pair with a Label Studio; another one is let go."""
        known = pairing.read(directory)
        kept = known.token if known is not None and known.url == body.url else ""
        made = Pairing(body.url, body.secret, body.token or kept, body.by or g.who)
        pairing.write(directory, made)
        return _shown(made)

    @routes.endpoint("DELETE", "/label-studio", PairingShown, role="manager", refuses=(404,), id="deletePairing")
    def unpair() -> PairingShown:
        """Trust it no longer, and forget its token."""
        found = _found()
        pairing.forget(directory)
        return _shown(found)

    def _found() -> Pairing:
        found = pairing.read(directory)
        if found is None:
            raise Refused(404, "this backend is paired with no Label Studio: the app inside Label Studio does it")
        return found


def _shown(found: Pairing) -> PairingShown:
    return PairingShown(url=found.url, has_token=bool(found.token), by=found.by)
