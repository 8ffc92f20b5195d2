"""The world of `label-studio-ml`, both ways: its classes answer in Espalier, and Espalier answers where they do.

`label_studio_ml` is imported only where it is installed: by `hosted.py`, in a process of its own and perhaps another
Python, and by `model.py`, which those import who deploy with `label-studio-ml start`.
"""

from .classifier import LabelStudioMLClassifier

__all__ = ["LabelStudioMLClassifier"]
