"""Discovery: classes that nobody has thought of yet, proposed from the frames that no answer fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..jobs.house import House
from ..jobs.progress import Progress
from ..similarity.discovery import Proposal, discover
from ..store.rows import Project
from .conditions import Conditions
from .fields import Json, flag_in, known_fields, number_in
from .looked_at import LookedAt, look_at
from .said import Said, classification_asked, name_of, said_of

_MOST = 50
_TYPICAL = 10


@dataclass(frozen=True)
class DiscoverRequest:
    """classification: which one gets a new option; the first that people answered. sure: a frame that the version
    answers with this confidence is known. k: proposals. members: tell every frame of each, not typical ones alone."""

    classification: str | None = None
    sure: float = 0.9
    k: int = 5
    conditions: Conditions = field(default_factory=Conditions)
    members: bool = False
    seed: int = 0

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> DiscoverRequest:
        given = known_fields(value, cls, "discover")
        sure = number_in(given, "sure", 0, 1)
        return cls(
            classification=given.get("classification"),
            sure=0.9 if sure is None else sure,
            k=number_in(given, "k", 1, _MOST, whole=True) or 5,
            conditions=Conditions.from_json(given.get("conditions")),
            members=flag_in(given, "members", default=False),
            seed=number_in(given, "seed", 0, 2**32 - 1, whole=True) or 0,
        )


def discover_classes(house: House, project: Project, request: DiscoverRequest, progress: Progress) -> Json:
    """The likeliest first. Frames that people answered are known; those for which the conditions hold may be proposed.

    strangeness in [0, 1]: few labels lie among them, and they lie away from labeled frames. cohesion: 0 is as alike as
    any frames, 1 the same. nearest: the known class next to it, with its likeness.
    """
    looked = look_at(house, project, Conditions(), progress)
    name = classification_asked(looked.found, request.classification)
    said = said_of(looked.found, looked.ids, name)
    people, version = looked.found.labels.people(), looked.found.labels.version()
    answered = people.holds(looked.ids, (name,))
    known = np.where(answered, said.holds.argmax(axis=1) if said.options else -1, -1)
    unknown = ~answered & ~version.holds(looked.ids, (name,), least=request.sure)
    if request.conditions:
        chosen = look_at(house, project, request.conditions, progress).ids
        unknown &= np.isin(looked.ids, chosen)
    progress.report(0, 0, "clustering what is unknown")
    found = discover(looked.embeddings, known, unknown, seed=request.seed)
    return {
        "classification": name,
        "proposals": [_told(looked, said, one, request.members) for one in found[: request.k]],
        "unknown": int(unknown.sum()),
        "known": int(answered.sum()),
        "frames": len(looked),
        "of": looked.of,
        "note": looked.note or ("" if found else "too few frames are unknown to propose a class"),
    }


def _told(looked: LookedAt, said: Said, one: Proposal, members: bool) -> Json:
    own = [{"score": round(float(score), 6)} for score in one.typical]
    # Of one media a frame alone, as far as that makes enough.
    first = np.sort(np.unique(looked.media[one.rows], return_index=True)[1])[:_TYPICAL]
    shown = np.arange(len(one.rows)) if members else first
    return {
        "size": len(one.rows),
        "media": len(np.unique(looked.media[one.rows])),
        "cohesion": round(one.cohesion, 6),
        "strangeness": round(one.strangeness, 6),
        "nearest": None
        if one.nearest < 0
        else {
            "classification": said.options[one.nearest][0],
            "option": list(said.options[one.nearest][1:]),
            "name": name_of(said.options[one.nearest]),
            "likeness": round(one.likeness, 6),
        },
        "hits": looked.hits(one.rows[shown], [own[place] for place in shown.tolist()]),
    }
