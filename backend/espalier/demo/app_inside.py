"""Espalier's app for a Label Studio that has an environment of its own: on its path, without being installed there."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ..errors import BadSetting

SETTINGS = "espalier_labelstudio.settings"
_PACKAGES = ("espalier_labelstudio", "espalier_ontology")


def app_inside(directory: Path) -> dict[str, str]:
    """The environment variables that switch it on. `directory` will hold links to the two packages that it takes.

    Not the directory in which they are installed: it holds others, which would take the place of Label Studio's own.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in _PACKAGES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise BadSetting(f"the package {name} is not installed here: pip install label-studio-espalier")
        link = directory / name
        link.unlink(missing_ok=True)
        link.symlink_to(Path(spec.origin).parent)
    return {"PYTHONPATH": str(directory), "DJANGO_SETTINGS_MODULE": SETTINGS}
