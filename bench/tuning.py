"""What is a fine-tuning worth, and what does its machinery cost? Prints two tables; run it on a quiet machine.

    python -m bench.tuning [--data ../shared/data] [--sets trees_tiny,...] [--seeds 1] [--imgsz 128] [--rounds 7]

First table: pictures a second of the tuner (pictures from its memory map, standard augmentation, moving average,
clipping) against a bare training loop of the same model on tensors that are in memory already, in turns of three
steps. On a machine where others work, too, look at the ratio of the CPU seconds.
Second table: accuracy of a linear classifier on frozen embeddings against the fine-tuned network, both at the same
size of pictures and on the same splits (55 % learned from, 15 % to choose by, 30 % judged). A frozen classifier needs
nothing to choose by, so it is shown learning from the same 55 %, and from all 70 %.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file

from espalier.contract import EncoderRequest, Ids, Pictures
from espalier.learning.linear import LinearClassifier
from espalier.tuning import TuningData, TuningHead, TuningReport
from espalier.tuning_parameters import TuningParameters
from espalier_timm import TimmEncoder, TimmTuner

SETS = {
    "trees_tiny": "label",
    "clothing10": "label",
    "day_night": "label",
    "pcb_tiles": "quality",
    "cifar100_nested": "fine",
    "traffic_light_imbalanced": "label",
}
GROUPS = {"pcb_tiles": "source_image"}
"""Pictures that share this are never on two sides."""
TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True)
class Set:
    pictures: Pictures
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]


def load(root: Path, name: str, side: int) -> Set:
    with (root / "images" / name / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    pictures = np.stack([_picture(root / "images" / name / row["filename"], side) for row in rows])
    labels = np.unique([row[SETS[name]] for row in rows], return_inverse=True)[1]
    groups = np.unique([row.get(GROUPS.get(name, "filename"), "") for row in rows], return_inverse=True)[1]
    return Set(pictures, labels, groups)


def _picture(path: Path, side: int) -> Pictures:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC))


def split(found: Set, seed: int) -> NDArray[np.int8]:
    """By group, stratified by the label of a group's first picture."""
    rng, parts = np.random.default_rng(seed), np.zeros(len(found.labels), np.int8)
    groups, first = np.unique(found.groups, return_index=True)
    for label in np.unique(found.labels):
        mine = rng.permutation(groups[found.labels[first] == label])
        test, chosen = round(0.3 * len(mine)), round(0.45 * len(mine))
        parts[np.isin(found.groups, mine[test:chosen])] = VALIDATION
        parts[np.isin(found.groups, mine[:test])] = TEST
    return parts


def frozen(found: Set, parts: NDArray[np.int8], embeddings: NDArray[np.float32], learned: tuple[int, ...]) -> float:
    """Accuracy on the test part, in percent. learned: the parts that it learns from."""
    known = np.flatnonzero(np.isin(parts, learned))
    targets = np.eye(int(found.labels.max()) + 1, dtype=np.float32)[found.labels[known]]
    classifier = LinearClassifier()
    classifier.fit(embeddings[known], targets, targets >= 0, known, exclusive=True, seed=0)
    return percent(classifier.predict(embeddings[parts == TEST]), found.labels[parts == TEST])


