"""Networks of open_clip: pictures and words in one space, so that frames are found by words. Imports no torch."""

from .encoder import OpenClipEncoder

__all__ = ["OpenClipEncoder"]
