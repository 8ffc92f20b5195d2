"""One of a bundle's models, ready to answer."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..errors import BadRequest
from ..judging.own_cutoffs import OwnCutoffs
from ..learning.model import Model
from ..plugins.registry import load_classifier
from .network import Network, open_network
from .opening import Bundle


@dataclass(frozen=True)
class Loaded:
    """cutoffs: those that a person set, which come before those of training."""

    model: Model
    network: Network
    cutoffs: OwnCutoffs

    @classmethod
    def of(cls, bundle: Bundle, which: str, precision: str) -> Loaded:
        """Raises BadRequest for a model or precision that the bundle does not hold."""
        parts = bundle.manifest.models.get(which)
        if parts is None:
            raise BadRequest(
                f"this bundle holds the model {' and '.join(bundle.manifest.models)} alone: only what was fine-tuned "
                f"has a best and a last one"
            )
        if precision == "int8" and "network_int8" not in parts:
            raise BadRequest(
                f"this bundle holds no int8 network of its model {which}: `espalier bundle --int8` adds it"
            )
        return cls(
            Model.load(bundle.directory / parts["model"], load_classifier=load_classifier),
            open_network(bundle.directory, parts, precision),
            OwnCutoffs.from_json(json.loads((bundle.directory / parts["thresholds"]).read_text())["own"]),
        )
