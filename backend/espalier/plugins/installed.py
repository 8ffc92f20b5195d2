"""Every installed plugin by name. Bundled ones come through the same entry points as foreign ones.

Listing imports nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, distributions

from ..errors import BadSetting
from .plugin import GROUPS, Plugin, Role


def encoders() -> Mapping[str, Plugin]:
    return installed("encoder")


def classifiers() -> Mapping[str, Plugin]:
    return installed("classifier")


def indexes() -> Mapping[str, Plugin]:
    return installed("index")


def tuners() -> Mapping[str, Plugin]:
    return installed("tuner")


def find(role: Role, name: str) -> Plugin:
    """Raises BadSetting for a name that is not there."""
    plugins = installed(role)
    if name not in plugins:
        raise BadSetting(f"there is no {role} {name!r}; installed are {', '.join(plugins) or 'none'}")
    return plugins[name]


def installed(role: Role) -> dict[str, Plugin]:
    """By name, sorted. A name that two distributions take raises BadSetting: which one ran would be chance."""
    found: dict[str, Plugin] = {}
    for origin, version, entry_point in _entry_points(GROUPS[role], tuple(sys.path)):
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


@cache
def _entry_points(group: str, path: tuple[str, ...]) -> list[tuple[str, str, EntryPoint]]:
    """Distribution name, its version, and the entry point; the first of a name on the path wins, as for imports."""
    found: list[tuple[str, str, EntryPoint]] = []
    seen: set[str] = set()
    for directory in path:
        for name, version, entry_points in _distributions(directory):
            if name in seen:
                continue
            seen.add(name)
            found += [(name, version, point) for point in entry_points if point.group == group]
    return found


@cache  # reading all metadata takes 40 ms and more; every role asks, and a training once per classifier
def _distributions(directory: str) -> list[tuple[str, str, list[EntryPoint]]]:
    """Name, version and the entry points of plugins, of every distribution in a directory of the path."""
    groups = frozenset(GROUPS.values())
    return [
        (name, distribution.version, [point for point in distribution.entry_points if point.group in groups])
        for distribution in distributions(path=[directory])
        if (name := distribution.metadata["Name"])
    ]
