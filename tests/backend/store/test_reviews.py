"""What is read of predictions to review them, on both databases."""

from __future__ import annotations

import json

from espalier.store.records import Records
from espalier.store.rows import Prediction

KEY = "1.1700000000"
RESULT = [{"from_name": "Weather", "type": "choices", "value": {"choices": ["Snow ❄"]}, "score": 0.5}]


def test_predictions_are_told_as_text_by_task_and_then_only_what_is_new(records: Records) -> None:
    records.put_project(KEY, id=1, title="", label_config="<View/>")
    records.put_predictions([Prediction(KEY, task, "v1", "x", RESULT, 0.5) for task in (2, 1)])
    records.put_predictions([Prediction(KEY, 3, "v2", "x", RESULT, 0.5)])
    told = records.prediction_texts(KEY, "v1")
    assert [(task, json.loads(text), score) for task, text, score in told] == [(1, RESULT, 0.5), (2, RESULT, 0.5)]
    _, position = records.predicted(KEY, "v1")
    assert records.prediction_texts(KEY, "v1", since=position) == []
    records.put_predictions([Prediction(KEY, 2, "v1", "x", [], 0.0)])
    assert records.prediction_texts(KEY, "v1", since=position) == [(2, "[]", 0.0)]
