"""A plugin that nobody here knows: found by its distribution, opened by its name, held to the contract."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from espalier.contract import EncoderRequest
from espalier.errors import BadSetting, BrokenPlugin
from espalier.plugins import registry
from espalier.plugins.choice import choose_encoder
from espalier.plugins.installed import encoders
from espalier.testing import check_encoder

Install = Callable[[str, str, str], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution with one encoder on the path: (distribution name, entry point name, its value)."""

    def put(distribution: str, name: str, value: str) -> Path:
        site = tmp_path / distribution
        information = site / f"{distribution}-1.0.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[espalier.encoders]\n{name} = {value}\n")
        shutil.copy(Path(__file__).with_name("colour_encoder.py"), site / "their_colours.py")
        monkeypatch.syspath_prepend(str(site))
        importlib.invalidate_caches()
        return site

    yield put
    import sys

    sys.modules.pop("their_colours", None)


def test_a_foreign_encoder_is_found_opened_and_keeps_the_contract(install: Install) -> None:
    install("their-plugin", "colour", "their_colours:ColourEncoder")
    plugin = encoders()["colour"]
    assert (plugin.origin, plugin.version, plugin.error) == ("their-plugin", "1.0", "")
    opened = choose_encoder("colour", EncoderRequest(), encoders())
    rows = opened.encode(np.zeros((2, 32, 32, 3), np.uint8))
    assert rows.shape == (2, 12)
    assert opened.spec.reason == "twelve colours"
    check_encoder(plugin.load())


def test_the_bundled_plugins_come_through_the_same_door() -> None:
    assert {"classic", "timm"} <= set(encoders())
    assert encoders()["classic"].origin == "label-studio-espalier"
    assert not any(plugin.error for plugin in encoders().values())


def test_a_taken_name_is_an_error_that_names_both(install: Install) -> None:
    install("their-plugin", "classic", "their_colours:ColourEncoder")
    with pytest.raises(
        BadSetting, match=r"'classic' is taken twice: by .*their-plugin|their-plugin.*label-studio"
    ) as caught:
        encoders()
    assert "label-studio-espalier" in str(caught.value)
    assert "their-plugin 1.0" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("not_there_at_all:Encoder", "ModuleNotFoundError"),
        ("their_colours:Missing", "Missing"),
        ("their_colours:np", "not a class"),
        ("their_colours:EncoderRequest", "lacks open, encode"),
    ],
    ids=["no such module", "no such name", "not a class", "not an encoder"],
)
def test_a_plugin_that_cannot_be_loaded_is_listed_with_the_reason(install: Install, value: str, reason: str) -> None:
    install("broken-plugin", "broken", value)
    assert reason in encoders()["broken"].error
    assert choose_encoder("classic", EncoderRequest(), encoders()).spec.name == "classic"
    with pytest.raises(BrokenPlugin, match="'broken' broke the rule 'encoder can be loaded'"):
        choose_encoder("broken", EncoderRequest(), encoders())


def test_a_plugin_whose_import_breaks_stops_nobody(install: Install) -> None:
    site = install("angry-plugin", "angry", "angry:Encoder")
    (site / "angry.py").write_text("raise RuntimeError('no licence key')\n")
    assert "no licence key" in encoders()["angry"].error


def test_a_name_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(BadSetting, match="no classifier 'nothing'; installed are"):
        registry.new_classifier("nothing")
    with pytest.raises(BadSetting, match=r"names no encoder; expected auto, or one of .*classic"):
        choose_encoder("nothing", EncoderRequest(), encoders())
