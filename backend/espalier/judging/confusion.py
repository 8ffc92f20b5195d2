"""Confusion: what was answered instead of what holds, with a row for nothing held and a column for nothing answered."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Path

from ..contract import Ids
from ..errors import BadRequest
from ..learning.cutoffs import Cutoffs
from ..learning.metrics import Bits, Numbers
from ..learning.model import Model
from ..learning.questions import Key
from .judged import JudgedPart, judged

Matrix = NDArray[np.int64]


def matrix(answers: Bits, holds: Bits) -> Matrix:
    """int64 (k + 1, k + 1): row: what holds, column: what was answered; the last of each is the background (nothing).

    answers, holds bool (n, k), of rows that can be judged. Each cell counts rows. Where one option holds and one is
    answered, this is scikit-learn's `confusion_matrix`. Where several may: an option that holds and is answered counts
    on the diagonal; one that was missed counts against each wrong answer of its row, or against nothing answered where
    there is none; a wrong answer on a row where nothing was missed counts as answered on the background.
    """
    k = answers.shape[1]
    found = np.zeros((k + 1, k + 1), np.int64)
    right, missed, wrong, no_wrong, no_missed = _parts(answers, holds)
    found[:k, :k] = missed.T.astype(np.float64) @ wrong.astype(np.float64)
    found[np.arange(k), np.arange(k)] = right.sum(axis=0)
    found[:k, k] = missed[no_wrong].sum(axis=0)
    found[k, :k] = wrong[no_missed].sum(axis=0)
    found[k, k] = int((~holds.any(axis=1) & ~answers.any(axis=1)).sum())
    return found


def cell(answers: Bits, holds: Bits, true: int | None, predicted: int | None) -> Bits:
    """Which rows a cell of the matrix counts, bool (n,); None stands for the background."""
    right, missed, wrong, no_wrong, no_missed = _parts(answers, holds)
    if true is None and predicted is None:
        return np.asarray(~holds.any(axis=1) & ~answers.any(axis=1))
    if true is None:
        return np.asarray(wrong[:, predicted] & no_missed)
    if predicted is None:
        return np.asarray(missed[:, true] & no_wrong)
    return np.asarray(right[:, true] if true == predicted else missed[:, true] & wrong[:, predicted])


def cell_rows(
    model: Model,
    key: Key,
    part: JudgedPart,
    true: Path | None,
    predicted: Path | None,
    *,
    cutoffs: Mapping[Key, Cutoffs] | None = None,
) -> Ids:
    """The rows behind a cell of a question's confusion matrix, as numbers of `Model.rows`; None is the background.

    cutoffs: those by which the matrix was made (`evaluation.cutoffs_in_force`); by default those of training. Raises
    BadRequest for a question or an option that the model does not know.
    """
    head = model.heads.get(key)
    found = judged(model, head, part, cutoffs) if head is not None else None
    if head is None or found is None:
        raise BadRequest(f"nothing was learned about {' / '.join((key[0], *key[1]))!r}, so no row was judged")
    columns: list[int | None] = []
    for option in (true, predicted):
        if option is not None and option not in head.options:
            known = ", ".join(" / ".join(path) for path in head.options)
            raise BadRequest(f"{key[0]!r} has learned no option {' / '.join(option)!r}; it knows {known}")
        columns.append(None if option is None else head.options.index(option))
    return found.rows[cell(found.answers, found.holds, *columns) & found.said]


def matthews(found: Matrix | Numbers) -> float | None:
    """Matthews correlation in [-1, 1] of any confusion matrix; None where everything holds, or is answered, one way."""
    counted = np.asarray(found, np.float64)
    total, truth, said = counted.sum(), counted.sum(axis=1), counted.sum(axis=0)
    spread = (total**2 - float(said @ said)) * (total**2 - float(truth @ truth))
    if spread <= 0:
        return None
    return float((np.trace(counted) * total - truth @ said) / np.sqrt(spread))


def kappa(found: Matrix) -> float | None:
    """Cohen's kappa: agreement beyond what chance gives; None where chance alone would agree always."""
    counted = found.astype(np.float64)
    total = counted.sum()
    chance = float(counted.sum(axis=1) @ counted.sum(axis=0)) / total**2 if total else 1.0
    if chance >= 1.0:
        return None
    return float((np.trace(counted) / total - chance) / (1.0 - chance))


def pooled(answers: Bits, holds: Bits, mask: Bits) -> Matrix:
    """Yes and no over every said cell, int64 (2, 2): [[not held and not answered, wrong], [missed, right]]."""
    right, given, held, said = ((part & mask).sum() for part in (answers & holds, answers, holds, mask))
    return np.array([[said - given - held + right, given - right], [held - right, right]], np.int64)


def _parts(answers: Bits, holds: Bits) -> tuple[Bits, Bits, Bits, Bits, Bits]:
    missed, wrong = holds & ~answers, answers & ~holds
    return holds & answers, missed, wrong, np.asarray(~wrong.any(axis=1)), np.asarray(~missed.any(axis=1))
