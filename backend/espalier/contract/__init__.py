"""What a plugin author reads: three roles and their rules.

A plugin is a class named in one of the entry-point groups `espalier.encoders`, `espalier.classifiers` and
`espalier.indexes`. Espalier checks every answer against the rules written here, and raises `BrokenPlugin` with the
plugin's name, the rule and the value where one does not hold. `espalier.testing` runs the same checks in a test.
"""

from __future__ import annotations

from .arrays import Embeddings, Ids, Mask, Pictures, Scores, Targets, Weights
from .classifier import (
    Classifier,
    ClassifierClass,
    ConfigurableClassifier,
    FoldClassifier,
    KnowingClassifier,
    LiveClassifier,
    SearchingClassifier,
    SteppedClassifier,
)
from .encoder import (
    Encoder,
    EncoderClass,
    EncoderRequest,
    EncoderSpec,
    ExplainingEncoder,
    OnnxEncoder,
    StreamEncoder,
    TextEncoder,
)
from .index import Index, IndexClass, IndexReport, IndexRequest
from .task_classifier import TaskClassifier, TaskRequest

__all__ = [
    "Classifier",
    "ClassifierClass",
    "ConfigurableClassifier",
    "Embeddings",
    "Encoder",
    "EncoderClass",
    "EncoderRequest",
    "EncoderSpec",
    "ExplainingEncoder",
    "FoldClassifier",
    "Ids",
    "Index",
    "IndexClass",
    "IndexReport",
    "IndexRequest",
    "KnowingClassifier",
    "LiveClassifier",
    "Mask",
    "OnnxEncoder",
    "Pictures",
    "Scores",
    "SearchingClassifier",
    "SteppedClassifier",
    "StreamEncoder",
    "Targets",
    "TaskClassifier",
    "TaskRequest",
    "TextEncoder",
    "Weights",
]
