"""ontology diff, ontology map and revisit, as a person calls them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.jobs import valkey
from espalier.store.records import Records

KEY = "1.1795197302"
NO_LOOP = '<Choice value="no loop" hotkey="n"/>'


def configure(data_dir: Path, config: str) -> None:
    records = Records.open(f"sqlite:///{data_dir / 'espalier.sqlite'}")
    records.put_project(KEY, label_config=config, hostname="http://ls.example")
    records.close()


def renamed(old: str, new: str) -> str:
    assert f'"{old}"' in IMAGE_CONFIG
    return IMAGE_CONFIG.replace(f'"{old}"', f'"{new}"')


def test_two_files_are_compared(espalier: Any, tmp_path: Path) -> None:
    (tmp_path / "old.xml").write_text(IMAGE_CONFIG)
    (tmp_path / "new.xml").write_text(renamed("no loop", "without a loop"))
    same = espalier("ontology", "diff", "old.xml", "old.xml")
    assert same.output == "nothing changed that an answer or a model is concerned by\n"
    told = espalier("ontology", "diff", "old.xml", "new.xml")
    assert told.exit_code == 0, told.output
    assert "loop/no loop is gone; perhaps it was renamed to without a loop (the same hotkey)" in told.output
    assert "    answers: need another look; the model must be trained" in told.output
    assert 'if that is meant: espalier ontology map PROJECT --rename "loop/no loop=loop/without a loop"' in told.output
    changes = json.loads(espalier("ontology", "diff", "old.xml", "new.xml", "--json").output)
    assert [change["suggestion"]["kind"] for change in changes if change["suggestion"]] == ["rename"]
    refused = espalier("ontology", "diff", "old.xml", "new.xml", "--revisit")
    assert refused.exit_code == 1
    assert "needs a project" in refused.output


def test_a_project_is_compared_with_what_its_version_was_trained_for(
    espalier: Any, project: str, data_dir: Path
) -> None:
    assert espalier("train", project, "--here").exit_code == 0
    assert espalier("ontology", "diff", project).output.startswith("nothing changed")
    configure(data_dir, renamed("no loop", "open"))
    told = espalier("ontology", "diff", project).output
    assert told.startswith("since espalier-v1 was trained, which serves:\n")
    command = next(line for line in told.splitlines() if line.startswith("if that is meant: espalier "))
    assert command.endswith('ontology map 1 --rename "loop/no loop=loop/open"')

    mapped = espalier("ontology", "map", project, "--rename", "loop/no loop=loop/open")
    assert mapped.exit_code == 0, mapped.output
    id, *_ = mapped.output.split()
    assert f"{id}  rename loop/no loop=loop/open\n" in mapped.output
    assert re.search(r"\n\d+ answers in \d+ annotations are read under the new name\n", mapped.output)
    assert "a training is asked for: as soon as `espalier serve` runs" in mapped.output
    assert "mapped on 20" in espalier("ontology", "diff", project).output
    listed = espalier("ontology", "map", project).output
    assert listed.startswith(id)
    assert "espalier-v1" in listed
    assert "undone: rename loop/no loop=loop/open" in espalier("ontology", "map", project, "--undo", id).output
    assert espalier("ontology", "map", project).output == "no option was renamed, merged, split or retired\n"
    assert "undone on 20" in espalier("ontology", "map", project, "--all").output
    assert json.loads(espalier("ontology", "map", project, "--all", "--json").output)[0]["old"] == ["no loop"]
    assert not valkey.is_running(data_dir), "no server is left behind"


def test_what_was_split_is_listed_until_it_is_done(espalier: Any, project: str, data_dir: Path) -> None:
    assert espalier("revisit", project).output == "nothing needs another look\n"
    configure(data_dir, IMAGE_CONFIG.replace(NO_LOOP, '<Choice value="1"/><Choice value="5"/>'))
    mapped = espalier("ontology", "map", project, "--split", "loop/no loop=loop/1,loop/5")
    assert mapped.exit_code == 0, mapped.output
    assert "to look at again: `espalier revisit 1`" in mapped.output
    lines = espalier("revisit", project).output.splitlines()
    assert "loop/no loop  loop/no loop was split on 20" in lines[0]
    assert lines[0].rstrip().endswith(f"http://ls.example/projects/1/data?task={lines[0].split()[1]}")
    first = lines[0].split()[1]
    done = espalier("revisit", project, "--done", first).output
    assert done.startswith("1 answer settled\n")
    assert len(done.splitlines()) == len(lines)
    assert len(json.loads(espalier("revisit", project, "--all", "--json").output)) == len(lines)
    assert f"task {first} is not on the list" in espalier("revisit", project, "--done", first).output


def test_a_new_option_asks_for_another_look_at_what_the_model_doubts(
    espalier: Any, project: str, data_dir: Path
) -> None:
    assert espalier("train", project, "--here").exit_code == 0
    configure(data_dir, IMAGE_CONFIG.replace(NO_LOOP, NO_LOOP + '<Choice value="?"/>'))
    told = espalier("ontology", "diff", project, "--revisit")
    assert told.exit_code == 0, told.output
    assert "loop/? is new, and nobody who answered before could choose it" in told.output
    put = int(told.output.splitlines()[-1].split()[0])
    listed = json.loads(espalier("revisit", project, "--json").output)
    assert 0 < len(listed) == put < 24
    assert all(entry["classification"] == "loop" and "espalier-v1 agrees to" in entry["reason"] for entry in listed)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--rename", "loop"], "this takes OLD=NEW, as in Weather/Rain=Weather/Rainy"),
        (["--rename", "loop/no loop=loop/never"], "loop/never is not in the configuration"),
        (["--retire", "loops/x"], "the configuration asks no 'loops'; it asks loop"),
        (["--undo", "nothing"], "no label mapping 'nothing'"),
    ],
)
def test_what_is_wrong_is_said_in_words(espalier: Any, project: str, arguments: list[str], says: str) -> None:
    result = espalier("ontology", "map", project, *arguments)
    assert result.exit_code == 1
    assert says in result.output


def test_what_label_studio_allows_is_in_the_help(espalier: Any) -> None:
    told = " ".join(espalier("ontology", "map", "--help").output.split())
    assert "settings page refuses to take away an option that was answered" in told
    assert '<Choice value="Rainy" alias="Rain"/>' in told
