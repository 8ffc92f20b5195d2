"""Memory that is freed is kept for the next request.

glibc gives large pieces back to the system as soon as they are free, and the next request has them made anew, page by
page: a tenth of the time that a small network takes for a picture.
"""

from __future__ import annotations

import ctypes

# From glibc's malloc.h: what each is for, and the bytes from which on memory is given back, or asked for by itself.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = (-1, 64 << 20), (-3, 32 << 20)


def keep() -> bool:
    """For this process, from now on. False where the C library knows no such thing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(*option) for option in (_TRIM_THRESHOLD, _MMAP_THRESHOLD))
