"""How well does the dynamic classifier do from 1, 5, 20 examples a class and from all; what does it take for unknown?

    python -m bench.dynamic [--data DIRECTORY] [--seeds 5] [--only NAME] [--parts accuracy,unknown,novelty,time]

Accuracy: of the most likely option, beside scikit-learn's nearest neighbours by cosine (5, or as many as there are
examples a class) and nearest centroid. The limit: at least the better of the two, less half a point.

Unknown: some classes are held out, and asked all the same. AUROC of "like none of these" against the distance to the
nearest example; and at the cutoff of a half, the share of all pictures that gets a wrong option, against the distance
at which as many are left unanswered. The limits: an AUROC of at least that of the distance, and no more wrong, on the
mean.

Novelty: fitted on good circuit boards alone, ROC-AUC of the defective ones on other boards. The limit: the better of
LocalOutlierFactor(novelty=True) and IsolationForest.

Time: milliseconds for one example learned, forgotten, and for one row asked, right afterwards and again.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor, NearestCentroid
from threadpoolctl import threadpool_limits

from espalier.similarity.novelty import Novelty
from espalier_dynamic import DynamicClassifier

from .accuracy import split
from .picture_sets import MODELS, PictureSet, single_sets

Ids = NDArray[np.int64]
Rows = NDArray[np.float32]
SHOTS = (1, 5, 20, 0)
LIMIT = 0.5
MODEL = MODELS[:1]
SIZES = (1_000, 10_000, 100_000)


def fitted(rows: Rows, labels: Ids, options: int) -> DynamicClassifier:
    """With one column more, of which there is no example."""
    targets = np.eye(options + 1, dtype=np.float32)[labels]
    classifier = DynamicClassifier()
    classifier.fit(rows, targets, np.ones(targets.shape, np.bool_), np.arange(len(rows)), exclusive=True, seed=0)
    return classifier


def shots_of(data: PictureSet) -> list[int]:
    return [shots for shots in SHOTS if shots <= int(data.holds.sum(axis=0).min() * 0.7)]


def accuracy(sets: list[PictureSet], seeds: int) -> None:
    print(f"accuracy in %, mean of {seeds} seeds; limit: the better of the others less {LIMIT}")
    print(f"{'set':22}{'shots':>6}{'dynamic':>9}{'kNN':>7}{'centroid':>9}{'to best':>16}")
    gains = []
    for data in sets:
        for shots in shots_of(data):
            found = []
            for seed in range(seeds):
                known, test = split(data, shots, seed)
                rows, labels, asked = data.embeddings[known], data.labels[known], data.embeddings[test]
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")  # classes of one example are not what they expect
                    near = KNeighborsClassifier(min(5, shots or 5), metric="cosine").fit(rows, labels)
                    centroid = NearestCentroid().fit(rows, labels)
                scores = fitted(rows, labels, data.options).predict(asked)[:, :-1]
                answers = (scores.argmax(axis=1), near.predict(asked), centroid.predict(asked))
                found.append([100 * float((each == data.labels[test]).mean()) for each in answers])
            ours, *others = np.mean(found, axis=0)
            gains.append(ours - max(others))
            print(f"{data.name:22}{shots or 'all':>6}{ours:9.1f}{others[0]:7.1f}{others[1]:9.1f}{gains[-1]:+9.1f}"
                  f"{'' if gains[-1] >= -LIMIT else ' missed':>7}", flush=True)  # fmt: skip
    held = sum(gain >= -LIMIT for gain in gains)
    print(f"held at {held} of {len(gains)} points; mean difference to the better: {np.mean(gains):+.2f}\n")


def unknown(sets: list[PictureSet], seeds: int) -> None:
    print(f"classes held out (a third of them, in turn; {seeds} seeds): how well is it seen that they are unknown?")
    print(f"{'set':22}{'shots':>6}{'AUROC':>8}{'distance':>9}{'wrong %':>9}{'distance':>9}{'unanswered':>11}")
    all_found = []
    for data in sets:
        if data.options < 3:
            continue
        for shots in shots_of(data):
            found = []
            for seed in range(seeds):
                known, test = split(data, shots, seed)
                order = np.random.default_rng(seed).permutation(data.options)
                kept = np.sort(order[data.options // 3 or 1 :])
                known = known[np.isin(data.labels[known], kept)]
                labels = np.searchsorted(kept, data.labels[known])
                rows, asked = data.embeddings[known], data.embeddings[test]
                strange = ~np.isin(data.labels[test], kept)
                truth = np.where(strange, len(kept), np.searchsorted(kept, data.labels[test]))
                scores = fitted(rows, labels, len(kept)).predict(asked)
                near = asked @ rows.T
                distance = 1 - near.max(axis=1)
                answered = scores[:, :-1].max(axis=1) >= 0.5
                # As many answers by distance alone, of the nearest example's class.
                order = np.argsort(distance, kind="stable")[: int(answered.sum())]
                by_distance = labels[near.argmax(axis=1)]
                wrong = (answered & (scores[:, :-1].argmax(axis=1) != truth)).mean()
                others_wrong = float((by_distance[order] != truth[order]).sum()) / len(test)
                found.append(
                    [
                        roc_auc_score(strange, scores[:, -1]),
                        roc_auc_score(strange, distance),
                        100 * wrong,
                        100 * others_wrong,
                        100 * float(1 - answered.mean()),
                    ]
                )
            mean = np.mean(found, axis=0)
            all_found.append(mean)
            print(f"{data.name:22}{shots or 'all':>6}{mean[0]:8.3f}{mean[1]:9.3f}{mean[2]:9.1f}{mean[3]:9.1f}"
                  f"{mean[4]:10.0f}%", flush=True)  # fmt: skip
    mean = np.mean(all_found, axis=0)
    print(f"{'mean':28}{mean[0]:8.3f}{mean[1]:9.3f}{mean[2]:9.1f}{mean[3]:9.1f}{mean[4]:10.0f}%")
    print(f"limits: {'held' if mean[0] >= mean[1] and mean[2] <= mean[3] else 'missed'}\n")


def novelty(sets: list[PictureSet], seeds: int) -> None:
    for data in sets:
        if "quality" not in data.name:
            continue
        found, flagged = [], []
        for seed in range(seeds):
            defective = data.labels == 0
            shuffled = np.random.default_rng(seed).permutation(np.unique(data.groups[~defective]))
            known = np.isin(data.groups, shuffled[: round(0.7 * len(shuffled))])
            normal, asked, strange = data.embeddings[known & ~defective], data.embeddings[~known], defective[~known]
            ours = Novelty()
            ours.fit(normal, data.groups[known & ~defective])
            scores = ours.score(asked)
            flagged.append((scores > ours.cutoff(0.1))[~strange].mean())
            usual = (LocalOutlierFactor(novelty=True), IsolationForest(random_state=seed))
            by_others = [-each.fit(normal).score_samples(asked) for each in usual]
            found.append([roc_auc_score(strange, each) for each in (scores, *by_others)])
        mean = np.mean(found, axis=0)
        print(f"novelty {data.name}, {seeds} splits: ROC-AUC {mean[0]:.3f}, LocalOutlierFactor {mean[1]:.3f}, "
              f"IsolationForest {mean[2]:.3f}: {'held' if mean[0] >= mean[1:].max() else 'missed'}")  # fmt: skip
        print(f"    at a share of 10 %, {100 * np.mean(flagged):.0f} % of the unseen good ones are flagged")


def times(repeats: int) -> None:
    print(f"\nmilliseconds, 384 dims, 20 classes, median of {repeats}; load {os.getloadavg()[0]:.1f}")
    print(f"{'examples':>9}{'fit':>9}{'learn':>8}{'forget':>8}{'first asked':>12}{'again':>8}")
    rng = np.random.default_rng(0)
    for size in SIZES:
        labels = rng.integers(0, 20, size + repeats)
        rows = rng.normal(size=(20, 384))[labels] * 0.8 + rng.normal(size=(size + repeats, 384))
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        started = time.perf_counter()
        classifier = fitted(rows[:size], labels[:size], 20)
        classifier.predict(rows[:1])
        fit = 1000 * (time.perf_counter() - started)
        found = []
        for at in range(size, size + repeats):
            target, mask = np.eye(21, dtype=np.float32)[labels[at : at + 1]], np.ones((1, 21), np.bool_)
            row, number = rows[at : at + 1], np.array([at])
            found.append(
                [
                    _milliseconds(classifier.learn, number, row, target, mask),
                    _milliseconds(classifier.predict, row),
                    _milliseconds(classifier.predict, row),
                    _milliseconds(classifier.forget, number),
                ]
            )
        learn, asked, again, forget = np.median(found, axis=0)
        print(f"{size:9}{fit:9.1f}{learn:8.2f}{forget:8.2f}{asked:12.2f}{again:8.2f}", flush=True)


def _milliseconds(step: Callable[..., object], *arguments: object) -> float:
    started = time.perf_counter()
    step(*arguments)
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--parts", default="accuracy,unknown,novelty,time")
    asked = parser.parse_args()
    parts = asked.parts.split(",")
    with threadpool_limits(1):
        sets = [data for data in single_sets(asked.data, MODEL) if asked.only in data.name]
        if "accuracy" in parts:
            accuracy(sets, asked.seeds)
        if "unknown" in parts:
            unknown(sets, asked.seeds)
        if "novelty" in parts:
            novelty(sets, asked.seeds)
        if "time" in parts:
            times(15)


if __name__ == "__main__":
    main()
