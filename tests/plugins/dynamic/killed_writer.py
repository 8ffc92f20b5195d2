"""Run as a program: an index is written by a process that is killed, again and again, at any moment.

    python killed_writer.py DIRECTORY ROUNDS SEED

Each writer is forked from here, where all is imported, so that it can be killed within its first milliseconds. It says
through a pipe when a step begins and when it was acknowledged. After each kill the index is opened and compared with
what the acknowledged steps make, with or without the step under way. Prints JSON: the kills by the
step that they fell into.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from espalier.contract import Embeddings, IndexRequest
from espalier_dynamic import FaissIndex
from espalier_dynamic.index_policy import IndexPolicy

DIM, IDS = 16, 300


class Written(FaissIndex):
    policy = IndexPolicy(exact_mb=0.008, merge_rows=0, merge_share=0)


def row(id: int, step: int) -> Embeddings:
    found = np.random.default_rng((id, step)).normal(size=DIM).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found), np.float32)


def touched(step: int) -> list[int]:
    return random.Random(step).sample(range(IDS), 12)


def kind(step: int) -> str:
    return "save" if step % 4 == 3 else "remove" if step % 4 == 2 else "add"


def take(index: FaissIndex, step: int) -> None:
    ids = np.array(touched(step), np.int64)
    if kind(step) == "save":
        index.save()
    elif kind(step) == "remove":
        index.remove(ids[:6])
    else:
        index.add(ids, np.stack([row(id, step) for id in ids.tolist()]))


def after(steps: int) -> dict[int, int]:
    """Of each id that is held then, the step that gave its row."""
    held: dict[int, int] = {}
    for step in range(steps):
        if kind(step) == "add":
            held.update(dict.fromkeys(touched(step), step))
        elif kind(step) == "remove":
            for id in touched(step)[:6]:
                held.pop(id, None)
    return held


def holds(index: FaissIndex, held: dict[int, int]) -> bool:
    ids = np.array(sorted(held), np.int64)
    if not np.array_equal(index.ids(), ids):
        return False
    if not len(ids):
        return True
    found, scores = index.search(np.stack([row(id, held[id]) for id in ids.tolist()]), 1)
    return bool((found[:, 0] == ids).all() and (scores > 0.999).all())


def main(directory: Path, rounds: int, seed: int) -> None:
    request = IndexRequest("killed", DIM, "0123456789abcdef", directory, recall=0.9)
    chance, done, killed = random.Random(seed), 0, Counter[str]()
    for _ in range(rounds):
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            index = Written.open(request)
            for step in range(done, done + 1000):
                os.write(writing, b"b")
                take(index, step)
                os.write(writing, b"a")
            os._exit(1)
        os.close(writing)
        time.sleep(chance.uniform(0, 0.08))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        acknowledged = done + said.count(b"a")
        killed[kind(acknowledged) if said.endswith(b"b") else "between"] += 1
        index = Written.open(request)
        further = acknowledged + said.endswith(b"b")
        fits = [steps for steps in (acknowledged, further) if holds(index, after(steps))]
        if not fits:
            sys.exit(f"after {acknowledged} acknowledged steps it holds something else: {index.ids().tolist()}")
        done = fits[-1]
        index.close()
    print(json.dumps({"steps": done, "report": Written.open(request).report().kind, **killed}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
