"""Every installed plugin by name, and the way to one of them.

Bundled plugins come through the same entry points as foreign ones. Listing imports nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

from ..contract import EncoderRequest, Pictures
from ..errors import BadSetting
from ..settings import Settings
from .checked import CheckedClassifier, CheckedEncoder, CheckedIndex
from .choice import choose_encoder
from .plugin import GROUPS, Plugin, Role

__all__ = [
    "CheckedClassifier",
    "CheckedEncoder",
    "CheckedIndex",
    "Plugin",
    "classifiers",
    "encoder_request",
    "encoders",
    "indexes",
    "load_classifier",
    "load_index",
    "new_classifier",
    "new_index",
    "open_encoder",
]


def encoders() -> Mapping[str, Plugin]:
    return _plugins("encoder")


def classifiers() -> Mapping[str, Plugin]:
    return _plugins("classifier")


def indexes() -> Mapping[str, Plugin]:
    return _plugins("index")


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


def open_encoder(encoder: str, request: EncoderRequest) -> CheckedEncoder:
    """Open `auto`, a plugin's name, or `<plugin>:<model or preset>`; `spec.reason` says why it became this one.

    Raises BadSetting for a name that is not there, NoWeights where its weights cannot be had, BrokenPlugin.
    """
    return choose_encoder(encoder, request, encoders())


def new_classifier(name: str) -> CheckedClassifier:
    """An untrained classifier. Raises BadSetting for a name that is not there."""
    return CheckedClassifier(name, _find("classifier", name).load()())


def load_classifier(
    name: str, directory: Path, *, options: int | None = None, exclusive: bool | None = None
) -> CheckedClassifier:
    """The classifier that was saved into the directory."""
    loaded = _find("classifier", name).load().load(directory)
    return CheckedClassifier(name, loaded, options=options, exclusive=exclusive)


def new_index(name: str) -> CheckedIndex:
    return CheckedIndex(name, _find("index", name).load()())


def load_index(name: str, directory: Path) -> CheckedIndex:
    return CheckedIndex(name, _find("index", name).load().load(directory))


def _find(role: Role, name: str) -> Plugin:
    plugins = _plugins(role)
    if name not in plugins:
        raise BadSetting(f"there is no {role} {name!r}; installed are {', '.join(sorted(plugins)) or 'none'}")
    return plugins[name]


def _plugins(role: Role) -> dict[str, Plugin]:
    """By name, sorted. A name that two distributions take raises BadSetting: which one ran would be chance."""
    found: dict[str, Plugin] = {}
    for origin, version, entry_point in _entry_points(GROUPS[role]):
        plugin = Plugin(entry_point.name, role, version, origin, entry_point)
        taken = found.get(plugin.name)
        if taken is None:
            found[plugin.name] = plugin
        elif (taken.origin, taken.entry_point.value) != (origin, entry_point.value):
            raise BadSetting(
                f"the {role} name {plugin.name!r} is taken twice: by {taken.origin} {taken.version} "
                f"({taken.entry_point.value}) and by {origin} {version} ({entry_point.value}); uninstall one of them"
            )
    return dict(sorted(found.items()))


def _entry_points(group: str) -> list[tuple[str, str, EntryPoint]]:
    """Distribution name, its version, and the entry point; the first of a name on the path wins, as for imports."""
    found: list[tuple[str, str, EntryPoint]] = []
    seen: set[str] = set()
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if not name or name in seen:
            continue
        seen.add(name)
        found += [(name, distribution.version, point) for point in distribution.entry_points if point.group == group]
    return found
