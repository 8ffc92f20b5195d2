"""Freed memory is not made anew, page by page."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import io, resource, sys, threading
from espalier.bundle import freed_memory

if sys.argv[1] == "kept" and not freed_memory.keep():
    print("none")
    sys.exit()

def requests():
    for _ in range(20):
        held = []
        for _ in range(64):
            file = io.BytesIO()
            for _ in range(3):
                file.write(bytes(50_000))
            held.append(file.getvalue())

before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
thread = threading.Thread(target=requests)
thread.start()
thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """Pages that a thread had made while it took in, and forgot, twenty times 64 files."""
    told = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, check=True, text=True).stdout
    if told == "none\n":
        pytest.skip("this C library cannot be told to keep what is freed")
    return int(told)


def test_kept_memory_is_not_made_anew() -> None:
    assert faults("kept") < faults("given back") / 4
