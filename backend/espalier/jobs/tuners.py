"""Which tuner fine-tunes, and the opened one."""

from __future__ import annotations

from dataclasses import replace

from ..errors import BadSetting, BrokenPlugin
from ..plugins.registry import encoder_request, tuners
from ..store.rows import Project
from ..tuning import Tuner, TuningData
from ..tuning_parameters import TuningParameters
from .house import House
from .tuning_subject import begun_from

USUAL = "timm"
"""The tuner, where the model's name does not name another, as `<tuner>:<model>`."""


def tuner_of(parameters: TuningParameters) -> tuple[str, TuningParameters]:
    """The tuner's name, and the parameters without it. Raises BadSetting where it is not installed."""
    known = tuners()
    name, colon, model = (parameters.model or "").partition(":")
    if name in known and (colon or name != USUAL):
        return name, replace(parameters, model=model or None)
    if USUAL not in known:
        raise BadSetting(
            f"nothing that fine-tunes is installed as {USUAL!r} (there is {', '.join(known) or 'nothing'}): "
            f"pip install 'label-studio-espalier[timm]'"
        )
    return USUAL, parameters


def open_tuner(house: House, project: Project, parameters: TuningParameters, data: TuningData) -> Tuner:
    """Raises NoWeights, BadSetting or BadRequest with what to do."""
    name, parameters = tuner_of(parameters)
    begun = begun_from(house, project, parameters)
    request = replace(
        encoder_request(house.settings),
        model=parameters.model,
        preset=parameters.preset,
        directory=begun.directory if begun else None,
    )
    tuner: Tuner = tuners()[name].load().open(request, data, parameters)
    for method in ("estimate", "tune"):
        if not callable(getattr(tuner, method, None)):
            raise BrokenPlugin(name, f"open returns a tuner with {method}", type(tuner).__name__)
    return tuner
