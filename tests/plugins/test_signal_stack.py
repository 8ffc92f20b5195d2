"""After a network was compiled, signals still find room: Ctrl+C must end a worker in order."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, signal, sys
import numpy as np, torch
from espalier.contract import EncoderRequest
from espalier_timm import TimmEncoder, signal_stack

encoder = TimmEncoder.open(EncoderRequest(model="test_resnet@random", device="cpu", precision="auto"))
encoder.encode(np.zeros((2, *encoder.spec.input_size, 3), np.uint8))
print("stack", signal_stack.size())
torch.set_num_threads(1)
tiles = torch.ones(512, 512, dtype=torch.bfloat16)  # computed with AMX where the processor has it, in this very thread
print("sum", float((tiles @ tiles).float().sum()))
signal.signal(signal.SIGTERM, lambda *_: print("handled"))
os.kill(os.getpid(), signal.SIGTERM)
print("alive")
"""


def test_a_signal_is_handled_after_openvino_and_tiles_of_bf16() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert done.stdout.splitlines()[-2:] == ["handled", "alive"]
    assert "stack 0" in done.stdout
