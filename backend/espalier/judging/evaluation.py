"""Evaluation: what a model is worth, as data: computed once per version, kept, and recomputed where cutoffs change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as Directory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Ontology

from ..contract import Ids
from ..learning.cutoffs import Cutoffs
from ..learning.head import Head
from ..learning.model import Model
from ..learning.questions import Key
from ..learning.tree_answers import TreeAnswers, answered_tree
from . import evaluation_files
from .bootstrap import RESAMPLES
from .hierarchy import hierarchy
from .judged import JUDGED_PARTS, JudgedPart, judged, part_rows
from .learning_curves import learning_curves, sample
from .own_cutoffs import OwnCutoffs
from .question_figures import Arrays, question_figures
from .tree_truth import Told, told
from .videos import video_figures

_AVERAGED = (
    "accuracy",
    "macro_f1",
    "roc_auc",
    "average_precision",
    "cross_entropy",
    "ece",
    "subset_accuracy",
    "coverage",
)


@dataclass(frozen=True)
class Evaluation:
    """summary: plain JSON; arrays: by name. What is in them stands at `evaluate`."""

    summary: dict[str, Any]
    arrays: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)

    def save(self, directory: Directory) -> None:
        """Write it beside, then rename: the directory is whole or not there. One that is there is replaced."""
        evaluation_files.save(directory, self.summary, self.arrays)

    def is_of(self, ontology: Ontology, model: Model, cutoffs: Mapping[Key, Cutoffs] | None = None) -> bool:
        """Whether `evaluate` would say the same: it is this model's, by these cutoffs."""
        in_force = other_cutoffs(model, cutoffs_in_force(ontology, model, cutoffs))
        return bool(self.summary["model"] == _identity(model) and self.summary["cutoffs"] == in_force)

    @classmethod
    def load(cls, directory: Directory) -> Evaluation:
        """Raises BadModel where the directory is not, byte for byte, what `save` wrote."""
        return cls(*evaluation_files.load(directory))


