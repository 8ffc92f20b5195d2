"""Video, measured: first run, against a plain backend, from the store, and memory.

    python -m bench.video [--rounds 5] [--clips DIRECTORY] [--weights DIRECTORY] [first plain cached memory]

What is compared is timed in turns, round by round, in one process with fixed threads; the tables give
medians, and ratios taken within a round. On a busy machine only those mean something: each round prints a calibration
and the load average.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from espalier.contract import EncoderRequest, Pictures
from espalier.jobs.embedding import embed
from espalier.media.media import Media
from espalier.plugins.checked import CheckedEncoder
from espalier.plugins.choice import choose_encoder
from espalier.plugins.installed import encoders
from espalier.store.embeddings import EmbeddingStore
from espalier_ontology.frames import Frames

from .clip import make_clip, open_clip

CORES = len(os.sched_getaffinity(0))
SIZES = {"1080p": (1080, 1920), "480p": (480, 854)}
PLAIN_FRAMES = 48
CLASSES = 20
CACHED_FRAMES = 10_000

Timing = tuple[float, float]
"""Wall and CPU seconds."""


def timed(work: Callable[[], object]) -> Timing:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def in_turns(cases: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[Timing]]:
    """Wall and CPU seconds of each case in each round; every round runs all of them once."""
    timings: dict[str, list[Timing]] = {name: [] for name in cases}
    for turn in range(rounds):
        print(f"<!-- round {turn + 1}: fp32 matmul {calibration():.0f} GFLOP/s, load {os.getloadavg()[0]:.1f} -->")
        for name, case in cases.items():
            timings[name].append(timed(case))
    return timings


def rates(timings: list[Timing], frames: int, *, cpu: bool = False) -> list[float]:
    """Frames per second, round by round."""
    return [frames / (timing[1] if cpu else timing[0]) for timing in timings]


def rounds_of(ratios: Iterable[float]) -> str:
    """The median of ratios that were taken within one round each, and how far the rounds lie apart."""
    ordered = sorted(ratios)
    return f"{statistics.median(ordered):.2f} ({ordered[0]:.2f} to {ordered[-1]:.2f})"


def calibration() -> float:
    left = np.ones((2048, 2048), np.float32)
    return 2 * 2048**3 / timed(lambda: left @ left)[0] / 1e9


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def table(*heads: str) -> None:
    print()
    row(*heads)
    row(*("---" for _ in heads))


class Bench:
    def __init__(self, arguments: argparse.Namespace, scratch: Path) -> None:
        self.rounds: int = arguments.rounds
        self.frames: int = arguments.frames
        self.clips: Path = arguments.clips or scratch
        self.clips.mkdir(parents=True, exist_ok=True)
        self.scratch = scratch
        self.weights: Path | None = arguments.weights
        self.models: list[str] = arguments.models

    def encoder(self, name: str) -> CheckedEncoder:
        request = EncoderRequest(
            device="cpu", threads=CORES, weights_dir=self.weights, cache_dir=self.scratch / "encoders"
        )
        return choose_encoder(name, request, encoders())

    def clip(self, size: str) -> Media:
        return open_clip(make_clip(self.clips / f"{size}-{self.frames}.mp4", SIZES[size], self.frames))

    def embed(self, media: Media, encoder: CheckedEncoder) -> None:
        with tempfile.TemporaryDirectory(dir=self.scratch) as directory:
            store = EmbeddingStore(Path(directory))
            report = embed([(media, Frames.of((0, media.length)))], encoder, store)
            assert report.frames == media.length
            store.close()

    def first(self) -> None:
        """(a) End to end against the slower of its two halves, and against one half after the other.

        A half alone keeps every core busy: where both cost about the same, no overlap on a CPU can reach the slower
        one, and what is gained over one after the other is the waiting that was saved.
        """
        table("clip", "encoder", "decode f/s", "encode f/s", "both f/s", "of the slower half", "of one after the other")
        for size in SIZES:
            for model in self.models:
                self._first(size, model)

    def _first(self, size: str, model: str) -> None:
        media, encoder = self.clip(size), self.encoder(model)
        everything = Frames.of((0, media.length))
        batches = [pictures for _, pictures in media.pictures(everything, encoder.spec.input_size)]
        times = in_turns(
            {
                "decode": lambda: _exhaust(media.pictures(everything, encoder.spec.input_size)),
                "encode": lambda: _exhaust(encoder.encode_stream(batches)),
                "both": lambda: self.embed(media, encoder),
            },
            self.rounds,
        )
        halves = [rates(times[name], media.length) for name in ("decode", "encode")]
        both = rates(times["both"], media.length)
        of_slower = [whole / min(decode, encode) for decode, encode, whole in zip(*halves, both, strict=True)]
        of_sequence = [whole * (1 / decode + 1 / encode) for decode, encode, whole in zip(*halves, both, strict=True)]
        row(
            size, _named(encoder), *(f"{statistics.median(some):.0f}" for some in (*halves, both)),
            rounds_of(of_slower), rounds_of(of_sequence),
        )  # fmt: skip

    def plain(self) -> None:
        """(b) The same network in the usual way: OpenCV, Pillow, torch in fp32, one frame at a time."""
        table("clip", "encoder", "plain f/s", "ours f/s", "times as fast", "times per CPU second")
        for size in SIZES:
            for model in self.models:
                self._plain(size, model)

    def _plain(self, size: str, model: str) -> None:
        media, encoder = self.clip(size), self.encoder(model)
        file = media.files[0]
        assert file is not None
        one_by_one = _plain_backend(model, self.weights)
        times = in_turns(
            {"plain": lambda: one_by_one(file.path, PLAIN_FRAMES), "ours": lambda: self.embed(media, encoder)},
            self.rounds,
        )
        cells = []
        for cpu in (False, True):
            plain, ours = (
                rates(times[name], frames, cpu=cpu)
                for name, frames in (("plain", PLAIN_FRAMES), ("ours", media.length))
            )
            if not cpu:
                cells += [f"{statistics.median(plain):.1f}", f"{statistics.median(ours):.0f}"]
            cells.append(rounds_of(after / before for before, after in zip(plain, ours, strict=True)))
        row(size, _named(encoder), *cells)

    def cached(self) -> None:
        """(c) The same video again: nothing is decoded, rows are read and multiplied."""
        media = self.clip("480p")
        encoder = self.encoder(self.models[0])
        rng = np.random.default_rng(0)
        rows = rng.normal(size=(CACHED_FRAMES, encoder.spec.dim)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        coefficients = rng.normal(size=(CLASSES, encoder.spec.dim)).astype(np.float32)
        frames = Frames.of((0, CACHED_FRAMES))
        with tempfile.TemporaryDirectory(dir=self.scratch) as directory:
            store = EmbeddingStore(Path(directory))
            for start in range(0, CACHED_FRAMES, 256):
                numbers = np.arange(start, min(start + 256, CACHED_FRAMES))
                store.write(encoder.spec.digest, "again", numbers, rows[numbers])

            def again() -> None:
                assert not store.missing(encoder.spec.digest, "again", frames)
                _, found = store.read(encoder.spec.digest, "again", frames)
                assert (found @ coefficients.T).shape == (CACHED_FRAMES, CLASSES)

            times = in_turns({"again": again, "first": lambda: self.embed(media, encoder)}, self.rounds)
            store.close()
        first_s, again_s = (statistics.median(wall for wall, _ in times[name]) for name in ("first", "again"))
        first_s *= CACHED_FRAMES / media.length
        table("encoder", "first run of 10,000 frames s (by its rate)", "again, scores of 20 classes ms", "times")
        row(_named(encoder), f"{first_s:.1f}", f"{again_s * 1000:.0f}", f"{first_s / again_s:.0f}")

    def memory(self) -> None:
        """(f) Peak memory of a fresh process: two minutes against two hours."""
        table("video", "frames", "peak MB", "of the short one", "seconds")
        peaks: list[float] = []
        for name, minutes in (("two minutes", 2), ("two hours", 120)):
            rate = 10
            path = make_clip(self.clips / f"small-{minutes}.mp4", (72, 128), minutes * 60 * rate, rate=rate)
            started = time.monotonic()
            command = [sys.executable, "-m", "bench.video", "--inside", str(path), str(self.scratch / str(minutes))]
            answer = subprocess.run(command, check=True, capture_output=True, text=True)
            frames, kilobytes = answer.stdout.split()[-2:]
            peaks.append(int(kilobytes) / 1024)
            row(name, frames, f"{peaks[-1]:.0f}", f"{peaks[-1] / peaks[0]:.2f}", f"{time.monotonic() - started:.0f}")


def embed_and_report(path: Path, directory: Path) -> None:
    """What the memory section runs in a process of its own: embed all frames, then go through all rows."""
    media = open_clip(path)
    encoder = choose_encoder("classic", EncoderRequest(), encoders())
    store = EmbeddingStore(directory)
    everything = Frames.of((0, media.length))
    report = embed([(media, everything)], encoder, store)
    seen = sum(len(numbers) for numbers, _ in store.blocks(encoder.spec.digest, media.digest, everything))
    assert seen == media.length == report.frames + report.held
    store.close()
    # Not getrusage: its peak is inherited from the process that started this one.
    status = Path("/proc/self/status").read_text()
    print(media.length, status.partition("VmHWM:")[2].split()[0])


def _plain_backend(model: str, weights: Path | None) -> Callable[[Path, int], object]:
    import cv2
    import torch
    from PIL import Image

    from espalier_timm.network import build
    from espalier_timm.weights import find_weights

    name = model.removeprefix("timm:")
    module, description = build(find_weights(EncoderRequest(model=name, weights_dir=weights), "cpu"))
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (description.mean, description.std))
    torch.set_num_threads(CORES)
    cv2.setNumThreads(CORES)

    def run(path: Path, frames: int) -> list[Pictures]:
        video = cv2.VideoCapture(str(path))
        rows = []
        for _ in range(frames):
            _, picture = video.read()
            image = Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).resize(description.input_size[::-1])
            values = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
            with torch.no_grad():
                features = module((values - mean) / std)
            rows.append(torch.nn.functional.normalize(features).numpy())
        video.release()
        return rows

    return run


def _exhaust(items: Iterator[object]) -> None:
    for _ in items:
        pass


def _named(encoder: CheckedEncoder) -> str:
    return f"{encoder.spec.name} {getattr(getattr(encoder.encoder, 'runtime', None), 'precision', '')}"


def main() -> None:
    if sys.argv[1:2] == ["--inside"]:
        embed_and_report(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    sections = ["first", "plain", "cached", "memory"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=480, help="length of the clips")
    parser.add_argument("--clips", type=Path, help="where clips are kept between calls")
    parser.add_argument("--weights", type=Path, help="a directory of <timm name>.safetensors")
    parser.add_argument("--models", nargs="+", default=["timm:resnet50@random", "timm:mobilenetv2_100@random"])
    parser.add_argument("sections", nargs="*", default=sections)
    arguments = parser.parse_args()
    print(f"{CORES} cores, load {os.getloadavg()[0]:.1f}, fp32 matmul {calibration():.0f} GFLOP/s")
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(arguments, Path(directory))
        for section in arguments.sections:
            print(f"\n## {section}")
            getattr(bench, section)()


if __name__ == "__main__":
    main()
