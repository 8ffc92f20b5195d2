"""The stack on which a thread's signals are handled.

OpenVINO's CPU plugin gives the thread that compiles a network an alternate signal stack of the least size there is.
Python handles Ctrl+C and SIGTERM on it. As soon as the thread itself has computed with AMX tiles (bf16 or int8, under
torch or ONNX Runtime), the kernel has more to save than fits, and the process dies of a segmentation fault instead of
ending in order. Without an alternate stack signals are handled on the ordinary one, which is large.
"""

from __future__ import annotations

import ctypes
import sys

_DISABLED = 2  # SS_DISABLE


class _Stack(ctypes.Structure):
    """stack_t of Linux."""

    _fields_ = (("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


def size() -> int:
    """Of this thread's alternate signal stack, in bytes; 0 where it has none."""
    if sys.platform != "linux":
        return 0
    stack = _Stack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack))
    return 0 if stack.flags & _DISABLED else int(stack.size)


def drop() -> None:
    """From now on this thread handles signals on its ordinary stack."""
    if size():
        ctypes.CDLL(None).sigaltstack(ctypes.byref(_Stack(None, _DISABLED, 0)), None)
