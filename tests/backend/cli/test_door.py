"""The door: every command is there, says what it does, and turns errors into one line."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import click
import pytest
from click.testing import CliRunner
from redis.exceptions import ConnectionError as RedisDown

from espalier.cli import main
from espalier.cli.door import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps(name: str) -> None:
    result = CliRunner().invoke(main, [name, "-h"])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {name}")


@pytest.mark.parametrize("name", ["show", "lint"])
def test_every_command_about_ontologies_helps(name: str) -> None:
    assert CliRunner().invoke(main, ["ontology", name, "-h"]).exit_code == 0


def test_no_option_is_without_help() -> None:
    context: Any = main.make_context("espalier", ["plugins"])
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.help, (name, parameter)


def test_the_list_of_commands_loads_none_of_them() -> None:
    heavy = "{'numpy', 'sqlalchemy', 'flask', 'sklearn', 'torch'}"
    program = f"import sys, espalier.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_server_of_label_studio_s_routes_loads_no_model_code() -> None:
    program = "import sys, espalier.cli.serve; print(sorted({'sklearn', 'torch', 'av', 'timm'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(main, ["frobnicate"])
    assert result.exit_code == 2
    assert "No such command" in result.output


def test_a_wrong_setting_is_one_line(espalier: Any) -> None:
    result = espalier("plugins", PORT="http")
    assert result.exit_code == 1
    assert result.output == "Error: PORT='http' is not a valid int\n"


def test_what_redis_says_is_one_line(espalier: Any, project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RedisDown("Error 111 connecting to 10.0.0.1:6379.\nConnection refused.")

    monkeypatch.setattr("espalier.jobs.automated.recent", fail)
    result = espalier("runs", project)
    assert result.exit_code == 1
    assert result.output == (
        "Error: the queue (Redis) fails: Error 111 connecting to 10.0.0.1:6379.; `espalier doctor` says more\n"
    )


def test_a_data_directory_that_is_a_file_is_one_line(espalier: Any, tmp_path: Any) -> None:
    (tmp_path / "file").touch()
    result = espalier("serve", ESPALIER_DATA_DIR=str(tmp_path / "file"), PORT="0")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