def percent(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    return float(100 * (scores.argmax(axis=1) == labels).mean())


def tuned(
    found: Set, parts: NDArray[np.int8], request: EncoderRequest, parameters: TuningParameters
) -> tuple[float, float, float]:
    """Accuracy of best and of last on the test part, in percent, and seconds."""
    shown = np.flatnonzero(parts != TEST)
    targets = np.eye(int(found.labels.max()) + 1, dtype=np.float32)[found.labels[shown]]
    head = TuningHead("head", True, targets, targets >= 0, np.ones_like(targets))

    def read(numbers: Ids, size: tuple[int, int]) -> Iterator[tuple[Ids, Pictures]]:
        for rows in np.array_split(numbers, -(-len(numbers) // 64)):
            yield rows, found.pictures[shown[rows]]

    def report(told: TuningReport) -> bool:
        if told.scores:
            figures = {name: round(value, 4) for name, value in told.figures.items()}
            print(f"    epoch {told.epoch:g} {figures}", flush=True)
        return True

    with tempfile.TemporaryDirectory() as directory:
        started = time.perf_counter()
        data = TuningData((head,), parts[shown], read)
        TimmTuner.open(request, data, parameters).tune(Path(directory), report)
        seconds = time.perf_counter() - started
        reached = [judged(Path(directory) / name, found, parts, request) for name in ("best", "last")]
    return reached[0], reached[1], seconds


def judged(directory: Path, found: Set, parts: NDArray[np.int8], request: EncoderRequest) -> float:
    encoder = TimmEncoder.open(EncoderRequest(device=request.device, precision="fp32", directory=directory))
    heads = load_file(directory / "heads.safetensors")
    embeddings = encoder.encode(found.pictures[parts == TEST])
    logits = embeddings @ heads["head.coefficients"].T + heads["head.intercepts"]
    return percent(logits, found.labels[parts == TEST])


def accuracy(root: Path, names: list[str], seeds: int, parameters: TuningParameters) -> None:
    """parameters: of all trainings, with imgsz."""
    side = parameters.imgsz or 224
    request = EncoderRequest(model=parameters.model, device="cpu", weights_dir=root / "weights", precision="fp32")
    lines = []
    for name in names:
        found = load(root, name, side)
        embeddings = _embeddings(found.pictures, request, side)
        results = []
        for seed in range(seeds):
            parts = split(found, seed)
            still = [frozen(found, parts, embeddings, learned) for learned in ((TRAIN,), (TRAIN, VALIDATION))]
            results.append((*still, *tuned(found, parts, request, parameters)))
            print("  " + " ".join(f"{value:.1f}" for value in results[-1]), flush=True)
        same, more, best, last, seconds = (statistics.mean(column) for column in zip(*results, strict=True))
        figures = f"{same:9.1f}{more:9.1f}{best:9.1f}{last:9.1f}{best - same:+9.1f}{best - more:+9.1f}{seconds:9.0f}"
        lines.append(f"{name:26}{figures}")
        print("  " + lines[-1], flush=True)
    print(f"\n{seeds} seeds, {side} x {side}, {parameters.model}, {parameters.preset}, accuracy on the test part, %")
    heads = ("frozen", "of 70 %", "best", "last", "points", "of 70 %", "seconds")
    print(f"{'':26}{''.join(f'{head:>9}' for head in heads)}")
    print("\n".join(lines))


def _embeddings(pictures: Pictures, request: EncoderRequest, side: int) -> NDArray[np.float32]:
    """Of the network as it comes, at this size."""
    from espalier_timm.network import build
    from espalier_timm.runtime import unit
    from espalier_timm.torch_runtime import TorchRuntime
    from espalier_timm.weights import find_weights

    module, description = build(find_weights(request, "cpu"), (side, side))
    runtime = TorchRuntime(module, description, "cpu", "fp32", 0)
    return np.concatenate([unit(rows) for rows in runtime.stream(np.array_split(pictures, -(-len(pictures) // 32)))])


def throughput(model: str, side: int, batch: int, rounds: int, device: str, limit: float = 0.85) -> None:
    """One epoch of the tuner against as many steps of a bare loop."""
    from espalier_timm.tuning.checkpoint import Standing
    from espalier_timm.tuning.layers import learning_mode
    from espalier_timm.tuning.reporting import Reporting
    from espalier_timm.tuning.training import Training

    count = batch * (3 if device == "cpu" else 40)
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (count + batch, side, side, 3), dtype=np.uint8)
    targets = np.eye(10, dtype=np.float32)[rng.integers(0, 10, len(pictures))]
    head = TuningHead("head", True, targets, targets >= 0, np.ones_like(targets))

    def read(numbers: Ids, size: tuple[int, int]) -> Iterator[tuple[Ids, Pictures]]:
        yield numbers, pictures[numbers]

    parts = (np.arange(len(pictures)) >= count).astype(np.int8)
    options = {"model": model, "pretrained": False, "imgsz": side, "batch_size": batch, "epochs": 100}
    parameters = TuningParameters.from_json({**options, "amp": "fp32" if device == "cpu" else "bf16"})
    tuner = TimmTuner.open(EncoderRequest(device=device), TuningData((head,), parts, read), parameters)
    with tempfile.TemporaryDirectory() as directory:
        reporting = Reporting(lambda told: True, 0, Path(directory) / "curves.json")
        training = Training.prepared(tuner.assignment, Path(directory), reporting, "")
        assert training is not None
        course, copied = training.course(), training.course(copied=True)
        bare = Bare(copied.network, training.description, pictures, targets, batch, course.device, course.plan.bf16)
        learning_mode(bare.network, batch, scratch=True)
        standing = Standing("")
        walls: dict[str, list[float]] = {"tuner": [], "bare": []}
        works: dict[str, list[float]] = {"tuner": [], "bare": []}
        for number in range(rounds + 1):
            for name in walls:
                wall, work = time.perf_counter(), time.process_time()
                if name == "tuner":
                    course._epoch(standing, wall, reporting)
                else:
                    bare.run(count // batch)
                if number:  # the first warms up
                    walls[name].append(time.perf_counter() - wall)
                    works[name].append(time.process_time() - work)
    ratios = [theirs / mine for mine, theirs in zip(walls["tuner"], walls["bare"], strict=True)]
    rates = [count / statistics.median(walls[name]) for name in ("tuner", "bare")]
    print(
        f"{model:20}{side:5}{batch:6}{rates[0]:8.1f}{rates[1]:8.1f}{statistics.median(ratios):8.2f}{min(ratios):8.2f}"
        f"{max(ratios):8.2f}{sum(works['bare']) / sum(works['tuner']):8.2f}{limit:8.2f}",
        flush=True,
    )


class Bare:
    """The shortest training loop there is: forward, loss, backward, AdamW."""

    def __init__(
        self, network: Any, description: Any, pictures: Any, targets: Any, batch: int, device: Any, bf16: bool
    ) -> None:
        self.network, self.device, self.bf16 = network, device, bf16
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (description.mean, description.std))
        few = torch.from_numpy(pictures[: 2 * batch]).permute(0, 3, 1, 2).float() / 255
        values = ((few - mean) / std).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.batches = list(zip(values.split(batch), torch.from_numpy(targets).to(device).split(batch), strict=False))
        self.solver = torch.optim.AdamW(network.parameters(), lr=1e-5, foreach=True)

    def run(self, steps: int) -> None:
        for step in range(steps):
            pictures, targets = self.batches[step % len(self.batches)]
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
                logits = self.network(pictures)
            loss = torch.nn.functional.cross_entropy(logits.float(), targets)
            self.solver.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            self.solver.step()
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--imgsz", type=int, default=96)
    parser.add_argument("--model", default="MOBILENET_V2")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--lr", type=float)
    parser.add_argument("--augment", default="standard")
    given = parser.parse_args()
    if given.rounds:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        print(f"pictures a second while learning, on {device}; load {os.getloadavg()[0]:.1f}")
        heads = ("tuner", "bare", "ratio", "min", "max", "by CPU", "limit")
        print(f"{'':20}{'side':>5}{'batch':>6}{''.join(f'{head:>8}' for head in heads)}")
        sizes = [("resnet18", 96, 32), ("mobilenetv2_100", 96, 32)] if device == "cpu" else [("resnet50", 224, 128)]
        for model, side, batch in sizes:
            throughput(model, side, batch, given.rounds, device)
    if not given.data.is_dir():
        print(f"\nno pictures in {given.data}: accuracy is not measured; give --data")
        return
    names = [name for name in given.sets.split(",") if name]
    parameters = TuningParameters(
        model=given.model,
        preset=given.preset,
        imgsz=given.imgsz,
        epochs=given.epochs,
        lr=given.lr,
        augment=given.augment,
        amp="fp32",
    )
    accuracy(given.data, names, given.seeds, parameters)


if __name__ == "__main__":
    main()
