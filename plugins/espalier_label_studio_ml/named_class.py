"""Which class is hosted, and how, as the operator wrote it; nobody else's word may name code to run."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from espalier.errors import BadSetting

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_EXAMPLE = "classifications: {Weather: {plugin: label_studio_ml, class: my_package.my_module:MyModel}}"


@dataclass(frozen=True)
class NamedClass:
    """name: `package.module:Class`. python: the interpreter that has it. directory: where it runs and is looked for.

    arguments: JSON of keyword arguments for its constructor, as `label-studio-ml start --with` gives them.
    """

    name: str
    python: str
    directory: Path | None
    arguments: str

    @classmethod
    def of(cls, named: Mapping[str, str]) -> NamedClass:
        """From `model_class`, `model_python`, `model_directory` and `model_with`. Raises BadSetting, in words."""
        name = named.get("model_class", "")
        if not name:
            raise BadSetting(
                f"no class is named for it: the operator names one in espalier.yaml ({_EXAMPLE}); the labeling "
                f"configuration, the panel and the API may not name code to run"
            )
        if not _DOTTED.fullmatch(name):
            raise BadSetting(f"class={name!r} must be written package.module:Class")
        python = shutil.which(named.get("model_python", sys.executable))
        if python is None:
            raise BadSetting(f"python={named['model_python']!r}, which is to run {name}, is no program here")
        directory = Path(named["model_directory"]).expanduser() if "model_directory" in named else None
        if directory is not None and not directory.is_dir():
            raise BadSetting(f"directory={str(directory)!r}, from which {name} is to be imported, is not there")
        arguments = named.get("model_with", "{}")
        try:
            is_mapping = isinstance(json.loads(arguments), dict)
        except ValueError:
            is_mapping = False
        if not is_mapping:
            raise BadSetting(f"with={arguments!r} must be `name: value` pairs, which {name} is made with")
        return cls(name, python, directory.resolve() if directory else None, arguments)
