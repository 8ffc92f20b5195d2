"""Training: from questions and embeddings to a model, with probabilities, cutoffs and the evidence to judge it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier_ontology.tree import Ontology

from ..contract import Classifier, Embeddings, EncoderSpec, Ids
from ..errors import BadSetting
from .fitting import Learned, fit_head
from .folds import deal, join_duplicates
from .head import untrained
from .linear import LinearClassifier
from .model import Model
from .parts import PARTS, TEST, VALIDATION, Part, divide
from .questions import Question, fingerprint
from .rows import Located, Rows, union
from .training_parameters import TrainingParameters

NewClassifier = Callable[[str], Classifier]
"""From a plugin's name to an untrained classifier."""
PLUGIN = "linear"
_SMALL = 20_000_000  # numbers in the embeddings: 40,000 frames x 512


def new_linear(plugin: str) -> Classifier:
    """The classifier that is always there."""
    if plugin != PLUGIN:
        raise BadSetting(f"model_plugin={plugin!r}: only {PLUGIN!r} is at hand here")
    return LinearClassifier()


def train(
    ontology: Ontology,
    questions: Sequence[Question],
    embeddings_of: Callable[[Located], Embeddings],
    *,
    encoder: EncoderSpec,
    classifier: NewClassifier = new_linear,
    parameters: TrainingParameters | None = None,
    chosen: Mapping[str, Part] | None = None,
    data_fingerprint: str = "",
    progress: Callable[[int, int, str], None] | None = None,
) -> Model:
    """One head per sibling set of the ontology; those that nothing can be learned of yet say why.

    embeddings_of gives float32 (n, encoder.dim) for the frames it gets. chosen: by media, the part that a person wants
    it to play. A classification's `model_plugin` attribute names its classifier. Equal input gives an equal model.
    progress gets done, total and a name.
    """
    parameters = parameters or TrainingParameters()
    asked = {question.key: number for number, question in enumerate(questions)}
    rows, places, embeddings, notes = _rows(questions, embeddings_of, encoder, parameters, chosen or {})
    heads = {}
    sets = [(classification, siblings) for classification in ontology for siblings in classification.siblings()]
    # On a busy machine a team of threads waits for its slowest at every step: one thread took 0.3 s where two took 60.
    with threadpool_limits(limits=1 if embeddings.size < _SMALL else None, user_api="blas"):
        for done, (classification, siblings) in enumerate(sets):
            if progress is not None:
                progress(done, len(sets), classification.name)
            key = (classification.name, siblings.parent)
            if key in asked:
                plugin = classification.settings.get("model_plugin", PLUGIN)
                number = asked[key]
                learned = Learned(questions[number], places[number], rows, embeddings, parameters)
                heads[key] = fit_head(learned, plugin, partial(classifier, plugin), notes)
            else:
                counts = dict.fromkeys(siblings.options, 0)
                where = f" below {' / '.join(siblings.parent)!r}" if siblings.parent else ""
                reason = f"nothing is answered{where} yet; answer at least 2 different options"
                if not parameters.learns(classification):
                    reason = "left out by choice"
                heads[key] = untrained(classification.name, siblings.parent, classification.exclusive, counts, reason)
    if progress is not None:
        progress(len(sets), len(sets), "")
    return Model(
        ontology.fingerprint, data_fingerprint or fingerprint(questions), encoder, parameters.seed, heads, rows
    )


def _rows(
    questions: Sequence[Question],
    embeddings_of: Callable[[Located], Embeddings],
    encoder: EncoderSpec,
    parameters: TrainingParameters,
    chosen: Mapping[str, Part],
) -> tuple[Rows, list[Ids], Embeddings, tuple[str, ...]]:
    """The frames of all questions in their parts and folds, each question's places among them, and what to know."""
    if not questions:
        return Rows.none(), [], np.zeros((0, encoder.dim), np.float32), ()
    located, places = union(questions)
    embeddings = np.ascontiguousarray(embeddings_of(located), np.float32)
    if embeddings.shape != (len(located.frames), encoder.dim):
        raise ValueError(f"{len(located.frames)} frames got embeddings {embeddings.shape}, expected {encoder.dim} wide")
    groups: Ids = np.zeros(len(embeddings), np.int64)
    for question, at in zip(questions, places, strict=True):
        groups[at] = question.groups
    groups = join_duplicates(embeddings, groups, seed=parameters.seed)
    holds = _side_by_side([question.holds for question in questions], places, len(groups))
    mask = _side_by_side([question.mask for question in questions], places, len(groups))
    by_hand = parameters.val_tasks is not None or parameters.val_filter is not None
    division = divide(
        located.media.tolist(),
        groups,
        holds,
        np.array([PARTS.index(chosen[media]) if media in chosen else -1 for media in located.media.tolist()], np.int8),
        validation=0.0 if by_hand or parameters.split_column is not None else parameters.val_split,
        test=0.0 if parameters.split_column is not None else parameters.test_split,
        seed=parameters.seed,
    )
    dev = division.parts != TEST
    folds = np.full(len(groups), -1, np.int64)
    dealt = deal(holds[dev].astype(np.float32), mask[dev], groups[dev], seed=parameters.seed)
    folds[dev] = dealt.rows
    validation = division.parts == VALIDATION
    if validation.any() and not validation[dev].all():
        folds[validation] = dealt.count
        folds[dev] = np.unique(folds[dev], return_inverse=True)[1]
    notes = tuple(note for note in (division.note, dealt.note) if note)
    return Rows(located.media, located.frames, groups, folds, division.parts), places, embeddings, notes


def _side_by_side(parts: Sequence[NDArray[np.bool_]], places: Sequence[Ids], rows: int) -> NDArray[np.bool_]:
    """The columns of all questions, bool (rows, sum of k); False where a question says nothing of a row."""
    whole = np.zeros((rows, sum(part.shape[1] for part in parts)), np.bool_)
    column = 0
    for part, at in zip(parts, places, strict=True):
        whole[at, column : column + part.shape[1]] = part
        column += part.shape[1]
    return whole
