"""Training: from questions and embeddings to a model, with probabilities, cutoffs and the evidence to judge it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier_ontology.tree import Classification, Ontology, Siblings

from ..contract import Classifier, Embeddings, EncoderSpec
from ..errors import BadSetting, BrokenPlugin
from .asked import Asked
from .configured import PARAMETERS, configure
from .dealing import deal_rows
from .fitting import Learned, fit_head
from .head import untrained
from .known_head import Known, better, known_head
from .linear import LinearClassifier
from .live import lives
from .live_head import blank_head
from .model import Model
from .parts import Part
from .questions import Question, fingerprint
from .rows import Located, union
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
    alike: Callable[[Located], Embeddings] | None = None,
    taught: Mapping[str, Part] | None = None,
    known: Callable[[Classification, Siblings], Known | None] | None = None,
) -> Model:
    """One head per sibling set of the ontology; those that nothing can be learned of yet say why.

    embeddings_of gives float32 (n, encoder.dim) for the frames it gets. chosen: by media, the part that a person wants
    it to play. alike, taught: see `deal_rows`, where the encoder has itself learned from answers; nothing is judged or
    chosen on rows that it has seen. known: what a pretrained network knows of a question without labels, see
    `known_head`. A classification's `model_plugin` attribute names its classifier; one that lives is there without any
    answer; `model_parameters` is what people set of it. Equal input gives an equal model.
    progress gets done, total and a name.
    """
    parameters = parameters or TrainingParameters()
    asked = {question.key: number for number, question in enumerate(questions)}
    located, places = union(questions)
    embeddings = _embedded(embeddings_of, located, encoder)
    dealt = deal_rows(
        questions,
        located,
        places,
        embeddings if alike is None else alike(located),
        parameters,
        chosen or {},
        taught=taught,
    )
    heads = {}
    sets = [(classification, siblings) for classification in ontology for siblings in classification.siblings()]
    # On a busy machine a team of threads waits for its slowest at every step: one thread took 0.3 s where two took 60.
    with threadpool_limits(limits=1 if embeddings.size < _SMALL else None, user_api="blas"):
        for done, (classification, siblings) in enumerate(sets):
            if progress is not None:
                progress(done, len(sets), classification.name)
            key = (classification.name, siblings.parent)
            knows = known(classification, siblings) if known is not None and parameters.learns(classification) else None
            learned = None
            if key in asked:
                number = asked[key]
                learned = Learned(questions[number], places[number], dealt.rows, embeddings, parameters, dealt.seen)
            plugin = classification.settings.get("model_plugin", PLUGIN)
            new = partial(_new, classifier, classification)
            if learned is not None and not (knows is not None and knows.alone):
                set_here = PARAMETERS in classification.settings
                said = configure(classifier(plugin), classification.settings) if set_here else ()
                heads[key] = fit_head(learned, plugin, new, (*dealt.notes, *said))
            elif parameters.learns(classification) and (living := _living(new)) is not None:
                unanswered = Asked(ontology, classification, siblings, parameters)
                heads[key] = blank_head(unanswered, plugin, living, embeddings, seed=parameters.seed)
            else:
                counts = dict.fromkeys(siblings.options, 0)
                where = f" below {' / '.join(siblings.parent)!r}" if siblings.parent else ""
                reason = f"nothing is answered{where} yet; answer at least 2 different options"
                if not parameters.learns(classification):
                    reason = "left out by choice"
                heads[key] = untrained(classification.name, siblings.parent, classification.exclusive, counts, reason)
            if knows is not None:
                knowing = known_head(
                    knows,
                    classification.name,
                    siblings,
                    learned,
                    dealt.rows,
                    embeddings,
                    exclusive=classification.exclusive,
                )
                if knows.alone or (learned is None and knowing.trained):
                    heads[key] = knowing
                elif learned is not None:
                    heads[key] = better(heads[key], knowing, learned)
    if progress is not None:
        progress(len(sets), len(sets), "")
    return Model(
        ontology.fingerprint, data_fingerprint or fingerprint(questions), encoder, parameters.seed, heads, dealt.rows
    )


def _new(classifier: NewClassifier, classification: Classification) -> Classifier:
    """An untrained one, as people set it for this classification."""
    made = classifier(classification.settings.get("model_plugin", PLUGIN))
    configure(made, classification.settings)
    return made


def _living(new: Callable[[], Classifier]) -> Classifier | None:
    """An untrained one, where that plugin's live; None for others, and for one that is not there."""
    try:
        found = new()
    except (BadSetting, BrokenPlugin):
        return None  # it is told once there is something to learn
    return found if lives(found) else None


def _embedded(embeddings_of: Callable[[Located], Embeddings], located: Located, encoder: EncoderSpec) -> Embeddings:
    if not len(located.frames):
        return np.zeros((0, encoder.dim), np.float32)
    embeddings = np.ascontiguousarray(embeddings_of(located), np.float32)
    if embeddings.shape != (len(located.frames), encoder.dim):
        raise ValueError(f"{len(located.frames)} frames got embeddings {embeddings.shape}, expected {encoder.dim} wide")
    return embeddings
