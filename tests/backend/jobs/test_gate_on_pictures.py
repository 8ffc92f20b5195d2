"""The gate on real photographs with a real network: a successor passes, shuffled labels do not, and it says why."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.demo.results import choices

Row = dict[str, str]
COARSE = ("flowers", "trees", "vehicles_1")


def config(rows: Sequence[Row]) -> str:
    def control(name: str, options: Sequence[str], more: str = "") -> str:
        listed = "".join(f'<Choice value="{option}"/>' for option in options)
        return f'<Choices name="{name}" toName="image" {more}>{listed}</Choices>'

    below = 'visibleWhen="choice-selected" whenTagName="coarse" whenChoiceValue="{}"'
    fine = {coarse: sorted({row["fine"] for row in rows if row["coarse"] == coarse}) for coarse in COARSE}
    controls = [control("coarse", COARSE), *(control(f"kind of {one}", fine[one], below.format(one)) for one in COARSE)]
    return f'<View><Image name="image" value="$image"/>{"".join(controls)}</View>'


@pytest.fixture
def photographs(
    new_home: Callable[..., Any], shared: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A project of 210 small photographs, nested two deep, of which none is annotated; and its rows, shuffled."""
    images = shared("data/images/cifar100_nested")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    network = {"encoder": "timm:mobilenetv2_100", "precision": "fp32", "device": "cpu"}
    home = new_home(weights_dir=shared("data/weights"), **network)
    with (images / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["coarse"] in COARSE]
    rows = [rows[number] for number in np.random.default_rng(0).permutation(len(rows))][:210]
    home.configure(config(rows))
    names = [f"{number}.png" for number in range(len(rows))]
    for row, name in zip(rows, names, strict=True):
        shutil.copy(images / row["filename"], tmp_path / name)
    home.add_tasks([{"image": str(tmp_path / name)} for name in names])
    return home, rows


def annotate(home: Any, rows: Sequence[Row]) -> None:
    """The first tasks with the answers of these rows; those that were annotated before are corrected."""
    said = [{"coarse": row["coarse"], f"kind of {row['coarse']}": row["fine"]} for row in rows]
    ids = range(1, len(rows) + 1)
    home.annotate_all({id: choices("image", answers) for id, answers in zip(ids, said, strict=True)}, ids=ids)


def test_mixed_up_labels_do_not_serve(photographs: Any) -> None:
    home, rows = photographs
    annotate(home, rows[:180])
    assert home.train().state == "promoted"

    annotate(home, rows)
    grown = home.train()
    print("\nmore labels:", *grown.gate["reasons"])
    assert grown.state == "promoted"
    assert grown.gate["figures"]["frames"] > 180, "those labeled since count for both"

    vehicles = [number for number, row in enumerate(rows) if row["coarse"] == "vehicles_1"]
    mixed = list(rows)
    for number, other in zip(vehicles, np.random.default_rng(1).permutation(vehicles).tolist(), strict=True):
        mixed[number] = rows[other]
    annotate(home, mixed)
    one_branch = home.train()
    print("one branch:", *one_branch.gate["reasons"], sep="\n  ")
    assert (one_branch.state, home.project.served) == ("candidate", grown.name)
    assert any("vehicles_1" in reason for reason in one_branch.gate["reasons"])
    assert not any("flowers" in reason or "trees" in reason for reason in one_branch.gate["reasons"])

    annotate(home, [rows[number] for number in np.random.default_rng(1).permutation(len(rows))])
    shuffled = home.train()
    print("shuffled:", *shuffled.gate["reasons"], sep="\n  ")
    assert (shuffled.state, home.project.served) == ("candidate", grown.name)
    found = shuffled.gate["figures"]["macro_f1"]
    assert found["candidate"] < 0.35
    assert found["served"] > 0.55
    assert found["interval"][1] < -0.1
    reasons = shuffled.gate["reasons"]
    assert any(reason.startswith("it is worse than the version that serves: macro-F1 0.") for reason in reasons)
    assert any(
        "answers to 'coarse' changed, and they can hardly be told from the frames any more" in one for one in reasons
    )
