"""Pictures in directories that are named after what they show: one level for each question, or each level of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from espalier_ontology.tree import Classification, Ontology

from ..jobs.bulk_labels import Label
from .file_names import PICTURES, VIDEOS, Parts, as_stored, suffix_of
from .option_names import OptionNames
from .problem import Problem
from .understood import Said

_LEFT = {"thumbs.db", "desktop.ini"}


class Directories:
    """Reads directories as labels. classifications: only these, in this order; all where none is named."""

    def __init__(self, ontology: Ontology, classifications: Sequence[str] = ()) -> None:
        self.ontology = ontology
        asked = [ontology.classification(name) for name in classifications] or list(ontology)
        self._options = {one.name: OptionNames(one) for one in asked}
        # What is said of a range of frames is not said by where a whole file lies.
        self._readable = [one.name for one in asked if one.scope != "range"]
        self._in_order = bool(classifications)

    def labels(self, directories: Parts) -> tuple[list[Label], str]:
        """What they say, and the one that says nothing after others did, or "".

        Directories around the classes, such as train/ or the archive's own name, are passed over.
        """
        found: list[Label] = []
        at = 0
        while at < len(directories):
            named = self._named(directories[at:], found)
            if named is None:
                if found:
                    return found, directories[at]
                at += 1
                continue
            label, depth = named
            found.append(label)
            at += depth
        return found, ""

    def directory(self, labels: Iterable[Label]) -> Parts:
        """The directories that say these labels; `labels` reads them again."""
        return tuple(part for name, path in labels for part in self._options[name].directory(path))

    def _named(self, parts: Parts, found: Sequence[Label]) -> tuple[Label, int] | None:
        """The first question, in the order in which they would be asked, that knows these; opened ones before roots."""
        for name in self._asked(found):
            below = self._options[name].below(parts)
            if below is not None:
                return (name, below[0]), below[1]
        return None

    def _asked(self, found: Sequence[Label]) -> list[str]:
        answered = [name for name, _ in found]
        if self._in_order:
            names = self._readable
            return names[names.index(answered[-1]) + 1 :] if answered else names
        left = [name for name in self._readable if name not in answered]
        # A name may be an option of several questions: what was just opened is meant before what is asked anyway.
        return sorted(left, key=lambda name: not _is_open(self.ontology.classification(name), found))


def _is_open(classification: Classification, found: Sequence[Label]) -> bool:
    nearest = classification.conditions[-1:]
    return any(
        name in condition.names and (condition.options is None or path in condition.options)
        for condition in nearest
        for name, path in found
    )


def read_pictures(
    directories: Directories, files: Iterable[Parts], problems: list[Problem]
) -> Iterator[tuple[Parts, Said]]:
    """Each picture or video with what its directories say; what says nothing goes to `problems`."""
    pictures = []
    for parts in files:
        hidden = any(part.startswith((".", "__MACOSX")) for part in parts) or parts[-1].lower() in _LEFT
        if hidden:
            continue
        if suffix_of(parts[-1]) in PICTURES | VIDEOS:
            pictures.append(parts)
        else:
            do = "import a table by itself" if suffix_of(parts[-1]) in (".csv", ".tsv", ".txt") else "leave it out"
            problems.append(Problem("/".join(parts), parts[-1], "this is neither a picture nor a video", do))
    stored = stored_names(pictures)
    for parts in pictures:
        labels, stray = directories.labels(parts[:-1])
        path = "/".join(parts)
        if not labels:
            why = "none of its directories is named after an option"
            problems.append(Problem(path, "/".join(parts[:-1]), why, "put it into a directory with the option's name"))
            continue
        if stray:
            why = "this directory is named after no option that could follow"
            problems.append(Problem(path, stray, why, "rename it, or move the picture up"))
            continue
        yield parts, Said(path, tuple(labels), path, aliases=(stored[parts],))


def stored_names(pictures: Sequence[Parts]) -> dict[Parts, str]:
    """Under which name each picture is uploaded: its own; with its directories where another has the same name."""
    count = Counter(as_stored(parts[-1]).casefold() for parts in pictures)
    return {
        parts: parts[-1] if count[as_stored(parts[-1]).casefold()] == 1 else "-".join(parts).replace("/", "-")
        for parts in pictures
    }
