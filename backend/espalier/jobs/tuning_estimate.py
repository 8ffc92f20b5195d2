"""What a fine-tuning would learn from, and how long it would take: told before the start."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from espalier_ontology.frames import Frames

from ..contract import Ids
from ..learning.parts import PARTS
from ..learning.rows import Located
from ..store.rows import Project
from ..tuning import TuningEstimate
from ..tuning_parameters import TuningParameters
from .house import House
from .progress import Progress
from .tuners import open_tuner
from .tuning_pictures import TuningPictures
from .tuning_subject import Subject, read_subject

_SAMPLE = 64


@dataclass(frozen=True)
class Estimate:
    """Seconds, measured on a sample. embedding_s: of the frames that have no embedding yet by the settings' encoder,
    before, and of all of them by the new network, after; the latter by the speed of the former. tuning: in between."""

    parts: dict[str, int]
    missing: int
    embedding_s: float
    tuning: TuningEstimate

    @property
    def frames(self) -> int:
        return sum(self.parts.values())


def estimate(house: House, project: Project, parameters: TuningParameters, progress: Progress) -> Estimate:
    """Raises NotTrained where there is too little to learn from, and what opening the network raises."""
    subject = read_subject(house, project, parameters, progress, quick=True)
    rows = subject.lesson.rows
    missing, seconds = _embedding(house, subject)
    progress.report(0, 0, "opening the network and trying a few steps")
    with TuningPictures(subject.located, subject.media) as pictures:
        tuning = open_tuner(house, project, parameters, subject.data(pictures)).estimate()
    parts: dict[str, int] = {part: int(rows.part(part).sum()) for part in PARTS}
    return Estimate(parts, missing, seconds * (missing + len(rows)), tuning)


def _embedding(house: House, subject: Subject) -> tuple[int, float]:
    """How many frames are still to be embedded, and the seconds that one takes, read and encoded."""
    encoder = house.encoder(subject.examples.ontology)
    rows = subject.lesson.rows
    missing = sum(
        bool(house.embeddings.missing(encoder.spec.digest, item, Frames.at([number])))
        for digest, frame in zip(rows.media.tolist(), rows.frames.tolist(), strict=True)
        for item, number in [subject.media[digest].key(frame)]
    )
    some: Ids = np.unique(np.linspace(0, len(rows) - 1, _SAMPLE).astype(np.int64))
    began, done = time.monotonic(), 0
    with TuningPictures(Located(rows.media, rows.frames), subject.media) as pictures:
        for numbers, batch in pictures.read(some, encoder.spec.input_size):
            encoder.encode(batch)
            done += len(numbers)
    return missing, (time.monotonic() - began) / max(1, done)
