"""The kernel classifier: a linear one, or where it cross-checks better, a regression on likeness to landmark frames.

Where options are not flat regions of the embeddings (several unlike looks of one option, plain pixels, histograms) the
nearest neighbours know more than any line does; this one then learns from likeness, and stays a regression with
probabilities. A linear model is kept where the difference might be chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..contract import ConfigurableClassifier, FoldClassifier, SteppedClassifier
from .features import Curved, Straight
from .linear import STRENGTH, LinearClassifier


class KernelClassifier(LinearClassifier):
    """Chooses between linear and kernel features, and their strength; everything else is a linear classifier's."""

    kinds = (Straight, Curved)
    schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "description": "Draws curved borders where they cross-check better than flat ones: for options that look "
        "different from one frame to the next. Slower to train.",
        "properties": {
            "features": {
                "type": "string",
                "title": "Borders",
                "description": "linear: flat; kernel: by likeness to typical frames. Left empty, what cross-checks "
                "better.",
                "enum": ["linear", "kernel"],
            },
            "strength": STRENGTH,
        },
    }


_: type[FoldClassifier] = KernelClassifier
__: type[SteppedClassifier] = KernelClassifier
___: type[ConfigurableClassifier] = KernelClassifier
