"""The stop rule: what another hundred labels would buy, by a learning curve that is drawn on, and how sure that is.

Errors of models that learned from parts of what is labeled are fitted by a power law with a floor, error = floor +
factor * labels ^ -power (Hestness et al. 2017; Mahmood et al. 2022), on many resamples: their spread is the interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Classifier, Embeddings, Ids, Mask, Targets, Weights
from .curve_samples import CurveSamples, Figure, curve_samples

_POWERS = np.linspace(0.1, 1.5, 15)
_FLOORS = np.linspace(0.0, 0.95, 20)
"""Of the lowest error seen."""
_RESAMPLES = 200
_FAR = 10.0
"""What seems reachable is what so many times as many labels would reach; further out a curve says nothing."""
_INTERVAL = 0.9


@dataclass(frozen=True)
class StopRule:
    """figure: what is measured, in [0, 1], on groups that were not learned from. sizes float64 (s,): labels (groups of
    rows: media) learned from; measured float64 (s,): the mean there. now: with all labels; gain, gain_low, gain_high:
    what `more` labels would add, the median and 90 % of resamples. reachable: with ten times as many labels; reached:
    now as a share of it. reason: why nothing can be said, and then all figures are 0; else empty.
    """

    figure: Figure
    sizes: NDArray[np.float64]
    measured: NDArray[np.float64]
    labels: int
    more: int
    now: float
    gain: float
    gain_low: float
    gain_high: float
    reachable: float
    reached: float
    reason: str = ""

    def sentence(self) -> str:
        """For people."""
        if self.reason:
            return f"what {self.more} more labels would buy cannot be said yet: {self.reason}"
        name = {"macro_f1": "macro-F1", "accuracy": "accuracy"}[self.figure]
        gain, low, high = (100 * value for value in (self.gain, self.gain_low, self.gain_high))
        return (
            f"another {self.more} labels would raise {name} by about {gain:.1f} points ({low:.1f} to {high:.1f}); "
            f"{100 * self.reached:.0f} % of what seems reachable is reached"
        )


def stop_rule(
    new: Callable[[], Classifier],
    embeddings: Embeddings,
    targets: Targets,
    mask: Mask,
    groups: Ids,
    *,
    exclusive: bool,
    weights: Weights | None = None,
    figure: Figure = "macro_f1",
    more: int = 100,
    repeats: int = 4,
    seed: int = 0,
) -> StopRule:
    """Fits classifiers (`new` gives untrained ones) on parts of the rows, of several sizes, dealt `repeats` times.

    embeddings float32 (n, d), targets and mask (n, k), groups int64 (n,): a label is a group, of one row or of all
    frames of a media. The labels to come are taken to be like those that are there.
    """
    labels = len(np.unique(groups))
    samples = curve_samples(
        new, embeddings, targets, mask, groups, exclusive=exclusive, weights=weights, repeats=repeats, seed=seed
    )
    if isinstance(samples, str):
        nothing = np.zeros(0)
        return StopRule(figure, nothing, nothing, labels, more, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, samples)
    measured = samples.figures(figure)
    asked = np.array([labels, labels + more, labels * _FAR])
    now, later, far = 1.0 - drawn_on(samples.sizes, 1.0 - measured.mean(axis=0)[None], asked)[0]
    resampled = 1.0 - drawn_on(samples.sizes, 1.0 - _resampled(samples, figure, np.random.default_rng(seed)), asked)
    gains = resampled[:, 1] - resampled[:, 0] + _luck(measured, np.random.default_rng(seed + 1))
    edge = 50.0 * (1.0 - _INTERVAL)
    low, high = np.percentile(gains, (edge, 100.0 - edge))
    gain = later - now
    return StopRule(
        figure,
        samples.sizes,
        measured.mean(axis=0),
        labels,
        more,
        float(now),
        float(gain),
        float(min(low, gain)),
        float(max(high, gain)),
        float(far),
        float(now / max(far, 1e-9)),
    )


def drawn_on(
    sizes: NDArray[np.float64], errors: NDArray[np.float64], asked: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The errors float64 (b, m) at sizes `asked` (m,), by the power law that fits errors (b, s) at sizes (s,) best."""
    least, best = np.full(len(errors), np.inf), np.zeros((len(errors), len(asked)))
    for power in _POWERS:
        x = (sizes / sizes[-1]) ** -power
        for share in _FLOORS:
            floor = share * errors.min(axis=1, keepdims=True)
            # Large sizes count more: it is there that the curve is drawn on.
            factor = ((errors - floor) * sizes * x).sum(axis=1, keepdims=True) / (sizes * x * x).sum()
            factor = np.maximum(factor, 0.0)
            loss = (sizes * (floor + factor * x - errors) ** 2).sum(axis=1)
            better = loss < least
            least[better] = loss[better]
            best[better] = (floor + factor * (asked / sizes[-1]) ** -power)[better]
    return best


def _resampled(samples: CurveSamples, figure: Figure, rng: np.random.Generator) -> NDArray[np.float64]:
    """Figures float64 (b, s) of other groups and other repeats that might have been."""
    count = int(samples.groups.max()) + 1
    weights = rng.multinomial(count, np.full(count, 1.0 / count), size=_RESAMPLES).astype(np.float64)
    found = samples.figures(figure, weights)  # (b, r, s)
    repeats = found.shape[1]
    chosen = rng.integers(repeats, size=(_RESAMPLES, repeats))
    return np.asarray(np.take_along_axis(found, chosen[:, :, None], axis=1).mean(axis=1))


def _luck(measured: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """What it may add or take which labels come, float64 (b,): by how it differed from one size to the next.

    A quarter more, for the law itself is only about right: nine in ten intervals then held what came.
    """
    steps = np.diff(measured[:, -3:], axis=1)
    spread = 1.25 * float(np.sqrt(steps.var(axis=0, ddof=1).mean())) if len(measured) > 1 else 0.0
    return rng.normal(0.0, spread, _RESAMPLES)
