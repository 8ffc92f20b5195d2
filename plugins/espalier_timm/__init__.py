"""Pretrained networks of timm as encoders. Importing this imports neither torch nor timm."""

from .encoder import TimmEncoder

__all__ = ["TimmEncoder"]
