"""What a plugin author reads: three roles and their rules.

A plugin is a class named in one of the entry-point groups `espalier.encoders`, `espalier.classifiers` and
`espalier.indexes`. Espalier checks every answer against the rules written here, and raises `BrokenPlugin` with the
plugin's name, the rule and the value where one does not hold. `espalier.testing` runs the same checks in a test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
"""RGB frames, uint8 (n, height, width, 3)."""
Embeddings = NDArray[np.float32]
"""One row per frame, float32 (n, dim)."""
Scores = NDArray[np.float32]
"""One column per option, float32 (n, k), within [0, 1]."""
Targets = NDArray[np.float32]
"""1 where the option holds and 0 where it does not, float32 (n, k)."""
Mask = NDArray[np.bool_]
"""True where the target was said, bool (n, k); elsewhere it means nothing and must not be learned from."""
Weights = NDArray[np.float32]
"""How much each said target counts, float32 (n, k), 0 and up; 1 is usual. What counts nothing is not learned from."""
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class EncoderSpec:
    """What an encoder is. Embeddings of two encoders are never mixed: `digest` tells them apart."""

    name: str
    dim: int
    input_size: tuple[int, int]
    """(height, width) of the pictures that `encode` gets; they are resized to it, not cropped, while decoding."""
    digest: str
    """16 or more hex digits over weights and preprocessing; equal digests must mean equal embeddings."""
    licence: str = "unknown"
    reason: str = ""
    """Why this encoder was chosen, in words for people."""


@dataclass(frozen=True)
class EncoderRequest:
    """What the person asked for; an encoder takes what concerns it."""

    model: str | None = None
    preset: str = "balanced"
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:n`; to be obeyed or refused with BadSetting."""
    precision: str = "auto"
    """`auto`, `fp32`, `bf16` or `int8`."""
    threads: int = 0
    """0 means one per physical core."""
    weights_dir: Path | None = None
    cache_dir: Path | None = None
    """Where converted models may be kept between starts."""
    calibration: Pictures | None = field(default=None, compare=False)
    """Some of the project's own frames, for encoders that must check an approximation on them."""
    directory: Path | None = None
    """An own network that a tuner has written; then `model` and `weights_dir` do not matter."""


@runtime_checkable
class Encoder(Protocol):
    """Turns pictures into vectors, and never sees a label.

    `encode` gets RGB uint8 (n, height, width, 3) of `spec.input_size`, n >= 1, and returns float32 (n, spec.dim) in the
    order given, finite, rows of Euclidean norm 1 (+-1e-3). It keeps no reference to the pictures. It is called from
    one thread at a time, and equal pictures give equal rows.
    """

    spec: EncoderSpec

    def encode(self, frames: Pictures) -> Embeddings: ...


class EncoderClass(Protocol):
    """What the entry point of an encoder names."""

    def open(self, request: EncoderRequest) -> Encoder:
        """Load it. Raises NoWeights or BadSetting with what to do."""
        ...


@runtime_checkable
class StreamEncoder(Encoder, Protocol):
    """An encoder that keeps its device busy while the next batch is decoded (optional)."""

    def encode_stream(self, batches: Iterable[Pictures]) -> Iterator[Embeddings]:
        """One array per batch, in order. Pulls a few batches ahead; a batch may be reused once its answer came."""
        ...


@runtime_checkable
class OnnxEncoder(Encoder, Protocol):
    """An encoder that can be taken away (optional)."""

    def export_onnx(self, path: Path) -> None:
        """Write a network from uint8 (n, height, width, 3) to float32 (n, dim) of norm 1, for any n."""
        ...


@runtime_checkable
class ExplainingEncoder(Encoder, Protocol):
    """An encoder that can show where in a picture it looks (optional)."""

    def explain(self, frame: Pictures, direction: NDArray[np.float32], *, method: str = "auto") -> NDArray[np.float32]:
        """Where the component of the embedding along `direction`, float32 (dim,), comes from.

        frame: uint8 (height, width, 3) of `spec.input_size`. float32 (rows, columns), 0 and up, laid over the frame.
        The direction of a class is its row of a linear classifier's coefficients, or its mean embedding.
        """
        ...


@runtime_checkable
class Classifier(Protocol):
    """Turns embeddings into scores for the options of one question, and never sees a picture.

    `fit` gets embeddings float32 (n, d) of norm 1, targets (n, k), mask (n, k) and groups int64 (n,) (frames of one
    media share a group). exclusive says that exactly one option holds per row; the weight of that option is the row's.
    Without weights everything counts alike. It may be called again.
    `predict` returns float32 (n, k), finite, within [0, 1]; with exclusive, rows sum to 1 (+-1e-3).
    `save` writes safetensors and JSON into an existing empty directory, never pickle; `load` gives the same
    predictions back.
    """

    def fit(
        self,
        embeddings: Embeddings,
        targets: Targets,
        mask: Mask,
        groups: Ids,
        *,
        exclusive: bool,
        seed: int,
        weights: Weights | None = None,
    ) -> None: ...

    def predict(self, embeddings: Embeddings) -> Scores: ...

    def save(self, directory: Path) -> None: ...


