"""What classifiers that live are told, read from the mirror and the embedding store."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from espalier_ontology.tree import Classification, Ontology

from ..contract import Embeddings
from ..learning.asked import Asked
from ..learning.questions import Key, Question
from ..learning.rows import Located
from ..learning.targets import lesson
from ..learning.training_parameters import TrainingParameters
from ..plugins.checked import CheckedEncoder
from ..store.rows import Project
from .embedding import Reports
from .examples import Examples
from .house import House
from .labeled_frames import embedded, embeddings_of


@dataclass(frozen=True)
class LiveLesson:
    """How it is read, this once."""

    house: House
    project: Project
    ontology: Ontology
    parameters: TrainingParameters
    encoder: CheckedEncoder
    progress: Reports

    def questions(self, examples: Examples, names: Collection[str]) -> dict[Key, Question]:
        """Of these classifications, as far as the examples say something. All of their frames are embedded."""
        read = lesson(self.ontology, examples.annotated, parameters=self.parameters).questions
        wanted = tuple(question for question in read if question.classification in names)
        found = embedded(self.house, wanted, examples, self.encoder, self.progress)
        return {question.key: question for question in found if len(question)}

    def embeddings(self, located: Located, examples: Examples) -> Embeddings:
        """float32 (n, dim) of frames that a question is about."""
        if not len(located.frames):
            return np.zeros((0, self.encoder.spec.dim), np.float32)
        return embeddings_of(self.house, self.encoder.spec, located, examples.media)

    def asked(self, classification: Classification) -> Iterator[Asked]:
        """Each of its sibling sets, as it is to be learned."""
        for siblings in classification.siblings():
            yield Asked(self.ontology, classification, siblings, self.parameters)

    def goes_by_all(self, classification: Classification) -> bool:
        """Whether what one media says depends on what is answered elsewhere, see `targets`, or on how often it is."""
        if classification.kind == "timeline" and classification.settings.get("model_negatives", "auto") == "auto":
            return True
        if self.parameters.class_weight == "balanced":
            return True
        return any(asked.exclusive is None for asked in self.asked(classification))