def evaluate(
    ontology: Ontology,
    model: Model,
    *,
    cutoffs: Mapping[Key, Cutoffs] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Evaluation:
    """Everything that can be said of a model from its stored scores; nothing is predicted anew.

    cutoffs: by question, float64 (k,), instead of those that `cutoffs_in_force` gives, which are those of training
    unless the configuration names a threshold. Rows on which cutoffs were chosen are answered by those that other folds
    chose. Equal input and seed give equal figures; resamples of the bootstrap.

    summary, plain JSON, with null wherever a figure cannot be computed:

    * `model`: data_fingerprint, ontology_fingerprint, encoder, seed and rows; `groups` that are drawn for intervals
    * `cutoffs`: [{classification, parent, cutoffs}], those that are not the ones of training
    * `questions`: of each trained question classification, parent, options (paths, in the order of everything below),
      exclusive, background, parameters, learning (see `learning_curves`)
    * `parts`: by name (train, validation, test, cross; see `judged`)
        - `rows`
        - `mean`: over questions, of accuracy, macro_f1, roc_auc, average_precision, cross_entropy, ece,
          subset_accuracy and coverage
        - `questions`: in the same order, each with classification, parent and rows (0: nothing else is there), and
            - without cutoffs: accuracy (highest score; where several may hold, yes and no at a half), top_3, top_5,
              roc_auc and average_precision (means over options), cross_entropy, confidence, ece (expected
              calibration error), brier; `uncalibrated`: the last four before calibration
            - by the cutoffs: micro_, macro_ and weighted_ precision, recall and f1, subset_accuracy, hamming_loss,
              coverage, matthews, kappa
            - `intervals`: 95 %, [low, high], of accuracy, subset_accuracy and macro_f1
            - `confusion`: see `confusion.matrix`; `confusion.cell_rows` gives the rows of a cell
            - `options`: path, cutoff, positives, negatives, answered, right, precision, recall, f1, f1_interval,
              roc_auc, average_precision, matthews, confidence (mean score of its answers)
        - `hierarchy`: see `hierarchy.hierarchy`
        - `video`: see `videos.video_figures`

    arrays; n is a question's number in `questions`, k its options:

    * `{part}/{n}/precision_recall`, `{part}/{n}/roc`: float32 (k + 1, 200, 3), by option and then all of them together:
      recall, precision, cutoff; false-positive rate, true-positive rate, cutoff. NaN where there is no curve
    * `{part}/{n}/reliability`: float32 (k + 1, 15, 3): mean score, share that held, rows; the last is that of ece
    * `steps/{n}/...`: numbers, scores, rows, media, frames, targets and mask of the watched frames (`learning_curves`)
    """
    heads = [head for head in model.heads.values() if head.evidence is not None]
    cutoffs = cutoffs_in_force(ontology, model, cutoffs)
    arrays: dict[str, NDArray[np.generic]] = {}
    for number, head in enumerate(heads):
        arrays |= {f"steps/{number}/{name}": array for name, array in sample(head, model.rows).items()}
    seen, unseen = (_tree(ontology, model, cutoffs, fitted=fitted) for fitted in (True, False))
    parts: dict[str, Any] = {}
    for part in JUDGED_PARTS:
        trees = seen if part == "train" else unseen
        parts[part], found = _part(ontology, model, heads, part, trees, cutoffs, seed, resamples)
        arrays |= found
    summary = {
        "model": _identity(model),
        "groups": len(np.unique(model.rows.groups)),
        "cutoffs": other_cutoffs(model, cutoffs),
        "questions": [
            {
                **_named(head),
                "options": [list(option) for option in head.options],
                "exclusive": head.exclusive,
                "background": head.background,
                "parameters": dict(head.parameters),
                "learning": learning_curves(head, model.rows),
            }
            for head in heads
        ],
        "parts": parts,
    }
    return Evaluation(summary, arrays)


def cutoffs_in_force(
    ontology: Ontology, model: Model, cutoffs: Mapping[Key, Cutoffs] | None = None
) -> dict[Key, Cutoffs]:
    """By question, what answers go by: those given, else what the configuration names, else those of training."""
    return {**OwnCutoffs().effective(ontology, model), **(cutoffs or {})}


def other_cutoffs(model: Model, cutoffs: Mapping[Key, Cutoffs]) -> list[dict[str, Any]]:
    """Those that are not the ones of training, as they stand in a summary."""
    return [
        {"classification": name, "parent": list(parent), "cutoffs": np.asarray(values, np.float64).tolist()}
        for (name, parent), values in sorted(cutoffs.items(), key=lambda item: item[0])
        if (name, parent) in model.heads and not np.array_equal(values, model.heads[name, parent].cutoffs)
    ]


def _part(
    ontology: Ontology,
    model: Model,
    heads: list[Head],
    part: JudgedPart,
    trees: tuple[dict[str, TreeAnswers], dict[str, Told]],
    cutoffs: Mapping[Key, Cutoffs],
    seed: int,
    resamples: int,
) -> tuple[dict[str, Any], Arrays]:
    rows: Ids = part_rows(model.rows, part)
    questions: list[dict[str, Any]] = []
    arrays: Arrays = {}
    for number, head in enumerate(heads):
        one = judged(model, head, part, cutoffs)
        assert one is not None
        figures, found = question_figures(one, head.options, exclusive=head.exclusive, resamples=resamples, seed=seed)
        questions.append({**_named(head), **figures})
        arrays |= {f"{part}/{number}/{name}": array for name, array in found.items()}
    return {
        "rows": len(rows),
        "mean": {name: _mean([question.get(name) for question in questions]) for name in _AVERAGED},
        "questions": questions,
        "hierarchy": hierarchy(ontology, model, *trees, rows),
        "video": video_figures(ontology, model, *trees, rows),
    }, arrays


def _tree(
    ontology: Ontology, model: Model, cutoffs: Mapping[Key, Cutoffs], *, fitted: bool
) -> tuple[dict[str, TreeAnswers], dict[str, Told]]:
    return answered_tree(ontology, model, cutoffs=cutoffs, fitted=fitted), told(ontology, model, fitted=fitted)


def _identity(model: Model) -> dict[str, Any]:
    return {
        "data_fingerprint": model.data_fingerprint,
        "ontology_fingerprint": model.ontology_fingerprint,
        "encoder": model.encoder.digest,
        "seed": model.seed,
        "rows": len(model.rows),
    }


def _named(head: Head) -> dict[str, Any]:
    return {"classification": head.classification, "parent": list(head.parent)}


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
