"""An ensemble: several models as one, whose embeddings stand beside each other and whose logits are averaged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..contract import EncoderSpec, Ids, Scores
from ..errors import BadRequest
from .head import Evidence, Head, untrained
from .linear import LinearClassifier
from .measured_head import Scored, measured_head
from .model import Model
from .questions import Key
from .rows import Rows
from .tuned_head import PLUGIN, linear_of

_FLOOR = np.float32(1e-6)


def ensemble_model(members: Sequence[Model], names: Sequence[str], encoder: EncoderSpec) -> Model:
    """Members have linear classifiers; embeddings are theirs, in their order, each divided by sqrt(members).

    It is judged on the frames that all of them were, by the first one's labels and parts: a frame counts where every
    member has scored it without having seen it. A question is answered where all know the same options of it. Raises
    BadRequest naming the member whose classifier has no logits to average.
    """
    first = members[0]
    places = [_places(first.rows, member.rows) for member in members]
    kept = np.all([at >= 0 for at in places], axis=0)
    rows = Rows(**{name: values[kept] for name, values in vars(first.rows).items()})
    heads: dict[Key, Head] = {}
    for key, head in first.heads.items():
        others = [member.heads.get(key) for member in members]
        alike = [one for one in others if one is not None and one.trained and _asks(one) == _asks(head)]
        if len(alike) < len(members):
            reason = "the members of the ensemble do not all know the same options of it"
            heads[key] = untrained(head.classification, head.parent, head.exclusive, head.counts, reason)
            continue
        heads[key] = _joined(alike, names, [at[kept] for at in places], rows)
    return Model(first.ontology_fingerprint, first.data_fingerprint, encoder, first.seed, heads, rows)


def _joined(heads: Sequence[Head], names: Sequence[str], places: Sequence[Ids], rows: Rows) -> Head:
    head, count = heads[0], len(heads)
    linear = [_linear(one, name) for one, name in zip(heads, names, strict=True)]
    slopes = [np.asarray(one.calibration.slopes, np.float32) for one in heads]
    shifts = [np.asarray(one.calibration.shifts, np.float32) for one in heads]
    coefficients = np.concatenate(
        [slope[:, None] * one.coefficients for slope, one in zip(slopes, linear, strict=True)], axis=1
    ) / np.float32(np.sqrt(count))
    intercepts = np.mean(
        [slope * one.intercepts + shift for slope, shift, one in zip(slopes, shifts, linear, strict=True)], axis=0
    )
    evidence = [one.evidence for one in heads if one.evidence is not None]
    targets, mask = evidence[0].targets[places[0]], evidence[0].mask[places[0]]
    counted = np.all([one.counted[at] for one, at in zip(evidence, places, strict=True)], axis=0)
    raw = _averaged(evidence, places, "scores", head)
    fitted = _averaged(evidence, places, "fitted", head)
    if head.background:
        none = mask.all(axis=1) & ~(mask & (targets > 0.5)).any(axis=1)
        targets = np.column_stack([targets, none]).astype(np.float32)
        mask = np.column_stack([mask, mask.all(axis=1)])
        counted = np.column_stack([counted, counted.all(axis=1)])
    scored = Scored(
        head.classification,
        head.parent,
        head.options,
        head.exclusive,
        head.background,
        PLUGIN,
        linear_of(coefficients, np.asarray(intercepts, np.float32), exclusive=head.exclusive),
        targets,
        mask,
        raw,
        fitted,
        np.asarray(counted & mask),
    )
    return measured_head(scored, rows, head.counts, list(head.notes))


def _averaged(evidence: Sequence[Evidence], places: Sequence[Ids], which: str, head: Head) -> Scores:
    """The scores whose logits are the mean of those of the calibrated scores of every member."""
    logits = []
    for one, at in zip(evidence, places, strict=True):
        scores = getattr(one, which)[at]
        if head.background:
            scores = np.column_stack([scores, np.clip(1.0 - scores.sum(axis=1), 0.0, 1.0)]).astype(np.float32)
        kept = np.clip(scores, _FLOOR, 1 - _FLOOR)
        logits.append(np.log(kept) if head.exclusive else np.log(kept) - np.log1p(-kept))
    mean = np.mean(logits, axis=0)
    if not head.exclusive:
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * mean)), np.float32)
    shares: NDArray[np.float32] = np.exp(mean - mean.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def _linear(head: Head, name: str) -> LinearClassifier:
    found = getattr(head.classifier, "classifier", head.classifier)  # as loaded, a checked one is around it
    if not isinstance(found, LinearClassifier) or found.kernel is not None:
        where = " / ".join((head.classification, *head.parent))
        raise BadRequest(
            f"{name} answers {where!r} by the classifier {head.plugin!r}, and only linear ones are averaged"
        )
    return found


def _asks(head: Head) -> tuple[object, ...]:
    return head.options, head.exclusive, head.background


def _places(first: Rows, other: Rows) -> Ids:
    """For each row of the first its number among the other's, or -1."""
    numbers = {row: at for at, row in enumerate(zip(other.media.tolist(), other.frames.tolist(), strict=True))}
    rows = zip(first.media.tolist(), first.frames.tolist(), strict=True)
    return np.array([numbers.get(row, -1) for row in rows], np.int64)
