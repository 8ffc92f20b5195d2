"""The role of a classifier, and what one may do besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from .arrays import Embeddings, Ids, Mask, Pictures, Scores, Targets, Weights
from .encoder import Encoder


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
