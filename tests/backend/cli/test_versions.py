"""How a model version is told."""

from __future__ import annotations

from dataclasses import replace
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


def test_what_it_was_trained_on_and_after_which_and_how_big_it_is() -> None:
    learned = {"frames": 9, "media": 5, "parts": {"train": 7, "validation": 2, "test": 0}}
    made = replace(version(question("night")), trained_on=learned, parent="espalier-v2", size_bytes=1_250_000)
    lines = list(lines_of(made, serving=True))
    assert lines[-1] == "    9 frames of 5 media (7 train, 2 validation); after espalier-v2; 1.2 MB"


def test_a_refused_version_says_why_even_without_details() -> None:
    why = ["it is worse: 0.3 instead of 0.9", "'night' became worse"]
    gate = {"promote": False, "reasons": why, "figures": {}}
    message = f"not promoted, espalier-v2 goes on serving: {'; '.join(why)}; trained on 9 annotated media with classic"
    refused = replace(version(question("night")), state="candidate", gate=gate, message=message)
    first, *others = lines_of(refused, serving=False, details=False)
    assert "refused" in first
    assert first.endswith("  trained on 9 annotated media with classic"), "the reasons have their own lines"
    assert others == [f"    gate: refused, {reason}" for reason in why]
    assert "serves" in next(lines_of(refused, serving=True)), "a person promoted it nevertheless"


def test_why_a_version_serves_is_a_detail() -> None:
    passed = replace(version(), gate={"promote": True, "reasons": ["the first version"], "figures": {}})
    assert list(lines_of(passed, serving=True))[-1] == "    gate: the first version"
    assert len(list(lines_of(passed, serving=True, details=False))) == 1
