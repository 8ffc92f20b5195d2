"""How long is one retraining? Prints a table; run it on a quiet machine. (What it is worth: `bench.accuracy`.)

    python -m bench.learning [--rounds 5]

Training again after one more annotation (10,000 x 512, 20 options: near-duplicates, parts, folds, search, cross-fit,
fits with and without the test part, watched fit, calibration, cutoffs, metrics) against a bare scikit-learn
LogisticRegression fit, interleaved in one process, on one thread.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from espalier.contract import EncoderSpec
from espalier.judging.evaluation import evaluate
from espalier.learning.kernel import KernelClassifier
from espalier.learning.linear import LinearClassifier
from espalier.learning.questions import Annotated
from espalier.learning.targets import lesson
from espalier.learning.training import train
from espalier_ontology.answers import Answer
from espalier_ontology.tree import Classification, MediaTag, Ontology, Option

Rows = NDArray[np.float32]
Labels = NDArray[np.int64]


def clusters(rows: int, dim: int, options: int, *, seed: int = 0) -> tuple[Rows, Labels]:
    """Options of three clusters each, in a shared subspace of correlated noise: about nine in ten can be told apart."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(options * 3, dim)) * 0.115
    labels = rng.integers(0, options, rows)
    noise = rng.normal(size=(rows, 96)) @ rng.normal(size=(96, dim)) / 9.0 + 0.35 * rng.normal(size=(rows, dim))
    found = centres[labels * 3 + rng.integers(0, 3, rows)] + noise + 0.5 * rng.normal(size=dim)
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32), labels


def gigaflops() -> float:
    """fp32 matrix product 2048^3, best of three: what this machine gives right now."""
    a = np.random.default_rng(0).random((2048, 2048), np.float32)
    return max(2 * 2048**3 / seconds(lambda: a @ a)[0] / 1e9 for _ in range(3))


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def retraining(rounds: int, rows: int = 10_000, dim: int = 512, options: int = 20, held_out: int = 4_000) -> None:
    embeddings, labels = clusters(rows + held_out + rounds, dim, options)
    test, test_labels = embeddings[-held_out:], labels[-held_out:]
    names = tuple(Option((f"option {i}",)) for i in range(options))
    asked = Classification("kind", "image", "Choices", "single", "media", names)
    ontology = Ontology((MediaTag("image", "image", "image"),), (asked,))
    encoder = EncoderSpec("synthetic", dim, (224, 224), "0123456789abcdef")
    annotated = [Annotated(str(i), str(i), (Answer("kind", names[labels[i]].path),)) for i in range(rows + rounds)]
    print(
        f"{rows} x {dim}, {options} options; calibration {gigaflops():.0f} GFLOP/s fp32, load {os.getloadavg()[0]:.1f}"
    )
    timings: dict[str, list[tuple[float, float]]] = {}
    accuracy: dict[str, float] = {}
    for round_ in range(rounds):
        known = rows + round_  # one more annotation each round

        def espalier(known: int = known) -> None:
            questions = lesson(ontology, annotated[:known]).questions
            model = train(ontology, questions, lambda question: embeddings[:known], encoder=encoder)
            evaluate(ontology, model)
            (scores,) = model.scores(test).values()
            accuracy["espalier, everything"] = float((scores.argmax(axis=1) == test_labels).mean())

        def classifier(name: str, fitted: LinearClassifier, folds: int, known: int = known) -> None:
            targets = np.eye(options, dtype=np.float32)[labels[:known]]
            said, rows = np.ones_like(targets, np.bool_), np.arange(known)
            if folds:
                fitted.cross_fit(embeddings[:known], targets, said, rows, folds=rows % folds, exclusive=True, seed=0)
            else:
                fitted.fit(embeddings[:known], targets, said, rows, exclusive=True, seed=0)
            accuracy[name] = float((fitted.predict(test).argmax(axis=1) == test_labels).mean())

        def sklearn(known: int = known) -> None:
            reference = LogisticRegression(C=30.0, max_iter=1000).fit(embeddings[:known], labels[:known])
            accuracy["scikit-learn, fit alone"] = float(reference.score(test, test_labels))

        for name, work in (
            ("espalier, everything", espalier),
            ("kernel, search, 5 folds", lambda: classifier("kernel, search, 5 folds", KernelClassifier(), 5)),
            ("linear, search, 5 folds", lambda: classifier("linear, search, 5 folds", LinearClassifier(), 5)),
            ("linear, one fit", lambda: classifier("linear, one fit", LinearClassifier(search=False), 0)),
            ("scikit-learn, fit alone", sklearn),
        ):
            timings.setdefault(name, []).append(seconds(work))
    baseline = timings["scikit-learn, fit alone"]
    print(f"{'':28}{'wall s':>9}{'min':>8}{'max':>8}{'cpu s':>8}{'ratio':>8}{'accuracy':>10}")
    for name, taken in timings.items():
        walls = [wall for wall, _ in taken]
        ratio = statistics.median(base[0] / mine[0] for base, mine in zip(baseline, taken, strict=True))
        print(
            f"{name:28}{statistics.median(walls):9.3f}{min(walls):8.3f}{max(walls):8.3f}"
            f"{statistics.median(cpu for _, cpu in taken):8.3f}{ratio:7.1f}x{100 * accuracy[name]:10.2f}"
        )
    print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    with threadpool_limits(1):  # on a busy machine threads wait for each other, and then nothing can be compared
        retraining(parser.parse_args().rounds)
