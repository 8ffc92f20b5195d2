"""Where the parts of a model version lie in its directory."""

from __future__ import annotations

MODEL = "model"
EVALUATION = "evaluation"
ANSWERED = "answered.json"
"""Which tasks show the media that were learned from, for a classifier that goes on learning from where it is."""
