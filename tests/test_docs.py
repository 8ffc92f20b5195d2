"""The README tells the truth: its settings table, its plugin, its commands, and the compose file."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from espalier.cli import main
from espalier.cli.configuration import settings_table
from espalier.cli.door import COMMANDS
from espalier.demo.app_inside import SETTINGS
from espalier.settings import Settings
from espalier.testing import check_encoder

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_every_setting_is_in_the_readme_as_the_code_has_it() -> None:
    written = README.partition("<!-- settings: a test holds this table to the code -->")[2]
    assert written.partition("<!-- end of settings -->")[0].strip() == settings_table().strip()


def test_every_setting_has_help() -> None:
    assert all(setting.metadata["help"] for setting in fields(Settings))


def test_the_plugin_of_the_readme_keeps_the_contract() -> None:
    code = re.search(r"```python\n(import hashlib.*?)```", README, re.DOTALL)
    assert code, "the README shows no plugin"
    names: dict[str, Any] = {}
    exec(code[1], names)
    check_encoder(names["ColourEncoder"])


@pytest.mark.parametrize("role", ["encoders", "classifiers", "indexes"])
def test_every_plugin_role_is_in_the_contract_s_words(role: str) -> None:
    import espalier.contract

    assert f"espalier.{role}" in (espalier.contract.__doc__ or "")


@pytest.mark.parametrize("command", sorted(set(re.findall(r"^espalier ([a-z]+)", README, re.MULTILINE))))
def test_every_command_of_the_readme_exists(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make ([a-z-]+)", README))))
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"espalier {command}" in README


@pytest.mark.parametrize("service", sorted(COMPOSE["services"]))
def test_every_command_of_the_compose_file_exists(service: str) -> None:
    command = COMPOSE["services"][service].get("command", [])
    if command[:1] != ["espalier"]:
        assert "image" in COMPOSE["services"][service]
        return
    result = CliRunner().invoke(main, [*command[1:], "--help"])
    assert result.exit_code == 0, result.output


def test_the_compose_file_sets_only_settings_that_exist() -> None:
    known = {name for setting in fields(Settings) for name in setting.metadata["names"]}
    assert set(COMPOSE["x-espalier"]["environment"]) <= known


def test_the_compose_file_lets_label_studio_reach_the_backend() -> None:
    environment = COMPOSE["services"]["label-studio"]["environment"]
    assert environment["LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS"] == "false"


def test_the_compose_file_runs_espalier_s_app_inside_label_studio() -> None:
    service = COMPOSE["services"]["label-studio"]
    assert service["environment"]["DJANGO_SETTINGS_MODULE"] == SETTINGS
    mounted = [volume.split(":") for volume in service["volumes"] if volume.startswith("./")]
    assert {Path(there).name for _, there, _ in mounted} == {"espalier_labelstudio", "espalier_ontology"}
    assert {str(Path(there).parent) for _, there, _ in mounted} == {service["environment"]["PYTHONPATH"]}
    assert all((ROOT / here / "__init__.py").exists() and mode == "ro" for here, _, mode in mounted)


def test_the_compose_file_has_a_worker_for_every_queue() -> None:
    commands = [service.get("command") for service in COMPOSE["services"].values()]
    assert ["espalier", "worker", "prediction"] in commands
    assert ["espalier", "worker", "training"] in commands


def test_the_build_takes_what_it_needs() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert all((ROOT / name).exists() for names in copied for name in names.split())
