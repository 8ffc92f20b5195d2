"""Which encoder it becomes, and why: said once in the log, and kept in `spec.reason` for panel and model version."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..contract import EncoderRequest, Pictures
from ..errors import BadSetting, BrokenPlugin, NoWeights
from ..settings import Settings
from .checked import CheckedEncoder
from .installed import encoders, find
from .plugin import Plugin

log = logging.getLogger(__name__)

PRESETS = ("fast", "balanced", "accurate")
AUTO = "timm"
FALLBACK = "classic"


def open_encoder(
    settings: Settings, *, device: str | None = None, calibration: Pictures | None = None
) -> CheckedEncoder:
    """The encoder that the settings name, on their device or the given one.

    Raises BadSetting for a name, model or device that is not there, NoWeights where its weights cannot be had,
    BrokenPlugin for one that cannot be loaded.
    """
    request = encoder_request(settings, calibration)
    return choose_encoder(settings.encoder, replace(request, device=device or request.device), encoders())


def open_own_encoder(
    settings: Settings,
    plugin: str,
    directory: Path,
    *,
    device: str | None = None,
    calibration: Pictures | None = None,
) -> CheckedEncoder:
    """The network that the tuner of this name has written into the directory. Raises BadModel where it is broken."""
    request = encoder_request(settings, calibration)
    request = replace(request, device=device or request.device, directory=directory)
    opened = _open(find("encoder", plugin), request, "")
    log.info("own encoder %s (%d numbers a frame): %s", opened.spec.name, opened.spec.dim, opened.spec.reason)
    return opened


def encoder_request(settings: Settings, calibration: Pictures | None = None) -> EncoderRequest:
    """What the operator's settings ask of an encoder; converted models are kept in the data directory."""
    return EncoderRequest(
        preset=settings.preset,
        device=settings.device,
        precision=settings.precision,
        threads=settings.threads,
        weights_dir=settings.weights_dir,
        cache_dir=settings.data_dir / "encoders",
        calibration=calibration,
    )


def choose_encoder(encoder: str, request: EncoderRequest, plugins: Mapping[str, Plugin]) -> CheckedEncoder:
    """Open `auto`, `<plugin>`, or `<plugin>:<preset or model>`.

    `auto` opens `timm` with the best weights that can be had, else `classic`. What the person asked for by name is
    opened or refused, never replaced.
    """
    name, _, rest = encoder.strip().partition(":")
    if name == "auto" and not rest:
        opened = _open_auto(request, plugins)
        if opened.spec.name == FALLBACK:
            return opened  # which was said as a warning
    else:
        if name not in plugins:
            raise BadSetting(
                f"ESPALIER_ENCODER={encoder!r} names no encoder; expected auto, or one of {', '.join(plugins)}, "
                f"with `:<model>` where a plugin has several"
            )
        if rest in PRESETS:
            request = replace(request, preset=rest, model=None)
        elif rest:
            request = replace(request, model=rest)
        opened = _open(plugins[name], request, "")
    log.info("encoder %s (%d numbers a frame): %s", opened.spec.name, opened.spec.dim, opened.spec.reason)
    return opened


def _open_auto(request: EncoderRequest, plugins: Mapping[str, Plugin]) -> CheckedEncoder:
    if AUTO in plugins and not plugins[AUTO].error:
        try:
            return _open(plugins[AUTO], request, "")
        except NoWeights as error:
            reason = str(error)
    else:
        reason = plugins[AUTO].error if AUTO in plugins else f"no plugin {AUTO!r} is installed"
    if FALLBACK not in plugins:
        raise NoWeights(f"no encoder can be had: {reason}, and there is no {FALLBACK!r} to fall back to")
    log.warning("encoder: falling back to %s, which is weaker than a pretrained network: %s", FALLBACK, reason)
    return _open(plugins[FALLBACK], replace(request, model=None), f"no pretrained network: {reason}")


def _open(plugin: Plugin, request: EncoderRequest, reason: str) -> CheckedEncoder:
    opened = plugin.load().open(request)
    if not hasattr(opened, "spec"):
        raise BrokenPlugin(plugin.name, "open returns an encoder with a spec", type(opened).__name__)
    return CheckedEncoder(plugin.name, opened, reason=reason)
