"""The drivers: each wraps a plugin, passes calls on, and holds every answer against the contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import (
    Classifier,
    ConfigurableClassifier,
    Embeddings,
    Encoder,
    ExplainingEncoder,
    FoldClassifier,
    Ids,
    Index,
    IndexReport,
    KnowingClassifier,
    LiveClassifier,
    Mask,
    Pictures,
    Scores,
    SearchingClassifier,
    SteppedClassifier,
    StreamEncoder,
    Targets,
    TaskClassifier,
    TaskRequest,
    TextEncoder,
    Weights,
)
from ..errors import BadSetting, BrokenPlugin
from ..plugin_settings import problems
from .rules import check_asked, check_embeddings, check_found, check_ids, check_map, check_scores, check_spec


class CheckedEncoder:
    """An Encoder whose rows are certain to be float32 (n, dim), finite and of norm 1; else it raises BrokenPlugin."""

    def __init__(self, plugin: str, encoder: Encoder, *, reason: str = "") -> None:
        spec = check_spec(plugin, encoder.spec)
        self.plugin = plugin
        self.encoder = encoder
        self.spec = replace(spec, reason="; ".join(part for part in (reason, spec.reason) if part))

    def encode(self, frames: Pictures) -> Embeddings:
        return check_embeddings(self.plugin, self.encoder.encode(frames), len(frames), self.spec.dim)

    def encode_stream(self, batches: Iterable[Pictures]) -> Iterator[Embeddings]:
        """One array per batch, in order; batch by batch where the plugin has no stream of its own."""
        if not isinstance(self.encoder, StreamEncoder):
            for batch in batches:
                yield self.encode(batch)
            return
        counts: list[int] = []  # of the batches that were pulled and are not answered yet, oldest first

        def counted() -> Iterator[Pictures]:
            for batch in batches:
                counts.append(len(batch))
                yield batch

        for rows in self.encoder.encode_stream(counted()):
            if not counts:
                raise BrokenPlugin(self.plugin, "encode_stream returns one array per batch", "an array too many")
            yield check_embeddings(self.plugin, rows, counts.pop(0), self.spec.dim)
        if counts:
            raise BrokenPlugin(self.plugin, "encode_stream returns one array per batch", f"{len(counts)} too few")

    @property
    def reads(self) -> bool:
        """Whether words can be encoded, too."""
        return isinstance(self.encoder, TextEncoder)

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """float32 (n, dim) of norm 1. Ask `reads` first."""
        if not isinstance(self.encoder, TextEncoder):
            raise BrokenPlugin(self.plugin, "encode_text is there", type(self.encoder).__name__)
        return check_embeddings(self.plugin, self.encoder.encode_text(texts), len(texts), self.spec.dim)

    @property
    def explains(self) -> bool:
        """Whether the plugin can show by itself where it looks."""
        return isinstance(self.encoder, ExplainingEncoder)

    def explain(self, frame: Pictures, direction: NDArray[np.float32], *, method: str = "auto") -> NDArray[np.float32]:
        """Ask `explains` first."""
        if not isinstance(self.encoder, ExplainingEncoder):
            raise BrokenPlugin(self.plugin, "explain is there", type(self.encoder).__name__)
        return check_map(self.plugin, self.encoder.explain(frame, direction, method=method))


class CheckedClassifier:
    """A Classifier whose scores are certain to be float32 (n, k) in [0, 1], summing to 1 where options are exclusive.

    What `fit` was given is remembered for `predict`; for a loaded one, say `options` (k) and `exclusive` if known.
    """

    def __init__(
        self, plugin: str, classifier: Classifier, *, options: int | None = None, exclusive: bool | None = None
    ) -> None:
        self.plugin = plugin
        self.classifier = classifier
        self.options = options
        self.exclusive = exclusive

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the plugin chose for itself; empty where it chooses nothing."""
        return dict(self.classifier.parameters) if isinstance(self.classifier, SearchingClassifier) else {}

    def use(self, parameters: Mapping[str, Any]) -> None:
        """Let it choose no more, where it chooses at all."""
        if isinstance(self.classifier, SearchingClassifier):
            self.classifier.use(parameters)

    @property
    def schema(self) -> Mapping[str, Any]:
        """What people may set of it; no properties where that is nothing."""
        nothing = {"type": "object", "description": "", "properties": {}}
        return self.classifier.schema if isinstance(self.classifier, ConfigurableClassifier) else nothing

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Before `fit`. Raises BadSetting for what its schema does not allow."""
        if refused := problems(self.schema, settings):
            raise BadSetting(f"{self.plugin}: {'; '.join(refused.values())}")
        if isinstance(self.classifier, ConfigurableClassifier):
            self.classifier.configure(settings)

    @property
    def folds(self) -> bool:
        """Whether the plugin fits the folds of a cross-fit by itself."""
        return isinstance(self.classifier, FoldClassifier)

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
    ) -> None:
        self.options, self.exclusive = targets.shape[1], exclusive
        self.classifier.fit(embeddings, targets, mask, groups, exclusive=exclusive, seed=seed, weights=weights)

    def predict(self, embeddings: Embeddings) -> Scores:
        scores = self.classifier.predict(embeddings)
        return check_scores(self.plugin, scores, len(embeddings), self.options, exclusive=self.exclusive)

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
        """Scores float32 (n, k) of models that have not seen the row's fold. Ask `folds` first."""
        if not isinstance(self.classifier, FoldClassifier):
            raise BrokenPlugin(self.plugin, "cross_fit is there", type(self.classifier).__name__)
        scores = self.classifier.cross_fit(
            embeddings, targets, mask, groups, folds=folds, exclusive=exclusive, seed=seed, weights=weights
        )
        return check_scores(self.plugin, scores, len(embeddings), targets.shape[1], exclusive=exclusive)

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
        """How the watched rows are scored on the way; nothing where the plugin cannot be watched."""
        if not isinstance(self.classifier, SteppedClassifier):
            return
        self.options, self.exclusive = targets.shape[1], exclusive
        for step, scores in self.classifier.fit_steps(
            embeddings, targets, mask, groups, watched, exclusive=exclusive, seed=seed, weights=weights
        ):
            yield step, check_scores(self.plugin, scores, len(watched), targets.shape[1], exclusive=exclusive)

    @property
    def knows(self) -> bool:
        """Whether the plugin may know options by their names."""
        return isinstance(self.classifier, KnowingClassifier)

    def know(
        self,
        encoder: Encoder,
        options: Sequence[Sequence[str]],
        frames: Pictures,
        *,
        exclusive: bool,
        among: Sequence[str] = (),
    ) -> tuple[tuple[str, ...], ...]:
        """Ask `knows` first."""
        if not isinstance(self.classifier, KnowingClassifier):
            raise BrokenPlugin(self.plugin, "know is there", type(self.classifier).__name__)
        inner = encoder.encoder if isinstance(encoder, CheckedEncoder) else encoder
        found = self.classifier.know(inner, options, frames, exclusive=exclusive, among=among)
        if len(found) != len(options):
            raise BrokenPlugin(self.plugin, "know answers for every option", f"{len(found)} of {len(options)}")
        self.options, self.exclusive = sum(map(bool, found)) + exclusive, exclusive
        return found

    @property
    def reads_tasks(self) -> bool:
        """Whether the plugin is asked about whole tasks."""
        return isinstance(self.classifier, TaskClassifier)

    @property
    def answers_by(self) -> str:
        """Who answers for it, where it is asked about whole tasks; else nobody."""
        return self.classifier.answers_by if isinstance(self.classifier, TaskClassifier) else ""

    def begin(self, request: TaskRequest, *, options: int, exclusive: bool) -> str:
        """Ask `reads_tasks` first."""
        if not isinstance(self.classifier, TaskClassifier):
            raise BrokenPlugin(self.plugin, "begin is there", type(self.classifier).__name__)
        self.options, self.exclusive = options + exclusive, exclusive
        return self.classifier.begin(request, options=options, exclusive=exclusive)

    def ask(self, tasks: Sequence[Mapping[str, Any]], request: TaskRequest) -> list[list[Mapping[str, Any]]]:
        """Ask `reads_tasks` first."""
        if not isinstance(self.classifier, TaskClassifier):
            raise BrokenPlugin(self.plugin, "ask is there", type(self.classifier).__name__)
        found = [list(regions) for regions in self.classifier.ask(tasks, request)]
        if len(found) != len(tasks):
            raise BrokenPlugin(self.plugin, "ask answers for every task", f"{len(found)} of {len(tasks)}")
        return found

    @property
    def lives(self) -> bool:
        """Whether the plugin learns and forgets single examples."""
        return isinstance(self.classifier, LiveClassifier)

    def learn(
        self, ids: Ids, embeddings: Embeddings, targets: Targets, mask: Mask, *, weights: Weights | None = None
    ) -> None:
        """Ask `lives` first."""
        if not isinstance(self.classifier, LiveClassifier):
            raise BrokenPlugin(self.plugin, "learn is there", type(self.classifier).__name__)
        self.classifier.learn(ids, embeddings, targets, mask, weights=weights)

    def forget(self, ids: Ids) -> None:
        """Ask `lives` first."""
        if not isinstance(self.classifier, LiveClassifier):
            raise BrokenPlugin(self.plugin, "forget is there", type(self.classifier).__name__)
        self.classifier.forget(ids)

    def save(self, directory: Path) -> None:
        """Into an existing empty directory; a pickle among the files is refused."""
        self.classifier.save(directory)
        for path in directory.rglob("*"):
            if path.suffix in {".pkl", ".pickle", ".joblib", ".pt", ".pth"}:
                raise BrokenPlugin(self.plugin, "state is safetensors and JSON, never pickle", path.name)


