"""Bundle: its server's pictures per second, over HTTP, against ONNX Runtime of the same network called by itself.

Four sides, in one run and in turns, each with all cores. `network`: ONNX Runtime on pictures that lie decoded in
memory, and nothing else, in the batches that it does most pictures with. `in 32s`: the same as people mostly write it,
in batches of 32 with the settings it comes with. `decoding + network`: the first loop, with the files read and decoded
by a pool of threads while the network computes. `server`: the files sent by two clients, decoded, embedded, scored,
decided and answered as JSON; the clients share the cores. The limit is for the same work, decoding in both sides or as
good as in neither: photographs are held against `decoding + network`, and pictures that are ready (uncompressed, of the
network's own size) against `network`. What the server reaches of the network alone is shown for both.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import requests
from PIL import Image

from espalier.bundle.opening import opened
from espalier.bundle.writing import write
from espalier.demo.pictures import IMAGE_CONFIG, write_digits
from espalier.demo.results import choices
from espalier.jobs import training, valkey
from espalier.jobs.house import House
from espalier.jobs.progress import Progress
from espalier.media.picture import read_picture
from espalier.settings import Settings

from .serving import free_port, serving

BATCH, BATCHES, PICTURES, TURNS, LIMIT = 32, (2, 4, 8, 16, 32), 256, 5, 0.85
CLIENTS, EACH = 2, 64
NETWORKS = ("mobilenetv2_100@random", "resnet50@random")
KEY = "1.1700000000"


def main() -> None:
    batches = ", ".join(map(str, BATCHES))
    about = (
        f"{PICTURES} pictures, {EACH} a request, {CLIENTS} clients; for the network alone the quickest of batches "
        f"of {batches}; median of {TURNS} turns"
    )
    print(f"{about}; load {os.getloadavg()[0]:.1f}\n")
    names = (
        "network",
        "pictures",
        "network/s",
        "in 32s/s",
        "decoding + network/s",
        "server/s",
        "of network",
        "of same work",
        "limit",
    )
    print(f"| {' | '.join(names)} |\n|{' --- |' * len(names)}")
    for network in NETWORKS:
        with tempfile.TemporaryDirectory() as scratch:
            directory = Path(scratch)
            bundle = _bundle(directory, network)
            port = free_port()
            arguments = ["bundle", "serve", bundle, "--port", port]
            with opened(bundle) as found, serving(arguments, port, directory) as url:
                path = found.directory / "network.onnx"
                size = tuple(found.manifest.models["best"]["encoder"]["input_size"])
                for kind, files in _pictures(directory, size).items():
                    _row(network, kind, files, path, size, url)


def _row(network: str, kind: str, files: list[Path], path: Path, size: tuple[int, int], url: str) -> None:
    session, batch = _quickest(path, size)
    usual = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    decoded = np.stack([read_picture(file, size) for file in files])
    requested = [_body(files[start : start + EACH], url) for start in range(0, len(files), EACH)]

    def bare() -> None:
        _run(session, decoded, batch)

    def in_32s() -> None:
        _run(usual, decoded, BATCH)

    def decoding() -> None:
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            ahead = pool.map(lambda file: read_picture(file, size), files)
            for _ in range(0, len(files), BATCH):
                _run(session, np.stack([next(ahead) for _ in range(BATCH)]), batch)

    def served() -> None:
        with ThreadPoolExecutor(CLIENTS) as clients:
            assert sum(clients.map(_answered, requested)) == len(files)

    sides: list[Callable[[], None]] = [bare, in_32s, decoding, served]
    for side in sides:
        side()
    rates: list[list[float]] = [[] for _ in sides]
    for _ in range(TURNS):
        for side, found in zip(sides, rates, strict=True):
            started = time.perf_counter()
            side()
            found.append(len(files) / (time.perf_counter() - started))
    alone, plain, with_decoding, server = (statistics.median(found) for found in rates)
    same_work = [one / other for one, other in zip(rates[3], rates[2 if kind == "photographs" else 0], strict=True)]
    print(
        f"| {network} | {kind} | {alone:.0f} | {plain:.0f} | {with_decoding:.0f} | {server:.0f} | {server / alone:.2f} "
        f"| {statistics.median(same_work):.2f} | {LIMIT} |",
        flush=True,
    )


def _quickest(path: Path, size: tuple[int, int]) -> tuple[Any, int]:
    """ONNX Runtime as it comes, or with threads that do not spin, with the batch that it does most pictures with."""
    pictures = np.zeros((BATCH, *size, 3), np.uint8)
    found: list[tuple[float, int, int, Any]] = []
    for spinning in (1, 0):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        options.add_session_config_entry("session.intra_op.allow_spinning", str(spinning))
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for batch in BATCHES:
            for _ in range(3):
                started = time.perf_counter()
                _run(session, pictures, batch)
                found.append((time.perf_counter() - started, batch, spinning, session))
    _, batch, _, session = min(found, key=lambda one: one[0])
    return session, batch


def _run(session: Any, pictures: Any, batch: int) -> None:
    for start in range(0, len(pictures), batch):
        session.run(None, {"pictures": pictures[start : start + batch]})


def _body(files: list[Path], url: str) -> requests.PreparedRequest:
    """Made beforehand: what a client does is not the server's time."""
    sent = [("file", (file.name, file.read_bytes())) for file in files]
    return requests.Request("POST", f"{url}/predict", files=sent).prepare()


def _answered(request: requests.PreparedRequest) -> int:
    with requests.Session() as http:
        answer = http.send(request, timeout=600)
    answer.raise_for_status()
    return len(answer.json()["files"])


def _pictures(directory: Path, size: tuple[int, int]) -> dict[str, list[Path]]:
    """Photographs as JPEG of 640 x 480; and the same as they are given to the network, uncompressed."""
    from sklearn.datasets import load_sample_images

    random = np.random.default_rng(0)
    photographs = load_sample_images().images
    found: dict[str, list[Path]] = {"photographs": [], "ready": []}
    for number in range(PICTURES):
        photograph = photographs[number % 2]
        top, left = int(random.integers(0, 60)), int(random.integers(0, 60))
        picture = Image.fromarray(photograph[top : top + 360, left : left + 480]).resize((640, 480))
        jpeg, ready = directory / f"{number}.jpg", directory / f"{number}.bmp"
        picture.save(jpeg, quality=88)
        picture.resize(size[::-1]).save(ready)
        found["photographs"].append(jpeg)
        found["ready"].append(ready)
    return found


def _bundle(directory: Path, network: str) -> Path:
    """Of a model of digits: what it answers does not matter here, and how many questions it asks is usual."""
    settings = Settings(
        data_dir=directory / "data", media_roots=(directory,), encoder=f"timm:{network}", precision="fp32", device="cpu"
    )
    house = House(settings)
    digits = write_digits(directory / "digits", 48)
    records = house.records
    records.put_project(KEY, id=1, title="bench", label_config=IMAGE_CONFIG)
    records.mirror_tasks(KEY, [{"id": n, "data": {"image": str(digit.path)}} for n, digit in enumerate(digits, 1)])
    given = [{"id": n, "task": n, "result": choices("image", digit.answers)} for n, digit in enumerate(digits, 1)]
    records.mirror_annotations(KEY, given)
    version = training.train(house, KEY, Progress())
    write(house, house.project(KEY), version, directory / "bundle")
    records.close()
    house.embeddings.close()
    valkey.stop(directory / "data")
    return directory / "bundle"


if __name__ == "__main__":
    main()
