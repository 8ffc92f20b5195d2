from __future__ import annotations

from pathlib import Path

import pytest

from espalier.classification_settings import ClassificationSettings, checked, together
from espalier.errors import BadSetting
from espalier.settings import Settings


def test_a_file_chooses_for_every_project_or_for_one(tmp_path: Path) -> None:
    (tmp_path / "espalier.yaml").write_text(
        """
classifications:
  Weather: {plugin: dynamic, score_threshold: 0.8}
  12/Weather: {plugin: kernel}
  12/Road/Surface: {negatives: all}
"""
    )
    chosen = Settings.read({}, tmp_path / "espalier.yaml").classifications
    assert chosen.of(7) == {
        "Weather": {"model_plugin": "dynamic", "model_score_threshold": "0.8"},
        "12/Weather": {"model_plugin": "kernel"},
        "12/Road/Surface": {"model_negatives": "all"},
    }
    own = chosen.of(12)
    assert own["Weather"] == {"model_plugin": "kernel", "model_score_threshold": "0.8"}
    assert own["Road/Surface"] == {"model_negatives": "all"}


def test_the_environment_takes_the_same_as_json() -> None:
    given = Settings.read({"ESPALIER_CLASSIFICATIONS": '{"Weather": {"plugin": "dynamic"}}'}).classifications
    assert given.of(1) == {"Weather": {"model_plugin": "dynamic"}}
    assert ClassificationSettings.parse(str(given), "again") == given
    assert not Settings.read({}).classifications


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param("{Weather", "not valid JSON", id="broken JSON"),
        pytest.param(["Weather"], "must be `classification:", id="a list"),
        pytest.param({"Weather": "dynamic"}, "'Weather' must hold `plugin: dynamic`", id="no mapping"),
        pytest.param({"Weather": {"plugn": "dynamic"}}, "no setting 'plugn'; known are plugin", id="a typing error"),
        pytest.param({"Weather": {"score_threshold": 3}}, "must be a number within 0 and 1", id="no share"),
        pytest.param({"Weather": {"negatives": "some"}}, "one of auto, all, span, none", id="no policy"),
        pytest.param({"Weather": {"plugin": ""}}, "plugin is empty", id="empty"),
    ],
)
def test_mistakes_are_told_with_where_they_stand(value: object, words: str) -> None:
    with pytest.raises(BadSetting, match=r"classifications in espalier\.yaml") as refused:
        ClassificationSettings.parse(value, "classifications in espalier.yaml")
    assert words in str(refused.value)


def test_what_comes_later_holds() -> None:
    assert together({"a": {"x": "1", "y": "1"}}, {"a": {"x": "2"}, "b": {"x": "3"}}) == {
        "a": {"x": "2", "y": "1"},
        "b": {"x": "3"},
    }


def test_code_is_named_for_one_classification_and_seen_by_nobody_else() -> None:
    written = {
        "Weather": {"plugin": "label_studio_ml", "class": "a:B", "with": {"password": "secret"}},
        "7/Weather": {"class": "c:D"},
    }
    found = ClassificationSettings.parse(written, "espalier.yaml")
    assert found.of(7)["Weather"] == {"model_plugin": "label_studio_ml"}
    assert found.code(7, "Weather") == {"model_class": "c:D", "model_with": '{"password": "secret"}'}
    assert found.code(8, "Weather")["model_class"] == "a:B"
    assert found.code(8, "Other") == {}
    with pytest.raises(BadSetting, match="which the operator alone may do"):
        checked({"class": "a:B"}, "project 7")
