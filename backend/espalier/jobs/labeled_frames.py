"""The frames that people's answers are about, embedded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from espalier_ontology.frames import Frames

from ..contract import Embeddings, EncoderSpec
from ..learning.questions import Question
from ..learning.rows import Located
from ..media.media import Media
from ..plugins.checked import CheckedEncoder
from .embedding import Reports, embed
from .examples import Examples
from .house import House


def embedded(
    house: House, asked: tuple[Question, ...], examples: Examples, encoder: CheckedEncoder, progress: Reports
) -> tuple[Question, ...]:
    """The questions without the rows that cannot be read; the others are embedded from now on."""
    work = [(examples.media[digest], frames) for digest, frames in _frames(asked).items()]
    report = embed(work, encoder, house.embeddings, progress=progress)
    examples.problems[:0] = [message for _, message in report.failures]
    return _readable(house, encoder.spec, asked, {media.digest: media for media, _ in report.failures})


def _frames(asked: tuple[Question, ...]) -> dict[str, Frames]:
    """The frames that any question needs, by media."""
    wanted: dict[str, set[int]] = {}
    for question in asked:
        for digest, frame in zip(question.media, question.frames, strict=True):
            wanted.setdefault(digest, set()).add(int(frame))
    return {digest: Frames.at(numbers) for digest, numbers in wanted.items()}


def embeddings_of(house: House, spec: EncoderSpec, located: Located, media: Mapping[str, Media]) -> Embeddings:
    keys = [media[digest].key(int(frame)) for digest, frame in zip(*located, strict=True)]
    return house.embeddings.read_many(spec.digest, keys)


def _readable(
    house: House, spec: EncoderSpec, asked: tuple[Question, ...], lost: Mapping[str, Media]
) -> tuple[Question, ...]:
    """The questions without the rows whose frames could not be read."""

    def is_kept(digest: str, frame: int) -> bool:
        media = lost.get(digest)
        if media is None:
            return True
        item, number = media.key(frame)
        return not house.embeddings.missing(spec.digest, item, Frames.at([number]))

    return tuple(
        question.rows(np.array(list(map(is_kept, question.media.tolist(), question.frames.tolist())), np.bool_))
        for question in asked
    )
