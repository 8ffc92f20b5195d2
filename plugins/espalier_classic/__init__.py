"""The encoder that needs no weights: colour and gradient histograms, in numpy alone."""

from .encoder import ClassicEncoder

__all__ = ["ClassicEncoder"]
