"""How a model version is told."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from espalier.cli.versions import lines_of
from espalier.store.rows import ModelVersion


def question(name: str, **changes: Any) -> dict[str, Any]:
    options = [{"path": ["yes"], "count": 5}, {"path": ["no"], "count": 4}]
    measured = {"rows": 9.0, "accuracy": 0.789, "macro_f1": 0.6}
    return {"classification": name, "parent": [], "trained": True, "options": options, "reason": "", "notes": []} | (
        measured | changes
    )


def version(*questions: dict[str, Any]) -> ModelVersion:
    return ModelVersion(
        project_key="1.1",
        name="espalier-v3",
        state="archived",
        directory="",
        encoder={"name": "classic", "reason": "no pretrained network (a long story)"},
        ontology_fingerprint="",
        data_fingerprint="",
        metrics={"questions": list(questions)},
        created_at=datetime(2026, 11, 20, 12, tzinfo=timezone.utc),
        message="trained on 9 annotated media with classic (no pretrained network (a long story)); left out: task 3",
    )


def test_each_classification_has_a_line() -> None:
    first, *others = lines_of(version(question("night"), question("rain or snow")), serving=True)
    assert first.endswith("trained on 9 annotated media with classic; left out: task 3"), "the encoder's story is cut"
    assert others == [
        "    night         accuracy  79%  macro-F1  60%  9 frames",
        "    rain or snow  accuracy  79%  macro-F1  60%  9 frames",
    ]


def test_what_is_missing_is_said() -> None:
    many = [{"path": [f"class {number}"], "count": 0} for number in range(10)]
    lines = list(
        lines_of(
            version(
                question("night", trained=False, reason="everybody said yes: label a frame with no"),
                question("kind", options=many, notes=["few frames"]),
                question("tone", parent=["kind", "big"], notes=["few frames"]),
            ),
            serving=False,
        )
    )
    assert "archived" in lines[0]
    assert lines[1] == "    night              not trained: everybody said yes: label a frame with no"
    assert lines[2].endswith(
        "9 frames; nobody has answered: " + ", ".join(f"class {n}" for n in range(8)) + " and 2 more"
    )
    assert lines[3].startswith("    tone / kind / big")
    assert lines[4:] == ["    note: few frames"]


def test_without_details_there_is_one_line() -> None:
    assert len(list(lines_of(version(question("night")), serving=False, details=False))) == 1
