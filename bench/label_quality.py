"""How many wrong labels are found, how many labels are saved, and does the stop rule say what happens?

    python -m bench.label_quality [--seeds 3] [--only errors|next|stop]

Labels are changed on purpose, evenly or to the most similar option, and what is named is compared with what was
changed: F1, beside confident learning on the same scores and on those of scikit-learn's logistic regression; of the
paper's four ways, the one that is best over all sets, and the one that is best on each set, known afterwards. Then:
labels until 95 % of the accuracy with all labels, at random and as chosen. Then: what the stop rule says would come.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier.labeling.label_errors import Refit, cross_refit, label_errors
from espalier.labeling.label_next import next_batch
from espalier.labeling.label_worth import Asked
from espalier.labeling.stop_rule import stop_rule
from espalier.learning.folds import deal
from espalier.learning.linear import LinearClassifier

from .confident_learning import confident_learning
from .picture_sets import MODELS, PictureSet, single_sets

Labels = NDArray[np.int64]
_FRACTION = 0.95
_MOST = 600
WAY = "both"
"""Pruned both by class and by noise rate: the best of the four ways on the mean of all sets."""


def linear() -> LinearClassifier:
    return LinearClassifier(search=False)


def one_hot(labels: Labels, options: int) -> NDArray[np.float32]:
    return np.eye(options, dtype=np.float32)[labels]


def _sets() -> Iterator[PictureSet]:
    """Those with enough pictures to hide mistakes among."""
    return (data for data in single_sets(models=MODELS[:1]) if len(data.embeddings) >= 100)


def changed(data: PictureSet, share: float, kind: str, seed: int) -> Labels:
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(data.labels))[: round(share * len(data.labels))]
    labels = data.labels.copy()
    if kind == "even":
        labels[rows] = (labels[rows] + rng.integers(1, data.options, len(rows))) % data.options
    else:
        means = np.stack([data.embeddings[data.labels == option].mean(axis=0) for option in range(data.options)])
        alike = (means - means.mean(axis=0)) @ (means - means.mean(axis=0)).T
        np.fill_diagonal(alike, -np.inf)
        labels[rows] = alike.argmax(axis=1)[labels[rows]]
    return labels


def f1(named: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> float:
    return float(2 * (named & wrong).sum() / max(1, named.sum() + wrong.sum()))


def errors(seeds: int) -> None:
    print(f"F1 of labels named wrong, mean of {seeds} seeds; CL: confident learning, {WAY}")
    print(
        f"{'set':32}{'noise':>16}{'espalier':>9}{'CL, same':>10}{'CL, sklearn':>12}{'points':>9}{'best of 8 CL':>14}"
        f"{'named':>8}{'s':>7}"
    )
    table: list[dict[str, float]] = []
    for data in _sets():
        for kind in ("even", "to the like"):
            for share in (0.0, 0.05, 0.1, 0.2):
                if share == 0.0 and kind != "even":
                    continue
                scored: dict[str, list[float]] = {}
                named, seconds = [], []
                for seed in range(seeds):
                    labels = changed(data, share, kind, seed)
                    targets, wrong = one_hot(labels, data.options), labels != data.labels
                    mask = np.ones(targets.shape, np.bool_)
                    folds = deal(targets, mask, data.groups, seed=seed).rows
                    scores, refit = _scored(data, targets, folds)
                    start = time.perf_counter()
                    found = label_errors(scores, targets, mask, exclusive=True, refit=refit)
                    seconds.append(time.perf_counter() - start)
                    named.append(float(found.suspicious.mean()))
                    scored.setdefault("espalier", []).append(f1(found.suspicious, wrong))
                    for name, cl in confident_learning(scores, labels).items():
                        scored.setdefault(f"ours {name}", []).append(f1(cl, wrong))
                    for name, cl in confident_learning(_reference(data, labels, folds), labels).items():
                        scored.setdefault(f"sklearn {name}", []).append(f1(cl, wrong))
                mean = {name: float(np.mean(values)) for name, values in scored.items()}
                line = f"{data.name:32}{share:4.0%} {kind:>11}"
                if share:
                    table.append(mean)
                    ways = [mean[f"{source} {WAY}"] for source in ("ours", "sklearn")]
                    best = max(value for name, value in mean.items() if name != "espalier")
                    line += f"{mean['espalier']:9.3f}{ways[0]:10.3f}{ways[1]:12.3f}"
                    line += f"{mean['espalier'] - max(ways):+9.3f}{best:14.3f}"
                else:
                    line += " " * 54
                print(f"{line}{np.mean(named):8.1%}{np.mean(seconds):7.2f}", flush=True)
    for name in table[0]:
        print(f"  mean over all {name:30}{np.mean([mean[name] for mean in table]):.3f}")
    print()


def _scored(data: PictureSet, targets: NDArray[np.float32], folds: Labels) -> tuple[NDArray[np.float32], Refit]:
    """As training leaves them: its cross-checked scores, and classifiers with the strength that it chose."""
    chosen = LinearClassifier()
    mask = np.ones(targets.shape, np.bool_)
    scores = chosen.cross_fit(data.embeddings, targets, mask, data.groups, folds=folds, exclusive=True, seed=0)
    strength = chosen.parameters["strength"]
    return scores, cross_refit(
        lambda: LinearClassifier(strength=strength), data.embeddings, targets, data.groups, folds, exclusive=True
    )


def _reference(data: PictureSet, labels: Labels, folds: Labels) -> NDArray[np.float32]:
    scores = np.zeros((len(labels), data.options), np.float32)
    for fold in np.unique(folds):
        learned = folds != fold
        model = LogisticRegression(C=30.0, max_iter=300).fit(data.embeddings[learned], labels[learned])
        scores[np.ix_(~learned, model.classes_)] = model.predict_proba(data.embeddings[~learned])
    return scores


def next_labels(seeds: int, orders: int = 3) -> None:
    print(f"labels until {_FRACTION:.0%} of the accuracy with all labels, on the mean curve of {seeds} seeds")
    print(f"{'set':34}{'random':>8}{'chosen':>8}{'ratio':>8}")
    ratios = []
    for data in _sets():
        batch = 5 if len(data.labels) < 300 else 10
        curves: dict[str, list[NDArray[np.float64]]] = {"random": [], "chosen": []}
        for seed in range(seeds):
            groups = np.random.default_rng(seed).permutation(np.unique(data.groups))
            test = np.isin(data.groups, groups[: round(0.3 * len(groups))])
            for order in range(orders):
                curves["random"].append(_curve(data, test, batch, seed, order))
            curves["chosen"].append(_curve(data, test, batch, seed, None))
        needed = {name: _needed(np.mean(found, axis=0), batch) for name, found in curves.items()}
        ratios.append(needed["random"] / needed["chosen"])
        print(f"{data.name:34}{needed['random']:8.0f}{needed['chosen']:8.0f}{ratios[-1]:7.2f}x", flush=True)
    print(f"geometric mean {np.exp(np.mean(np.log(ratios))):.2f}x, least {np.min(ratios):.2f}x\n")


def _curve(data: PictureSet, test: NDArray[np.bool_], batch: int, seed: int, order: int | None) -> NDArray[np.float64]:
    """Accuracy on the test rows after each batch, as a share of the accuracy with all labels."""
    pool, labels = data.embeddings[~test], data.labels[~test]
    shuffled = np.random.default_rng((seed, order or 0)).permutation(len(pool))
    known = np.zeros(len(pool), np.bool_)
    asked: tuple[Asked, ...] = ()
    full, _ = _accuracy(data, test, np.ones(len(pool), np.bool_))
    found = []
    for step in range(min(_MOST, len(pool)) // batch):
        if order is None:
            known[next_batch(pool, known, asked, count=batch, seed=seed).order[:batch]] = True
        else:
            known[shuffled[step * batch : (step + 1) * batch]] = True
        accuracy, classifier = _accuracy(data, test, known)
        found.append(accuracy / full)
        shown, counts = np.unique(labels[known], return_counts=True)
        if classifier is not None:
            options = tuple((str(option),) for option in shown)
            asked = (Asked("label", (), options, True, classifier.predict(pool), counts),)
    return np.array(found)


def _accuracy(
    data: PictureSet, test: NDArray[np.bool_], known: NDArray[np.bool_]
) -> tuple[float, LinearClassifier | None]:
    rows, labels = data.embeddings[~test][known], data.labels[~test][known]
    shown, numbers = np.unique(labels, return_inverse=True)
    if len(shown) < 2:
        return float((data.labels[test] == shown[0]).mean()), None
    targets = one_hot(numbers, len(shown))
    classifier = linear()
    classifier.fit(rows, targets, np.ones(targets.shape, np.bool_), np.arange(len(rows)), exclusive=True, seed=0)
    answers = shown[classifier.predict(data.embeddings[test]).argmax(axis=1)]
    return float((answers == data.labels[test]).mean()), classifier


def _needed(curve: NDArray[np.float64], batch: int) -> float:
    """Where the curve reaches the fraction and, on the mean of three batches, stays; between two batches by a line."""
    reached = np.r_[0.0, curve]
    for at in np.flatnonzero(reached >= _FRACTION):
        if reached[at : at + 3].mean() >= _FRACTION:
            before = min(reached[at - 1], _FRACTION)
            return float(batch * (at - 1 + (_FRACTION - before) / max(reached[at] - before, 1e-9)))
    return float(batch * len(curve))


def stop(seeds: int) -> None:
    print("another 100 labels: points of accuracy foretold (90 % interval), and what came, on all other rows")
    print(f"{'set':34}{'labels':>8}{'foretold':>10}{'came':>8}{'width':>8}{'inside':>10}")
    inside = total = 0
    for data in _sets():
        for labels in (100, 300):
            if len(data.labels) < labels + 250:
                continue
            told, came, held, width = [], [], 0, []
            for seed in range(seeds):
                rows = np.random.default_rng(seed).permutation(len(data.labels))
                known, test = rows[:labels], np.ones(len(rows), np.bool_)
                test[rows[: labels + 100]] = False
                targets = one_hot(data.labels[known], data.options)
                said = np.ones(targets.shape, np.bool_)
                rule = stop_rule(
                    linear, data.embeddings[known], targets, said, known, exclusive=True, figure="accuracy", seed=seed
                )
                now, later = (_accuracy(data, test, np.isin(np.flatnonzero(~test), rows[:many]))[0]
                              for many in (labels, labels + 100))  # fmt: skip
                told.append(100 * rule.gain)
                came.append(100 * (later - now))
                held += rule.gain_low <= later - now <= rule.gain_high
                width.append(100 * (rule.gain_high - rule.gain_low))
            inside, total = inside + held, total + seeds
            figures = f"{np.mean(told):10.1f}{np.mean(came):8.1f}{np.mean(width):8.1f}{held:6} of {seeds}"
            print(f"{data.name:34}{labels:8}{figures}", flush=True)
    print(f"inside the interval: {inside} of {total}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=("errors", "next", "stop"))
    given = parser.parse_args()
    with threadpool_limits(1):
        for name, part in (("errors", errors), ("next", next_labels), ("stop", stop)):
            if given.only in (None, name):
                part(max(given.seeds, 5) if name == "next" else given.seeds)


if __name__ == "__main__":
    main()