class ClassifierClass(Protocol):
    """What the entry point of a classifier names: called without arguments, it gives an untrained one."""

    def __call__(self) -> Classifier: ...

    def load(self, directory: Path) -> Classifier: ...


@runtime_checkable
class FoldClassifier(Classifier, Protocol):
    """A classifier that can fit all folds of a cross-fit faster than one after the other (optional)."""

    def cross_fit(
        self,
        embeddings: Embeddings,
        targets: Targets,
        mask: Mask,
        groups: Ids,
        *,
        folds: Ids,
        exclusive: bool,
        seed: int,
        weights: Weights | None = None,
    ) -> Scores:
        """Fit as `fit` does, and return for each row the scores of a model that has not seen that row's fold.

        Rows of which nothing is said (no True in their mask) are scored like all others.
        """
        ...


@runtime_checkable
class SearchingClassifier(Classifier, Protocol):
    """A classifier that chooses parameters of its own by cross-check (optional).

    `parameters` holds what was chosen, plain JSON values by name; empty before.
    """

    @property
    def parameters(self) -> Mapping[str, Any]: ...

    def use(self, parameters: Mapping[str, Any]) -> None:
        """Choose no more: these hold from now on, and the usual ones for what is not among them."""
        ...


@runtime_checkable
class ConfigurableClassifier(Classifier, Protocol):
    """A classifier of which people may set something (optional): `model_parameters`, or a form in the panel.

    `schema`, of the class, is JSON Schema of what may be set: `{"type": "object", "description": ..., "properties":
    {...}}`. The description says in a sentence what the plugin does. Each property is a number, integer, boolean or
    string, perhaps with `enum`, limits or `default`, and has `title` and `description`. None is required: what is left
    out, the plugin chooses. A plugin with nothing to set has no properties.
    `configure` comes before `fit`, with values that keep to the schema; they hold whatever `use` says.
    """

    schema: ClassVar[Mapping[str, Any]]

    def configure(self, settings: Mapping[str, Any]) -> None: ...


@runtime_checkable
class SteppedClassifier(Classifier, Protocol):
    """A classifier that can be watched while it learns (optional): learning curves are drawn from it."""

    def fit_steps(
        self,
        embeddings: Embeddings,
        targets: Targets,
        mask: Mask,
        groups: Ids,
        watched: Embeddings,
        *,
        exclusive: bool,
        seed: int,
        weights: Weights | None = None,
    ) -> Iterator[tuple[int, Scores]]:
        """Fit as `fit` does; at a few steps on the way and at the end, the step's number and the scores of `watched`.

        watched is float32 (m, d), the scores are float32 (m, k); step 0 is before anything was learned.
        """
        ...


@runtime_checkable
class KnowingClassifier(Classifier, Protocol):
    """A classifier that knows options by their names, before any label (optional); it is told them, and never fitted.

    Labels, where there are some, calibrate it and choose cutoffs, but change nothing in it.
    """

    def know(
        self,
        encoder: Encoder,
        options: Sequence[Sequence[str]],
        frames: Pictures,
        *,
        exclusive: bool,
        among: Sequence[str] = (),
    ) -> tuple[tuple[str, ...], ...]:
        """By option, its own names for what it takes for it; none where it does not know the option.

        options: by option, the names that people give it. frames: some of the project's, perhaps none, uint8 (n,
        height, width, 3) of the encoder's `input_size`. among: names of what is known to be there, empty for anything.
        From then on `predict` has a column for each option that is known, in their order, and where they are exclusive
        one more, for everything else. Raises NoWeights or BadSetting where it knows nothing with this encoder.
        """
        ...


