"""Pretrained networks of timm as encoders, and their fine-tuning. Importing this imports neither torch nor timm."""

from .encoder import TimmEncoder
from .tuning import TimmTuner

__all__ = ["TimmEncoder", "TimmTuner"]
