"""What is said of a frame: the options of each classification, each as exactly as it is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from espalier_ontology.answers import Answer
from espalier_ontology.tree import Ontology, Path

Options = Mapping[str, Mapping[Path, float]]
"""By classification, options with their confidences; those that another one implies are left out."""


def said_of(ontology: Ontology, answers: Iterable[Answer], tag: str, frame: int) -> Options:
    """frame: from 0, of the media that this tag shows."""
    found: dict[str, dict[Path, float]] = {}
    for answer in answers:
        if ontology.classification(answer.classification).media == tag and frame in answer.frames:
            options = found.setdefault(answer.classification, {})
            options[answer.option] = max(answer.confidence, options.get(answer.option, 0.0))
    return {name: _exact(options) for name, options in found.items()}


def chains(said: Options, names: Sequence[str]) -> list[tuple[tuple[str, Path], ...]]:
    """Every combination of what is said of these classifications, in their order; what says nothing is passed over.

    One empty chain where nothing is said of any.
    """
    found: list[tuple[tuple[str, Path], ...]] = [()]
    for name in names:
        options = sorted(said.get(name, ()))
        if options:
            found = [(*chain, (name, path)) for chain in found for path in options]
    return found


def _exact(options: Mapping[Path, float]) -> dict[Path, float]:
    implied = {path[:depth] for path in options for depth in range(1, len(path))}
    return {path: confidence for path, confidence in options.items() if path not in implied}
