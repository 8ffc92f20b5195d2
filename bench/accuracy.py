"""How often is it right from 5, 10, 20 labels per class and from all, and how sure does it say it is?

    python -m bench.accuracy [--data DIRECTORY] [--seeds 5] [--only NAME]

Espalier's classifier (cross-fit over five folds with its search, and calibration: all that a version needs) against
scikit-learn's logistic regression (C = 30, and its default), 5 nearest neighbours by cosine and a random forest of 100
trees: one fit each, on the same embeddings and the same splits, interleaved in one process, on one thread each. 30 % of
the pictures are for testing, split by `groups`. "all" is the other 70 %.

The difference is to whichever of the others is best on the mean of the seeds, which with few test pictures is partly
luck: its standard error over the seeds stands beside it. The limits: within 0.5 points, and never the slowest.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from espalier.learning.calibration import Calibration
from espalier.learning.cutoffs import answered, best_f1
from espalier.learning.folds import deal
from espalier.learning.kernel import KernelClassifier
from espalier.learning.linear import LinearClassifier
from espalier.learning.metrics import calibration_error

from .picture_sets import PictureSet, multiple_sets, single_sets

Rows = NDArray[np.float32]
Ids = NDArray[np.int64]
LIMIT = 0.5
SHOTS = (5, 10, 20, 0)
MULTIPLE = (20, 50, 100, 0)
ESPALIER = ("espalier", "kernel")
OTHERS = ("LR C=30", "LR", "kNN", "forest")


@dataclass
class Measured:
    """One method at one point: per seed, the share that is right in %, wall and CPU seconds."""

    right: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def fitted(
    new: Callable[[], LinearClassifier], data: PictureSet, known: Ids, *, exclusive: bool
) -> tuple[LinearClassifier, Calibration, Rows]:
    """The classifier, its calibration, and the calibrated scores of rows that it had not seen."""
    targets = data.holds[known].astype(np.float32)
    mask, groups = np.ones(targets.shape, np.bool_), data.groups[known]
    folds = deal(targets, mask, groups).rows
    classifier = new()
    unseen = classifier.cross_fit(
        data.embeddings[known], targets, mask, groups, folds=folds, exclusive=exclusive, seed=0
    )
    calibration = Calibration.of(unseen, targets, mask, exclusive=exclusive)
    return classifier, calibration, calibration(unseen)


def methods(data: PictureSet, known: Ids, test: Ids, kept: dict[str, object]) -> dict[str, Callable[[], Ids]]:
    """Each fits and gives the most likely option of the test rows."""
    rows, labels, asked = data.embeddings[known], data.labels[known], data.embeddings[test]

    def ours(name: str, new: Callable[[], LinearClassifier]) -> Ids:
        classifier, calibration, _ = fitted(new, data, known, exclusive=True)
        scores = classifier.predict(asked)
        kept[name] = (scores, calibration(scores), classifier.parameters)
        return scores.argmax(axis=1).astype(np.int64)

    def theirs(model: object) -> Ids:
        predicted: Ids = model.fit(rows, labels).predict(asked)  # type: ignore[attr-defined]
        return predicted

    return {
        "espalier": lambda: ours("espalier", LinearClassifier),
        "kernel": lambda: ours("kernel", KernelClassifier),
        "LR C=30": lambda: theirs(LogisticRegression(C=30.0, max_iter=1000)),
        "LR": lambda: theirs(LogisticRegression(max_iter=1000)),
        "kNN": lambda: theirs(KNeighborsClassifier(min(5, len(known)), metric="cosine")),
        "forest": lambda: theirs(RandomForestClassifier(100, random_state=0)),
    }


def split(data: PictureSet, shots: int, seed: int) -> tuple[Ids, Ids]:
    """Known and test rows: by class where every picture is a group of its own, else by group."""
    rng = np.random.default_rng(seed)
    labels = data.labels
    if len(np.unique(data.groups)) == len(labels):
        shuffled = [rng.permutation(np.flatnonzero(labels == option)) for option in range(data.holds.shape[1])]
        test = np.concatenate([rows[: round(0.3 * len(rows))] for rows in shuffled])
        return np.concatenate([rows[round(0.3 * len(rows)) :][: shots or None] for rows in shuffled]), test
    known, test = split_groups(data, rng)
    of_class = [known[labels[known] == option] for option in range(data.holds.shape[1])]
    return np.concatenate([rows[: shots or None] for rows in of_class]), test


def split_groups(data: PictureSet, rng: np.random.Generator) -> tuple[Ids, Ids]:
    groups = rng.permutation(np.unique(data.groups))
    inside = np.isin(data.groups, groups[: round(0.3 * len(groups))])
    return rng.permutation(np.flatnonzero(~inside)), np.flatnonzero(inside)


def points(data: PictureSet) -> Iterator[int]:
    fewest = int(data.holds.sum(axis=0).min() * 0.7)
    return (shots for shots in SHOTS if shots <= fewest)


def single(directory: Path | None, seeds: int, only: str) -> None:
    names = (*ESPALIER, *OTHERS)
    print(f"accuracy in %, mean of {seeds} seeds; seconds of one fit and prediction; load {os.getloadavg()[0]:.1f}")
    print(
        f"{'set':20}{'shots':>6}{'test':>6}"
        + "".join(f"{name:>9}" for name in names)
        + f"{'to best':>17}  |"
        + "".join(f"{name:>9}" for name in (*names, "cpu"))
        + f"  | {'ECE':>11}  chosen"
    )
    differences: list[tuple[float, float, str]] = []
    by_kernel: list[float] = []
    slowest, errors = [], []
    for data in single_sets(directory):
        if only not in data.name:
            continue
        for shots in points(data):
            measured = {name: Measured() for name in names}
            calibrated, chosen = [], []
            for seed in range(seeds):
                known, test = split(data, shots, seed)
                kept: dict[str, object] = {}
                work = list(methods(data, known, test, kept).items())
                for name, method in work[seed % len(work) :] + work[: seed % len(work)]:
                    wall, cpu = time.perf_counter(), time.process_time()
                    answers = method()
                    measured[name].wall.append(time.perf_counter() - wall)
                    measured[name].cpu.append(time.process_time() - cpu)
                    measured[name].right.append(100 * float((answers == data.labels[test]).mean()))
                before, after, parameters = kept["espalier"]  # type: ignore[misc]
                truth = data.holds[test].astype(np.float32)
                said = np.ones(truth.shape, np.bool_)
                calibrated.append(
                    [100 * calibration_error(scores, truth, said, exclusive=True) for scores in (before, after)]
                )
                chosen.append(f"{parameters['features'][0]}{parameters['strength']:g}")
            best = max(OTHERS, key=lambda name: float(np.mean(measured[name].right)))
            paired = np.subtract(measured["espalier"].right, measured[best].right)
            error = float(paired.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else 0.0
            label = f"{data.name} {shots or 'all'}"
            differences.append((float(paired.mean()), error, label))
            by_kernel.append(float(np.mean(measured["kernel"].right) - np.mean(measured[best].right)))
            seconds = {name: float(np.median(measured[name].wall)) for name in names}
            if seconds["espalier"] >= max(seconds[name] for name in OTHERS):
                slowest.append(label)
            ece = np.mean(calibrated, axis=0)
            errors.append((*ece, label))
            print(
                f"{data.name:20}{shots or 'all':>6}{len(test):6}"
                + "".join(f"{np.mean(measured[name].right):9.1f}" for name in names)
                + f"{paired.mean():+7.1f} ± {error:3.1f} {best[:3]:>3}  |"
                + "".join(f"{seconds[name]:9.3f}" for name in names)
                + f"{np.median(measured['espalier'].cpu):9.3f}  | {ece[0]:4.1f} > {ece[1]:4.1f}  {' '.join(chosen)}",
                flush=True,
            )
    print()
    missed = [f"{label} {gain:+.1f} ± {error:.1f}" for gain, error, label in differences if gain < -LIMIT - 1e-9]
    print(f"within {LIMIT} points of the best or above: {len(differences) - len(missed)} of {len(differences)} points")
    print(f"missed: {'; '.join(missed) or 'none'}")
    mean = np.mean([gain for gain, _, _ in differences])
    missed_by_kernel = sum(gain < -LIMIT - 1e-9 for gain in by_kernel)
    print(f"mean difference to the best: {mean:+.2f}")
    print(f"with the kernel: {np.mean(by_kernel):+.2f}, and {missed_by_kernel} missed")
    print(f"slowest at: {', '.join(slowest) or 'none'}")
    before, after = np.mean([[one, two] for one, two, _ in errors], axis=0)
    lower = sum(two < one for one, two, _ in errors)
    print(f"calibration error on test rows: {before:.1f} -> {after:.1f} on average, lower at {lower} of {len(errors)}")


def multiple(directory: Path | None, seeds: int, only: str) -> None:
    """Against one balanced logistic regression per label, whose F1 is at 0.5; Espalier's is at its own cutoffs."""
    found_sets = [data for data in multiple_sets(directory) if only in data.name]
    if not found_sets:
        return
    print(f"\n{'several labels a picture':26}{'labeled':>8}{'mAP':>8}{'LR':>7}{'':>13}{'macro-F1':>10}{'LR':>7}{'':>13}"
          f"{'s':>8}{'LR':>7}{'ECE':>14}")  # fmt: skip
    for data in found_sets:
        for many in MULTIPLE:
            found = []
            for seed in range(seeds):
                known, test = split_groups(data, np.random.default_rng(seed))
                known = known[: many or None]
                truth = data.holds[test].astype(np.float32)
                said = np.ones(truth.shape, np.bool_)
                start = time.perf_counter()
                classifier, calibration, unseen = fitted(LinearClassifier, data, known, exclusive=False)
                raw = classifier.predict(data.embeddings[test])
                scores = calibration(raw)
                taken = time.perf_counter() - start
                held = data.holds[known]
                cutoffs = best_f1(unseen, held.astype(np.float32), np.ones_like(held), exclusive=False)
                ours = answered(scores, cutoffs, exclusive=False)
                start = time.perf_counter()
                theirs = _one_by_one(data, known, test)
                taken_theirs = time.perf_counter() - start
                found.append(
                    (
                        100 * average_precision_score(truth, scores, average="macro"),
                        100 * average_precision_score(truth, theirs, average="macro"),
                        100 * f1_score(truth, ours, average="macro", zero_division=0),
                        100 * f1_score(truth, theirs > 0.5, average="macro", zero_division=0),
                        taken,
                        taken_theirs,
                        *(100 * calibration_error(each, truth, said, exclusive=False) for each in (raw, scores)),
                    )
                )
            mean, each = np.mean(found, axis=0), np.array(found)
            spread = [float((each[:, at] - each[:, at + 1]).std(ddof=1) / np.sqrt(seeds)) for at in (0, 2)]
            print(
                f"{data.name:26}{many or 'all':>8}"
                f"{mean[0]:8.1f}{mean[1]:7.1f}{mean[0] - mean[1]:+7.1f} ± {spread[0]:3.1f}"
                f"{mean[2]:10.1f}{mean[3]:7.1f}{mean[2] - mean[3]:+7.1f} ± {spread[1]:3.1f}"
                f"{mean[4]:8.3f}{mean[5]:7.3f}{mean[6]:7.1f} > {mean[7]:4.1f}",
                flush=True,
            )


def _one_by_one(data: PictureSet, known: Ids, test: Ids) -> Rows:
    scores = np.zeros((len(test), data.holds.shape[1]), np.float32)
    for option, held in enumerate(data.holds[known].T):
        if held.any() and not held.all():
            model = LogisticRegression(C=30.0, max_iter=1000, class_weight="balanced").fit(data.embeddings[known], held)
            scores[:, option] = model.predict_proba(data.embeddings[test])[:, 1]
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="holds images/ and weights/")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="", help="sets whose name contains this")
    given = parser.parse_args()
    with threadpool_limits(1):
        single(given.data, given.seeds, given.only)
        multiple(given.data, given.seeds, given.only)
    print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
