"""What the columns of a table mean: the file or task, frames, and labels of which classification."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from espalier_ontology.tree import Ontology, Path

from ..errors import BadRequest
from .cells import plain
from .file_names import looks_like_media
from .option_names import OptionNames

_FILE = (
    "filename", "file", "file_name", "filepath", "file_path", "path", "image", "img", "image_path", "picture", "video",
    "video_path", "name", "url",
)  # fmt: skip
_TASK = ("task", "task_id")
_LABEL = ["label", "labels", "class", "classes", "category", "categories", "target", "tag", "tags", "annotation"]
_SHARE = 0.5
"""Of a column's values that a classification must know before the column is taken to be about it."""
ANY = "*"
"""Each value of the column says itself which classification it answers."""


@dataclass(frozen=True)
class Columns:
    """By position from 0. labels: the classification of each column of labels, or ANY.

    classification, option: of a table with one row for each answer. names: as people see them.
    """

    names: tuple[str, ...]
    has_header: bool
    file: int | None = None
    task: int | None = None
    frames: tuple[int, int] | None = None
    classification: int | None = None
    option: int | None = None
    labels: Mapping[int, str] = field(default_factory=dict)

    def meaning(self, column: int) -> str:
        """In words; "" for what is left out."""
        told = {self.file: "file name", self.task: "task", self.classification: "classification", self.option: "option"}
        told |= dict.fromkeys(self.frames or (), "frame")
        told |= {place: "labels" if name == ANY else f"labels of {name}" for place, name in self.labels.items()}
        return told.get(column, "")


def columns_of(
    rows: Sequence[Sequence[str]],
    ontology: Ontology,
    *,
    fields: Sequence[str] = (),
    chosen: Mapping[str, str] | None = None,
    is_file: Callable[[str], bool] = looks_like_media,
) -> Columns:
    """From the first rows. fields: keys of the tasks' data that name files. chosen: by a column's name, or its number
    from 1, the classification that it is about, ANY, or "" to leave it out. Raises BadRequest where no column is clear.
    """
    first = [cell.strip() for cell in rows[0]]
    words = [_word(cell) for cell in first]
    known = {*_FILE, *map(_word, fields)}
    has_header = any(word in known or word in _TASK for word in words) and not any(map(is_file, first))
    if not has_header:
        return _without_header(rows, ontology, chosen or {}, is_file)
    names = tuple(first)
    task = next((place for place, word in enumerate(words) if word in _TASK), None)
    by_rank = sorted((_rank(word, fields), place) for place, word in enumerate(words) if word in known)
    file = by_rank[0][1] if by_rank else None
    frames = _frames(words)
    body = rows[1:]
    if "classification" in words and "option" in words:
        return Columns(names, True, file, task, frames, words.index("classification"), words.index("option"))
    taken = {file, task, *(frames or ())}
    labels: dict[int, str] = {}
    for place, name in enumerate(names):
        wanted = _chosen(chosen or {}, name, place)
        if wanted is not None:
            if wanted and wanted != ANY and wanted not in ontology:
                raise BadRequest(f"column {name!r} was said to be about {wanted!r}, which is no classification")
            if wanted:
                labels[place] = wanted
        elif place not in taken and (about := _about(ontology, name, [_cell(row, place) for row in body])):
            labels[place] = about
    return _with_labels(Columns(names, True, file, task, frames, labels=labels), ontology)


def options_of(ontology: Ontology, text: str) -> list[tuple[str, Path]]:
    """Every option of any classification that this may mean."""
    return [(one.name, path) for one in ontology for path in sorted(OptionNames(one).find(text))]


def _without_header(
    rows: Sequence[Sequence[str]], ontology: Ontology, chosen: Mapping[str, str], is_file: Callable[[str], bool]
) -> Columns:
    width = max(map(len, rows))
    some = rows[:50]
    files = [place for place in range(width) if sum(is_file(_cell(row, place)) for row in some) > len(some) / 2]
    if not files:
        told = ", ".join(repr(cell[:40]) for cell in rows[0][:6])
        raise BadRequest(
            f"no column of file names is found: the first row is {told}. Name one filename, file, path or image in the "
            f"first row (or one task, for the numbers of tasks)"
        )
    labels = {}
    for place in range(width):
        name = f"column {place + 1}"
        wanted = _chosen(chosen, name, place)
        if wanted is None and place != files[0]:
            wanted = _about(ontology, "label", [_cell(row, place) for row in rows])
        if wanted:
            labels[place] = wanted
    names = tuple(f"column {place + 1}" for place in range(width))
    return _with_labels(Columns(names, False, files[0], labels=labels), ontology)


def _with_labels(found: Columns, ontology: Ontology) -> Columns:
    if not found.labels:
        asked = ", ".join(classification.name for classification in ontology) or "none"
        raise BadRequest(
            f"no column of labels is found among {', '.join(found.names)}: name one label, or after a classification "
            f"({asked}); its values must be options"
        )
    return found


def _about(ontology: Ontology, name: str, cells: Sequence[str]) -> str:
    """The classification that a column is about, by its name, or by its values where it is only called label."""
    for same in (str, str.casefold):
        if alike := [one.name for one in ontology if same(one.name) == same(name)]:
            return alike[0]
    if _word(name) not in _LABEL:
        return ""
    values = {plain(cell) for cell in cells if cell.strip()}
    shares = []
    for one in ontology:
        options = OptionNames(one)
        if values:
            shares.append((sum(all(map(options.find, options.several(value))) for value in values) / len(values), one))
    best = max((share for share, _ in shares), default=0.0)
    likely = [one.name for share, one in shares if share == best]
    if best < _SHARE:
        if len(ontology.classifications) == 1:
            return ontology.classifications[0].name
        known = sum(len(options_of(ontology, value)) == 1 for value in values)
        return ANY if values and known / len(values) >= _SHARE else ""
    if len(likely) > 1:
        raise BadRequest(
            f"column {name!r} may be about {' or '.join(map(repr, likely))}, which have the same options: name the "
            f"column after the one that is meant"
        )
    return likely[0]


def _frames(words: Sequence[str]) -> tuple[int, int] | None:
    if "first" in words and "last" in words:
        return words.index("first"), words.index("last")
    return (words.index("frame"), words.index("frame")) if "frame" in words else None


def _rank(word: str, fields: Sequence[str]) -> int:
    return _FILE.index(word) if word in _FILE else len(_FILE) if word in map(_word, fields) else 99


def _chosen(chosen: Mapping[str, str], name: str, place: int) -> str | None:
    return chosen.get(name, chosen.get(str(place + 1)))


def _cell(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _word(text: str) -> str:
    return text.strip().casefold().replace(" ", "_").replace("-", "_")
