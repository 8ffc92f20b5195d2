"""What is searched for: frames, a picture, words, or examples for and against; and its embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ..contract import Embeddings, Ids
from ..errors import BadMedia, BadRequest
from ..jobs.house import House
from ..jobs.progress import Progress
from ..media.picture import read_picture
from ..similarity.examples import direction
from ..store.rows import Project
from .fields import known_fields
from .frame_query import FrameQuery, ids_asked
from .project_frames import sample
from .searchable import Searchable

UPLOADS = "uploads"
"""Below the data directory: the only place that pictures to search with are read from."""
_BACKGROUND = 1024
_SEED = 5
_LONGEST_TEXT = 1000
_MOST_EXAMPLES = 1000
_FORMS = "a task, a picture, a text, or positives (with negatives)"


@dataclass(frozen=True)
class Picture:
    """An uploaded picture among the examples, by the name that it was given."""

    picture: str


Example: TypeAlias = FrameQuery | Picture


@dataclass(frozen=True)
class Sought:
    """One of them is given; negatives go with positives."""

    frames: FrameQuery | None = None
    picture: str | None = None
    text: str | None = None
    positives: tuple[Example, ...] = ()
    negatives: tuple[Example, ...] = ()

    @classmethod
    def from_json(cls, value: object) -> Sought:
        given = known_fields(value, _Fields, "query")
        forms = [name for name in ("task", "picture", "text", "positives") if given.get(name) is not None]
        if len(forms) != 1:
            raise BadRequest(f"the query must be one of {_FORMS}, got {' and '.join(forms) or 'none of them'}")
        form = forms[0]
        belonging = {"task": ("frame", "first", "last", "tag"), "positives": ("negatives",)}.get(form, ())
        if alien := [name for name in given if name != form and name not in belonging and given[name] is not None]:
            raise BadRequest(f"query: {alien[0]!r} does not go with {form!r}")
        if form == "task":
            return cls(frames=FrameQuery.of_fields(given, "query"))
        if form == "positives":
            return cls(positives=_examples(given, "positives"), negatives=_examples(given, "negatives"))
        text = given[form]
        if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST_TEXT:
            raise BadRequest(f"query: {form} must be a text of 1 to {_LONGEST_TEXT} characters, got {text!r:.80}")
        return cls(picture=text) if form == "picture" else cls(text=text)


@dataclass(frozen=True)
class Resolved:
    """queries float32 (m, dim), m >= 1: what is like any of them is found. itself int64 (n,): frames it was made of."""

    queries: Embeddings
    itself: Ids


def resolve(house: House, project: Project, found: Searchable, sought: Sought, progress: Progress) -> Resolved:
    """Raises BadRequest and BadMedia in words."""
    if sought.picture is not None:
        return Resolved(_of_picture(house, found, sought.picture), _none())
    if sought.text is not None:
        return Resolved(_of_text(found, sought.text), _none())
    if sought.frames is not None:
        ids = ids_asked(house, project, found, sought.frames, progress)
        return Resolved(found.frames.read(ids), ids)
    liked, positives = _of_examples(house, project, found, sought.positives, progress)
    disliked, negatives = _of_examples(house, project, found, sought.negatives, progress)
    background = np.setdiff1d(sample(found.frames.ids, _BACKGROUND), np.union1d(positives, negatives))
    towards = direction(liked, disliked, found.frames.read(background), seed=_SEED)
    return Resolved(towards[None], np.union1d(positives, negatives))


def _of_picture(house: House, found: Searchable, name: str) -> Embeddings:
    uploads = (house.settings.data_dir / UPLOADS).resolve()
    path = (uploads / name).resolve()
    if not path.is_relative_to(uploads) or not path.is_file():
        raise BadRequest(f"there is no uploaded picture {Path(name).name!r}; upload it again")
    most = house.settings.max_file_mb * 1_000_000
    if path.stat().st_size > most:
        raise BadMedia(f"the uploaded picture is larger than {house.settings.max_file_mb} MB (ESPALIER_MAX_FILE_MB)")
    size = found.encoder.spec.input_size
    return found.encoder.encode(read_picture(path, size, max_megapixels=house.settings.max_megapixels)[None])


def _of_text(found: Searchable, text: str) -> Embeddings:
    if not found.encoder.reads:
        raise BadRequest(
            f"the encoder {found.encoder.spec.name} knows no words: to search by text set ESPALIER_ENCODER to one that "
            f"does, such as open_clip, and embed the project with it"
        )
    return found.encoder.encode_text([text])


def _of_examples(
    house: House, project: Project, found: Searchable, examples: Sequence[Example], progress: Progress
) -> tuple[Embeddings, Ids]:
    """Rows of all examples, and the ids of those that are frames."""
    asked = [one for one in examples if isinstance(one, FrameQuery)]
    pictures = dict.fromkeys(one.picture for one in examples if isinstance(one, Picture))
    ids: Ids = np.unique(np.concatenate([_none(), *(ids_asked(house, project, found, one, progress) for one in asked)]))
    rows = [found.frames.read(ids), *(_of_picture(house, found, name) for name in pictures)]
    return np.concatenate(rows), ids


def _examples(given: dict[str, object], name: str) -> tuple[Example, ...]:
    value = given.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MOST_EXAMPLES or (name == "positives" and not value):
        raise BadRequest(f"query: {name} must be a list of at most {_MOST_EXAMPLES} examples such as {{'task': 12}}")
    return tuple(_example(one, name) for one in value)


def _example(value: object, name: str) -> Example:
    if not isinstance(value, dict) or value.get("picture") is None:
        return FrameQuery.from_json(value, name)
    given = known_fields(value, Picture, name)
    if not isinstance(given["picture"], str):
        raise BadRequest(f"{name}: picture must be the name that an upload was given, got {given['picture']!r:.80}")
    return Picture(given["picture"])


def _none() -> Ids:
    return np.zeros(0, np.int64)


@dataclass(frozen=True)
class _Fields(FrameQuery):
    """The names that a query may hold."""

    picture: str | None = None
    text: str | None = None
    positives: tuple[FrameQuery, ...] = ()
    negatives: tuple[FrameQuery, ...] = ()
