"""Fine-tuning. Importing this imports neither torch nor timm."""

from .tuner import TimmTuner

__all__ = ["TimmTuner"]
