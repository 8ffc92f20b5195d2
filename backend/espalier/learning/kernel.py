"""The kernel classifier: a linear one, or where it cross-checks better, a regression on likeness to landmark frames.

Where options are not flat regions of the embeddings (several unlike looks of one option, plain pixels, histograms) the
nearest neighbours know more than any line does; this one then learns from likeness, and stays a regression with
probabilities. A linear model is kept where the difference might be chance.
"""

from __future__ import annotations

from ..contract import FoldClassifier, SteppedClassifier
from .features import Curved, Straight
from .linear import LinearClassifier


class KernelClassifier(LinearClassifier):
    """Chooses between linear and kernel features, and their strength; everything else is a linear classifier's."""

    kinds = (Straight, Curved)


_: type[FoldClassifier] = KernelClassifier
__: type[SteppedClassifier] = KernelClassifier
