"""Where the parts of a model version lie in its directory."""

from __future__ import annotations

MODEL = "model"
EVALUATION = "evaluation"