class CheckedIndex:
    """An Index that is asked by the rules, and whose answers are certain to be int64 and float32 (m, k), best first."""

    def __init__(self, plugin: str, index: Index, *, dim: int) -> None:
        self.plugin = plugin
        self.index = index
        self.dim = dim

    def add(self, ids: Ids, embeddings: Embeddings) -> None:
        """ids int64 (n,), distinct, 0 and up; embeddings float32 (n, dim) of norm 1. Raises ValueError for others."""
        check_asked(ids, embeddings, self.dim)
        if len(ids):
            self.index.add(ids, embeddings)

    def remove(self, ids: Ids) -> None:
        if len(ids):
            self.index.remove(np.asarray(ids, np.int64))

    def search(self, queries: Embeddings, k: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
        """allowed: ids int64 in any order; repeated ones are no matter."""
        if queries.shape[1:] != (self.dim,) or k < 1:
            raise ValueError(f"queries must be (m, {self.dim}) and k at least 1, got {queries.shape} and {k}")
        if allowed is not None:
            allowed = _ascending(np.asarray(allowed, np.int64))
        queries = np.ascontiguousarray(queries, np.float32)
        return check_found(self.plugin, self.index.search(queries, k, allowed), len(queries), k)

    def ids(self) -> Ids:
        """All that it holds, ascending, int64 (n,)."""
        return check_ids(self.plugin, self.index.ids())

    def report(self) -> IndexReport:
        return self.index.report()

    def save(self) -> None:
        self.index.save()

    def close(self) -> None:
        self.index.close()


def _ascending(ids: Ids) -> Ids:
    return ids if (np.diff(ids) > 0).all() else np.unique(ids)
