"""What is told on the way, and whether to go on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from espalier.contract import Scores
from espalier.tuning import TuningReport

EVERY_S = 1.0
CURVES = "curves.json"


class Reporting:
    """Steps of search, probe and training are counted as one row; `cancelled` stays True once a person said so."""

    def __init__(self, report: Callable[[TuningReport], bool], steps: int, path: Path) -> None:
        self.steps, self.cancelled = steps, False
        self.before, self.epochs_before = 0, 0.0
        """Steps and epochs of what came before the part that reports now."""
        self._report, self._path, self._last = report, path, 0.0
        self.rows: list[dict[str, Any]] = []

    def tell(
        self, step: int, epoch: float, figures: Mapping[str, float], scores: Mapping[str, Scores] | None = None
    ) -> bool:
        """Whether to go on. Evaluations (with scores) are told always, other steps once a second."""
        step += self.before
        self.steps = max(self.steps, step)
        self._last = time.monotonic()
        self.rows.append({"step": step, "epoch": self.epochs_before + epoch, "figures": dict(figures)})
        told = TuningReport(step, self.steps, self.epochs_before + epoch, figures, scores or {})
        self.cancelled = not self._report(told) or self.cancelled
        return not self.cancelled

    def expect(self, steps: float) -> None:
        """So many steps the part that reports now will have."""
        self.steps = self.before + round(steps)

    def advance(self, before: int) -> None:
        """The next part begins after so many steps, or after those that were told already."""
        self.before = max(before, self.rows[-1]["step"] if self.rows else 0)

    def due(self) -> bool:
        return time.monotonic() - self._last >= EVERY_S

    def keep(self) -> None:
        """Write the curves so far."""
        beside = self._path.with_name(f".{self._path.name}")
        beside.write_text(json.dumps(self.rows))
        beside.replace(self._path)

    def go_on_from(self, step: int) -> None:
        """After a kill: what was told after this step will be told again."""
        try:
            rows = json.loads(self._path.read_text())
            self.rows = [row for row in rows if row["step"] <= step]
        except (OSError, ValueError, KeyError, TypeError):
            self.rows = []
