"""A whole tuner in one small file, without torch: what the jobs are tested with, and what an author could begin from.

The network averages a picture to 8 x 8, bends it once (tanh of 32 sums), and is linear behind that, at norm 1.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from espalier.contract import Embeddings, Encoder, EncoderClass, EncoderRequest, EncoderSpec, Pictures, Scores
from espalier.errors import BadModel
from espalier.tuning import TRAIN, VALIDATION, Tuner, TunerClass, TuningData, TuningEstimate, TuningReport
from espalier.tuning_parameters import TuningParameters

DIM, GRID, SCALE, BATCH, MOMENTUM = 32, 8, 12.0, 16, 0.9
Arrays = dict[str, NDArray[np.float32]]


class TinyEncoder:
    def __init__(self, weights: NDArray[np.float32], side: int, digest: str, reason: str) -> None:
        self.weights = weights
        self.spec = EncoderSpec("tiny", DIM, (side, side), digest, "Apache-2.0", reason)

    @classmethod
    def open(cls, request: EncoderRequest) -> TinyEncoder:
        if request.directory is None:
            return cls(beginning(0)["network"], 32, hashlib.sha256(b"tiny-0").hexdigest()[:32], "by chance")
        try:
            about = json.loads((request.directory / "tuned.json").read_text())
            network = (request.directory / "network.safetensors").read_bytes()
        except OSError as error:
            raise BadModel(f"{request.directory} holds no network: {error}") from error
        digest = hashlib.sha256(network).hexdigest()
        if digest != about["digest"]:
            raise BadModel(f"{request.directory} was changed after it was written")
        weights = load_file(request.directory / "network.safetensors")["network"]
        return cls(weights, about["input_size"][0], digest[:32], f"step {about['step']}")

    def encode(self, frames: Pictures) -> Embeddings:
        return features(self.weights, small(frames))


class TinyTuner:
    def __init__(self, data: TuningData, parameters: TuningParameters, start: Arrays) -> None:
        self.data, self.parameters, self.start = data, parameters, start
        self.side = parameters.imgsz or 32
        self.epochs = parameters.epochs or 20
        self.train = np.flatnonzero(data.parts == TRAIN)
        self.validation = np.flatnonzero(data.parts == VALIDATION)

    @classmethod
    def open(cls, request: EncoderRequest, data: TuningData, parameters: TuningParameters) -> TinyTuner:
        start = beginning(parameters.seed)
        if request.directory is not None:
            start["network"] = load_file(request.directory / "network.safetensors")["network"]
        return cls(data, parameters, start)

    def estimate(self) -> TuningEstimate:
        list(self.data.read(self.train[:BATCH].astype(np.int64), (self.side, self.side)))
        steps = self.epochs * self.steps_an_epoch
        return TuningEstimate(steps, 0.001 * steps, 0.0005 * steps, ("as a guess",))

    @property
    def steps_an_epoch(self) -> int:
        return -(-len(self.train) // BATCH)

    def tune(self, directory: Path, report: Callable[[TuningReport], bool]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        pictures = self._pictures()
        checkpoint = directory / "checkpoint" / "state.safetensors"
        arrays, epoch = self._begin(), 0
        if checkpoint.exists():
            arrays = load_file(checkpoint)
            epoch = int(arrays.pop("epoch")[0])
        while epoch < self.epochs:
            self._learn(arrays, pictures, np.random.default_rng([self.parameters.seed, epoch]))
            epoch += 1
            step = epoch * self.steps_an_epoch
            scores = {head.key: self._scores(arrays, pictures, head.key) for head in self.data.heads}
            loss = self._loss(scores)
            if loss < arrays["best"][0]:
                arrays["best"][0] = loss
                self._write(directory / "best", arrays, step)
            save_file({**arrays, "epoch": np.array([epoch], np.float32)}, _fresh(checkpoint))
            checkpoint.with_suffix(".draft").rename(checkpoint)
            told = TuningReport(step, self.epochs * self.steps_an_epoch, epoch, {"validation_loss": loss}, scores)
            if not report(told):
                break
        self._write(directory / "last", arrays, epoch * self.steps_an_epoch)
        (directory / "curves.json").write_text("[]")

    def _begin(self) -> Arrays:
        arrays = {"network": self.start["network"].copy(), "best": np.array([np.inf], np.float32)}
        for head in self.data.heads:
            k = head.targets.shape[1]
            arrays[f"{head.key}.coefficients"] = np.zeros((k, DIM), np.float32)
            arrays[f"{head.key}.intercepts"] = np.zeros(k, np.float32)
        return arrays | {f"momentum {name}": np.zeros_like(array) for name, array in arrays.items() if name != "best"}

    def _pictures(self) -> NDArray[np.float32]:
        rows = np.zeros((len(self.data.parts), GRID * GRID * 3), np.float32)
        everything = np.arange(len(rows), dtype=np.int64)
        for numbers, pictures in self.data.read(everything, (self.side, self.side)):
            rows[numbers] = small(pictures)
        return rows

    def _learn(self, arrays: Arrays, pictures: NDArray[np.float32], rng: np.random.Generator) -> None:
        order = rng.permutation(self.train)
        for start in range(0, len(order), BATCH):
            at = order[start : start + BATCH]
            bent = np.tanh(pictures[at] @ arrays["network"].T)
            norm = np.linalg.norm(bent, axis=1, keepdims=True) + 1e-6
            unit = bent / norm
            back = np.zeros_like(unit)
            slopes: Arrays = {}
            for head in self.data.heads:
                coefficients = arrays[f"{head.key}.coefficients"]
                said = head.mask[at].any(axis=1, keepdims=True)
                logits = unit @ coefficients.T + arrays[f"{head.key}.intercepts"]
                off = (answer(logits, head.exclusive) - head.targets[at]) * head.weights[at] * head.mask[at]
                off = np.asarray(off / max(1, said.sum()), np.float32)
                slopes[f"{head.key}.coefficients"] = SCALE * off.T @ unit
                slopes[f"{head.key}.intercepts"] = off.sum(axis=0)
                back += off @ coefficients
            back = (back - unit * (back * unit).sum(axis=1, keepdims=True)) / norm * (1 - bent**2)
            slopes["network"] = back.T @ pictures[at]
            for name, slope in slopes.items():
                momentum = arrays[f"momentum {name}"]
                momentum *= MOMENTUM
                momentum += slope
                arrays[name] -= np.float32(self.parameters.lr or 0.1) * momentum

    def _scores(self, arrays: Arrays, pictures: NDArray[np.float32], key: str) -> Scores:
        unit = features(arrays["network"], pictures[self.validation])
        logits = unit @ arrays[f"{key}.coefficients"].T + arrays[f"{key}.intercepts"]
        return answer(logits, next(head.exclusive for head in self.data.heads if head.key == key))

    def _loss(self, scores: dict[str, Scores]) -> float:
        total = 0.0
        for head in self.data.heads:
            targets, mask = head.targets[self.validation], head.mask[self.validation]
            p = np.clip(scores[head.key], 1e-6, 1 - 1e-6)
            cells = -(targets * np.log(p) + (1 - targets) * np.log(1 - p))
            total += float((cells * mask).sum() / max(1, mask.sum()))
        return total

    def _write(self, directory: Path, arrays: Arrays, step: int) -> None:
        draft = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}")
        draft.mkdir()
        save_file({"network": arrays["network"]}, draft / "network.safetensors")
        heads = {name: array for name, array in arrays.items() if name.startswith("head")}
        save_file(heads, draft / "heads.safetensors")
        digest = hashlib.sha256((draft / "network.safetensors").read_bytes()).hexdigest()
        about: dict[str, Any] = {"input_size": [self.side, self.side], "step": step, "digest": digest}
        (draft / "tuned.json").write_text(json.dumps(about))
        shutil.rmtree(directory, ignore_errors=True)
        draft.rename(directory)


def beginning(seed: int) -> Arrays:
    rng = np.random.default_rng(seed)
    return {"network": (0.1 * rng.standard_normal((DIM, GRID * GRID * 3))).astype(np.float32)}


def small(pictures: Pictures) -> NDArray[np.float32]:
    """float32 (n, 192) around 0."""
    n, side = pictures.shape[:2]
    tiles = pictures.reshape(n, GRID, side // GRID, GRID, side // GRID, 3).mean(axis=(2, 4))
    return np.asarray(tiles.reshape(n, -1) / 127.5 - 1.0, np.float32)


def features(weights: NDArray[np.float32], rows: NDArray[np.float32]) -> Embeddings:
    bent = np.tanh(rows @ weights.T) + np.float32(1e-6)
    return np.asarray(bent / np.linalg.norm(bent, axis=1, keepdims=True), np.float32)


def answer(logits: NDArray[np.float32], exclusive: bool) -> Scores:
    if not exclusive:
        return np.asarray(1 / (1 + np.exp(-logits)), np.float32)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def _fresh(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    return path.with_suffix(".draft")


_: type[Encoder] = TinyEncoder
__: EncoderClass = TinyEncoder
___: type[Tuner] = TinyTuner
____: TunerClass = TinyTuner
