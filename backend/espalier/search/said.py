"""What is said of many frames at once, a column for each option: by people; where they are silent, by the version."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids
from ..errors import BadRequest
from .frame_labels import FrameLabels, Option
from .searchable import Searchable

Holds = NDArray[np.bool_]


@dataclass(frozen=True)
class Said:
    """options: columns; holds bool (n, k); asked bool (n, k): something was said about the option's classification.

    people bool (n, k): it was people who said something.
    """

    options: tuple[Option, ...]
    holds: Holds
    asked: Holds
    people: Holds


def said_of(found: Searchable, ids: Ids, classification: str | None = None) -> Said:
    """Of frames, ids ascending; of one classification, or of all."""
    people, version = found.labels.people(), found.labels.version()
    names = sorted({*people.names, *version.names})
    options = tuple(name for name in names if len(name) > 1 and classification in (None, name[0]))
    shape = (len(ids), len(options))
    holds, asked, by_people = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    answered: dict[str, tuple[Holds, Holds]] = {}
    for column, option in enumerate(options):
        name = option[0]
        if name not in answered:
            answered[name] = people.holds(ids, (name,)), version.holds(ids, (name,))
        from_people, from_version = answered[name]
        holds[:, column] = people.holds(ids, option) | (version.holds(ids, option) & ~from_people)
        asked[:, column] = from_people | from_version
        by_people[:, column] = from_people
    return Said(options, holds, asked, by_people)


def classification_asked(found: Searchable, name: str | None) -> str:
    """The one that was named, or the first that people answered. Raises BadRequest in words."""
    known = [one.name for one in found.labels.reading().ontology]
    if name is not None:
        if name not in known:
            raise BadRequest(f"there is no classification {name!r}; there are {', '.join(known)}")
        return name
    answered = {option[0] for option in _options(found.labels.people())}
    first = next((one for one in known if one in answered), None)
    if first is None:
        raise BadRequest("people have answered nothing about frames that are embedded yet: label some first")
    return first


def _options(labels: FrameLabels) -> list[Option]:
    return [labels.names[number] for number in np.unique(labels.options).tolist()]


def name_of(option: Option) -> str:
    """Weather: Rain/Heavy."""
    return f"{option[0]}: {'/'.join(option[1:])}"
