"""Pretrained networks of timm: encoders, their own classes, their fine-tuning. Imports neither torch nor timm."""

from .encoder import TimmEncoder
from .pretrained import PretrainedClassifier
from .tuning import TimmTuner

__all__ = ["PretrainedClassifier", "TimmEncoder", "TimmTuner"]
