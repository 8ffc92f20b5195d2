"""forecast, on a real project."""

from __future__ import annotations

import json
from typing import Any


def test_what_more_labels_would_buy_is_said_for_every_classification(espalier: Any, project: str) -> None:
    assert espalier("train", project, "--here").exit_code == 0
    told = espalier("forecast", project, "--more", "50")
    assert told.exit_code == 0, told.output
    lines = [line for line in told.output.splitlines() if "50 more labels" in line or "another 50 labels" in line]
    assert {line.partition(":")[0] for line in lines} >= {"loop"}
    rows = json.loads(espalier("forecast", project, "--json").output)
    assert rows[0]["more"] == 100
    assert {row["classification"] for row in rows} == {line.partition(":")[0] for line in lines}
    assert all(row["sentence"] for row in rows)