@dataclass(frozen=True)
class TaskRequest:
    """For whom a classifier is asked about whole tasks."""

    project: str
    """Its number in Label Studio."""
    label_config: str
    """The labeling configuration, as Label Studio has it."""
    named: Mapping[str, str]
    """What the operator wrote in `espalier.yaml`, by full name (`model_class`). Code is named here, or nowhere."""
    directory: Path
    """A place of its own on this machine's disk; need not be there yet."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """How Label Studio is reached: LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY, as far as they are known."""


@runtime_checkable
class TaskClassifier(Classifier, Protocol):
    """A classifier that is asked about whole tasks instead of embeddings (optional); it is begun, and never fitted.

    Labels, where there are some, calibrate it and choose cutoffs, but change nothing in it. `predict` says of
    embeddings that none of the options holds: it has as many columns as `begin` was told, and where they are exclusive
    one more, for everything else. `answers_by` is who was begun with, and is saved: where another one answers now, a
    training is due.
    """

    answers_by: str

    def begin(self, request: TaskRequest, *, options: int, exclusive: bool) -> str:
        """From now on it stands for a question of so many options; in words, who answers.

        Raises BadSetting, in words, where nobody can.
        """
        ...

    def ask(self, tasks: Sequence[Mapping[str, Any]], request: TaskRequest) -> Sequence[Sequence[Mapping[str, Any]]]:
        """For each of Label Studio's task objects, the regions that it answers, as Label Studio has them.

        A region's `score`, within 0 and 1, is its confidence, and 1 where there is none. Regions of other
        classifications are no matter. Raises BadSetting or BrokenPlugin, in words.
        """
        ...


@runtime_checkable
class LiveClassifier(Classifier, Protocol):
    """A classifier that learns and forgets single examples at once, without being fitted again (optional).

    What it was fitted with has the ids 0 to n - 1, in order; examples that come later have ids of the caller's choice.
    """

    def learn(
        self, ids: Ids, embeddings: Embeddings, targets: Targets, mask: Mask, *, weights: Weights | None = None
    ) -> None:
        """From now on `predict` knows them; a known id is replaced.

        ids int64 (n,), embeddings float32 (n, d), targets and mask (n, k) with the k of `fit`; in milliseconds, however
        many there are already.
        """
        ...

    def forget(self, ids: Ids) -> None:
        """As if they had never been; unknown ids are no matter."""
        ...


@runtime_checkable
class TextEncoder(Encoder, Protocol):
    """An encoder that puts words into the same space as pictures (optional), so that frames are found by them."""

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """float32 (n, spec.dim), rows of norm 1."""
        ...


@dataclass(frozen=True)
class IndexRequest:
    """Which index is opened, and where it may keep what it holds."""

    name: str
    """Letters, digits and underscores; one project's frames under one encoder."""
    dim: int
    encoder: str
    """The encoder's digest: an index holds the embeddings of one encoder alone."""
    directory: Path
    """A place of its own on this machine's disk; need not be there yet."""
    url: str = field(default="", repr=False)
    """Of a service, for an index that lies elsewhere; may hold a password."""
    recall: float = 0.99
    """Of the 20 nearest, the share that an approximate search must find."""
    memory_mb: int = 4096
    """What it may take of this machine's memory."""
    threads: int = 1


@dataclass(frozen=True)
class IndexReport:
    """What an index says of itself, for people."""

    kind: str
    """`exact`, or how it approximates, such as `IVF4096,SQ8`."""
    vectors: int
    size_bytes: int
    """In memory."""
    recall: float | None = None
    """Of the 20 nearest, measured against exact search on its own vectors; None where search is exact."""
    reason: str = ""
    """Why it is of this kind, in words."""


@runtime_checkable
class Index(Protocol):
    """Finds the nearest embeddings by cosine. Called from one thread at a time.

    Ids are int64, 0 and up; those of one media's frames lie beside each other (`id >> 24` is the media's number).
    `add` gets distinct ids int64 (n,) and embeddings float32 (n, dim) of norm 1; a known id is replaced.
    `remove` takes ids; unknown ones are no matter.
    `search` gets queries float32 (m, dim) of norm 1 and returns ids int64 (m, k) and scores float32 (m, k) in [-1, 1],
    best first; where fewer than k are there, the tail is id -1 and score -1. With `allowed`, ascending distinct ids,
    only those are found, as if the index held no others: the condition holds within the search, not after it.
    `ids` are all that it holds, ascending. What was added or removed is there again when it is next opened, also after
    a sudden end of the process; `save` makes that quick, and may take its time. After `close` nothing is called.
    """

    def add(self, ids: Ids, embeddings: Embeddings) -> None: ...

    def remove(self, ids: Ids) -> None: ...

    def search(self, queries: Embeddings, k: int, allowed: Ids | None = None) -> tuple[Ids, Scores]: ...

    def ids(self) -> Ids: ...

    def report(self) -> IndexReport: ...

    def save(self) -> None: ...

    def close(self) -> None: ...


class IndexClass(Protocol):
    """What the entry point of an index names."""

    def open(self, request: IndexRequest) -> Index:
        """What was there under this request, else an empty one. Several processes may open the same.

        Raises BadIndex for what cannot be read or holds embeddings of another encoder, BadSetting where its service
        cannot be had.
        """
        ...

    def drop(self, request: IndexRequest) -> None:
        """Nothing of it is left; it may not have been there."""
        ...
