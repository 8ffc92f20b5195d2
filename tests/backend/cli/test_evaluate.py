"""`espalier evaluate`: figures of a version that was trained, and what its tables say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from espalier.cli.evaluation_tables import part_tables

Espalier = Callable[..., Result]


@pytest.fixture
def trained(espalier: Espalier, project: str) -> str:
    assert espalier("train", project, "--here").exit_code == 0
    return project


def kept(data_dir: Path) -> Path:
    (found,) = (data_dir / "versions").glob("*/*/evaluation/evaluation.json")
    return found


def test_tables_for_people_and_json_for_programs(espalier: Espalier, trained: str, data_dir: Path) -> None:
    shown = espalier("evaluate", trained)
    assert shown.exit_code == 0, shown.output
    assert "espalier-v1 on " in shown.output
    for word in ("accuracy", "macro F1", "ROC-AUC", "calibration error", "is \\ answered", "(nothing)", "cutoff"):
        assert word in shown.output
    assert "nan" not in shown.output.lower()
    told = espalier("evaluate", trained, "espalier-v1", "--json")
    summary = json.loads(told.output)
    assert summary["version"] == "espalier-v1"
    assert set(summary["parts"]) == {"train", "validation", "test", "cross"}
    for part in summary["parts"]:
        assert espalier("evaluate", trained, "--part", part).exit_code == 0


def test_one_that_was_lost_or_changed_is_computed_anew(espalier: Espalier, trained: str, data_dir: Path) -> None:
    before = espalier("evaluate", trained, "--json").output
    path = kept(data_dir)
    path.write_text(path.read_text().replace('"accuracy": 0', '"accuracy": 1'))
    assert espalier("evaluate", trained, "--json").output == before
    (path.parent / "arrays.safetensors").unlink()
    assert espalier("evaluate", trained, "--json").output == before
    assert kept(data_dir).read_text(), "it is kept again"


def test_what_is_not_there_is_said_in_one_line(espalier: Espalier, project: str) -> None:
    nothing = espalier("evaluate", project)
    assert nothing.exit_code == 1
    assert "has no model version that serves" in nothing.output


def question(name: str, *options: str) -> dict[str, Any]:
    """Perfect but for the second option, which is never found."""
    figures = ("accuracy", "subset_accuracy", "coverage", "hamming_loss", "roc_auc", "average_precision", "matthews",
               "kappa", "cross_entropy", "brier", "confidence", "ece")  # fmt: skip
    averages = [f"{kind}_{what}" for kind in ("micro", "macro", "weighted") for what in ("precision", "recall", "f1")]
    return {
        "classification": name,
        "parent": [],
        "rows": 20,
        **dict.fromkeys([*figures, *averages], 0.5),
        "top_3": None,
        "top_5": None,
        "uncalibrated": {"cross_entropy": 0.75, "brier": 0.7, "confidence": 0.9, "ece": 0.25},
        "intervals": {"accuracy": [0.4, 0.6], "subset_accuracy": None, "macro_f1": [0.3, 0.7]},
        "confusion": [[10, 0, 0], [0, 0, 10], [0, 0, 0]],
        "options": [
            {
                "path": [option], "cutoff": 0.5, "positives": 10, "negatives": 10, "answered": 10 if first else 0,
                "right": 10 if first else 0, "precision": 1.0 if first else None, "recall": float(first),
                "f1": float(first), "f1_interval": [0.0, 0.125] if first else None, "roc_auc": 1.0,
                "average_precision": 1.0, "matthews": 1.0 if first else None, "confidence": 0.75 if first else None,
            }
            for option, first in zip(options, (True, False), strict=False)
        ],
    }  # fmt: skip


def summary(*questions: dict[str, Any], video: dict[str, Any] | None = None) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "rows": 20, "precision": 1.0, "recall": 0.5, "f1": 2 / 3, "subset_accuracy": 0.5, "child_rows": 4,
        "child_rows_reached": 0, "conditional_child_accuracy": None, "end_to_end_child_accuracy": 0.25,
        "orphan_rate": 0.0, "classifications": {},
    }  # fmt: skip
    part = {"rows": 20, "questions": list(questions), "hierarchy": tree, "video": video or {}}
    return {"questions": [{"exclusive": True}] * len(questions), "parts": {"test": part}}


def test_what_the_tables_say() -> None:
    lines = list(part_tables(summary(question("sky", "sun", "rain")), "test"))
    text = "\n".join(lines)
    assert lines[1] == "sky: 20 frames"
    assert "  accuracy              50.0 %  (40.0 to 60.0, 95 %)" in lines
    assert "  calibration error     50.0 %  (25.0 % before calibration)" in lines
    assert "top 3" not in text, "there are not that many options"
    assert "Hamming" not in text, "one option holds per frame"
    rows = [line.split() for line in lines]
    assert [
        "rain",
        "10",
        "10",
        "0",
        "-",
        "0.0",
        "%",
        "0.0",
        "%",
        "-",
        "100.0",
        "%",
        "100.0",
        "%",
        "-",
        "-",
        "0.50",
    ] in rows
    assert ["is", "\\", "answered", "sun", "rain", "(nothing)"] in rows
    assert ["rain", ".", ".", "10"] in rows
    assert "  children, end to end      25.0 % of 4 answers below a parent" in lines
    assert "parent found" not in text, "none was"
    assert "  without their parent      0.0 % of the frames" in lines


def test_a_matrix_too_wide_to_read_is_left_out_and_an_empty_question_is_a_line() -> None:
    wide = question("sky", "sun", "rain")
    wide["options"] *= 7
    empty = {"classification": "sea", "parent": [], "rows": 0}
    lines = list(part_tables(summary(wide, empty), "test"))
    assert not any("is \\ answered" in line for line in lines)
    assert "sea: 0 frames" in lines


def test_videos_have_a_table() -> None:
    figures = {"frame_accuracy": 0.9, "edit": None, "f1_10": 1.0, "f1_25": 0.8, "f1_50": 0.5}
    pooled = {name: value for name, value in figures.items() if name != "edit"}
    video = {"tl": {"videos": 2, "frames": 300, **figures, "pooled": pooled}}
    rows = [line.split() for line in part_tables(summary(question("tl", "run", "jump"), video=video), "test")]
    assert ["tl,", "ranges", "on", "2", "videos", "(300", "frames)"] in rows
    assert ["frames", "90.0", "%", "90.0", "%"] in rows
    assert ["edit", "score", "-", "-"] in rows
