"""What a fine-tuning learns: a project's answers as a lesson, and the media that they are about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..contract import Embeddings, Ids, Pictures
from ..errors import BadRequest, NotTrained
from ..learning.dealing import deal_rows
from ..learning.parts import VALIDATION, Part
from ..learning.rows import Located, union
from ..learning.targets import lesson
from ..learning.tuning_lesson import TuningLesson, tuning_lesson
from ..media.media import Media
from ..store.rows import Project
from ..tuning import VALIDATION as CHOSEN_BY
from ..tuning import TuningData, TuningHead
from ..tuning_parameters import TuningParameters
from .choosing import parameters_of
from .examples import Examples, gather
from .house import House
from .labeled_frames import embedded, embeddings_of
from .own_encoder import OwnEncoder
from .progress import Progress
from .tuning_pictures import TuningPictures


@dataclass(frozen=True)
class Subject:
    """media: by digest, those of the lesson and of what is taught beside it."""

    lesson: TuningLesson
    media: Mapping[str, Media]
    examples: Examples = field(repr=False)

    @property
    def located(self) -> Located:
        """Every row of the lesson, then the frames without answers that are taught."""
        rows, taught = self.lesson.rows, self.lesson.taught
        if taught is None:
            return Located(rows.media, rows.frames)
        return Located(
            np.concatenate([rows.media, taught.unlabeled.media]), np.concatenate([rows.frames, taught.unlabeled.frames])
        )

    def data(self, pictures: TuningPictures) -> TuningData:
        """For a tuner: training and validation rows, and what is taught. Test rows are not shown to it.

        pictures: of `located`.
        """
        lesson, taught = self.lesson, self.lesson.taught
        at = lesson.learned
        parts = np.where(lesson.rows.parts[at] == VALIDATION, CHOSEN_BY, 0).astype(np.int8)
        if taught is not None:
            extra = np.arange(len(taught.unlabeled.frames)) + len(lesson.rows)
            at, parts = np.concatenate([at, extra]), np.concatenate([parts, np.zeros(len(extra), np.int8)])
        heads = []
        for number, asked in enumerate(lesson.asked):
            targets, mask, weights = asked.targets, asked.mask, asked.weights
            if taught is not None:
                targets, mask, weights = taught.targets[number], taught.masks[number], taught.weights[number]
            heads.append(TuningHead(head_name(number), asked.exclusive, targets[at], mask[at], weights[at]))
        where = np.full(len(self.located.frames), -1, np.int64)
        where[at] = np.arange(len(at))

        def read(numbers: Ids, size: tuple[int, int]) -> Iterator[tuple[Ids, Pictures]]:
            for found, batch in pictures.read(at[numbers], size):
                yield where[found], batch

        return TuningData(tuple(heads), parts, read)


def head_name(number: int) -> str:
    """What a tuner calls the question of this number in the lesson."""
    return f"head-{number:03d}"


def begun_from(house: House, project: Project, parameters: TuningParameters) -> OwnEncoder | None:
    """The network of an own version that this one begins as. Raises BadRequest where that version has none."""
    if not isinstance(parameters.pretrained, str):
        return None
    own = OwnEncoder.of(house.version(project, parameters.pretrained))
    if own is None:
        raise BadRequest(
            f"{parameters.pretrained} goes by the encoder of the settings, and has no network of its own to begin from"
        )
    return own


def read_subject(
    house: House, project: Project, parameters: TuningParameters, progress: Progress, *, quick: bool = False
) -> Subject:
    """All answers as they are now, in their parts. Raises NotTrained, saying what is still needed.

    quick: nothing is embedded; near-duplicates are not found then, and the parts are not quite those of the real one.
    """
    training = parameters_of(project)
    examples = gather(house, project, training)
    asked = lesson(examples.ontology, examples.annotated, parameters=training).questions
    if not asked:
        raise NotTrained("; ".join(examples.problems[:5]) or "nothing is annotated yet: label a few frames first")
    begun = begun_from(house, project, parameters)
    taught: Mapping[str, Part] = begun.parts() if begun else {}
    if not quick:
        encoder = house.encoder(examples.ontology)
        asked = embedded(house, asked, examples, encoder, progress)
    located, places = union(asked)
    alike = _noise(located) if quick else embeddings_of(house, encoder.spec, located, examples.media)
    dealt = deal_rows(asked, located, places, alike, training, examples.chosen, taught=taught, validation_alone=True)
    found = tuning_lesson(examples.ontology, asked, places, dealt, training, data_fingerprint=examples.fingerprint)
    return Subject(found, dict(examples.media), examples)


def again(house: House, project: Project, kept: TuningLesson) -> Subject:
    """The same lesson after an interruption; its media are opened anew."""
    examples = gather(house, project, parameters_of(project))
    return Subject(kept, dict(examples.media), examples)


def _noise(located: Located) -> Embeddings:
    return np.random.default_rng(0).standard_normal((len(located.frames), 16)).astype(np.float32)
