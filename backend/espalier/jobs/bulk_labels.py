"""A label that is given in bulk, and how people write it."""

from __future__ import annotations

from espalier_ontology.tree import Ontology, Path

from ..errors import BadRequest

Label = tuple[str, Path]
"""A classification, and the path of an option of it."""


def label_in(value: object) -> Label:
    """From "Weather: Rain", "Kind: Animal/Cat" or ["Kind", "Animal", "Cat"]; the list for names with : or / in them."""
    names = value
    if isinstance(value, str):
        name, _, path = value.partition(":")
        names = [name, *path.split("/")]
    if (
        not isinstance(names, list)
        or len(names) < 2
        or not all(isinstance(name, str) and name.strip() for name in names)
    ):
        raise BadRequest(
            'a label must be "Classification: Option", or a list of the classification and the path of the option, '
            f"got {value!r}"
        )
    first, *rest = (name.strip() for name in names)
    return first, tuple(rest)


def named(label: Label) -> str:
    """Weather: Rain"""
    return f"{label[0]}: {' / '.join(label[1])}"


def check_label(ontology: Ontology, name: str, path: Path) -> None:
    """Raises BadRequest for what this ontology does not ask."""
    if name not in ontology:
        known = ", ".join(classification.name for classification in ontology) or "none"
        raise BadRequest(f"there is no classification {name!r}; there are {known}")
    asked = ontology.classification(name)
    if asked.option(path) is None:
        nested = [option.path for option in asked.options if option.path[-len(path) :] == path]
        known = ", ".join(repr(" / ".join(one)) for one in nested or (option.path for option in asked.options))
        raise BadRequest(
            f"{name!r} has no option {' / '.join(path)!r}; {'a path starts at the root: ' if nested else 'it has '}"
            f"{known or 'none'}"
        )
    if asked.leaves_only and not asked.is_leaf(path):
        raise BadRequest(f"{' / '.join(path)!r} of {name!r} cannot be answered: only options below it can")


def check_labels(ontology: Ontology, labels: tuple[Label, ...]) -> None:
    """Raises BadRequest for labels that could never hold together on one frame, too."""
    for name, path in labels:
        check_label(ontology, name, path)
    for name in {name for name, _ in labels}:
        paths = [path for other, path in labels if other == name]
        chained = all(one[: len(two)] == two or two[: len(one)] == one for one in paths for two in paths)
        if ontology.classification(name).exclusive and not chained:
            raise BadRequest(f"{name!r} takes one option, got {', '.join(repr(' / '.join(path)) for path in paths)}")
