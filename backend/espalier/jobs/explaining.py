"""Explaining: where in a frame a version sees an option, as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.frames import Frames
from espalier_ontology.tree import Path as OptionPath

from ..contract import Embeddings, Pictures
from ..errors import BadMedia, BadRequest, NotTrained
from ..learning.direction import direction, log_odds
from ..learning.head import Head
from ..learning.model import Model
from ..learning.occlusion import occlusion
from ..media.heat_map import heat_map_png
from ..media.media import Media
from ..media.picture import Picture, Size, picture_size
from ..plugins.checked import CheckedEncoder
from ..store.rows import Project
from .house import House
from .opening import open_tasks
from .parameters import RunParameters
from .predicting import Predictor
from .selection import load
from .span import span_of

OCCLUSION = "occlusion"
METHODS = ("auto", "grad-cam", "eigen-cam", "attention", OCCLUSION)
"""What may be asked for; all but the last are the encoder's own, if it has any."""
_LARGEST = 2048


@dataclass(frozen=True)
class Explanation:
    """heat float32 (rows, columns), 0 and up, laid over the picture, RGB uint8 (h, w, 3). frame: as people count, from
    1. score: calibrated, among the option's siblings alone."""

    version: str
    task_id: int
    frame: int
    classification: str
    option: OptionPath
    score: float
    method: str
    heat: NDArray[np.float32]
    picture: Picture

    def png(self) -> bytes:
        return heat_map_png(self.picture, self.heat)


def explain(
    house: House,
    project: Project,
    task_id: int,
    *,
    frame: int = 1,
    classification: str | None = None,
    option: Sequence[str] = (),
    method: str = "auto",
    version: str | None = None,
) -> Explanation:
    """frame: 1-based, as in Label Studio. Without an option, the one with the highest score; without a classification,
    the first that was trained. version: by name, else the one that serves.

    Raises BadRequest for what is not there, BadMedia for a frame that cannot be read, NotTrained without a version.
    """
    if method not in METHODS:
        raise BadRequest(f"there is no method {method!r} for heat maps; expected {', '.join(METHODS)}")
    predictor = Predictor(house, project, house.version(project, version), RunParameters())
    tasks = load(house, project, [task_id])
    if not tasks:
        raise BadRequest(f"project {project.id} has no task {task_id}")
    ontology = house.ontology(project, [tasks[0]["data"]])
    name = classification or _first_trained(predictor.model)
    if name not in ontology:
        raise BadRequest(f"there is no classification {name!r}; there are {', '.join(one.name for one in ontology)}")
    opened = open_tasks([(task_id, tasks[0]["data"])], ontology, predictor.fetcher)[0]
    media = opened.media.get(ontology.classification(name).media)
    if media is None:
        raise BadMedia("; ".join(opened.failures) or f"task {task_id} has no media for {name!r}")
    number = _number(media, frame, task_id)
    encoder = predictor.encoder
    small = _picture(media, number, encoder.spec.input_size)
    embedding = encoder.encode(small[None])
    head, path, score = _chosen(predictor.model, name, tuple(option), embedding)
    heat, used = _heat(encoder, head, path, small, embedding, method)
    return Explanation(
        predictor.name,
        task_id,
        frame,
        name,
        path,
        score,
        used,
        heat,
        _picture(media, number, _shown_size(media, number)),
    )


def _heat(
    encoder: CheckedEncoder, head: Head, option: OptionPath, frame: Pictures, embedding: Embeddings, method: str
) -> tuple[NDArray[np.float32], str]:
    """The map, and the method that gave it."""
    if method != OCCLUSION and encoder.explains:
        wanted = direction(head, option, embedding)
        if wanted.any():
            return encoder.explain(frame, wanted, method=method), method
    elif method not in ("auto", OCCLUSION):
        raise BadRequest(
            f"{encoder.spec.name} has no layers for {method}; use {OCCLUSION}, which works with every encoder"
        )
    column, classifier = head.options.index(option), head.classifier
    assert classifier is not None

    def odds(pictures: Pictures) -> NDArray[np.float64]:
        return log_odds(classifier.predict(encoder.encode(pictures)), column, exclusive=head.exclusive)

    return occlusion(frame, odds), OCCLUSION


def _first_trained(model: Model) -> str:
    for name, _ in (key for key, head in model.heads.items() if head.trained):
        return name
    raise NotTrained("nothing is trained in this version")


def _chosen(model: Model, name: str, option: OptionPath, embedding: Embeddings) -> tuple[Head, OptionPath, float]:
    head = model.heads.get((name, option[:-1]))
    where = " / ".join((name, *option[:-1]))
    if head is None or not head.trained:
        raise NotTrained(
            f"{where!r} is not predicted by this version: {head.reason if head else 'it does not know it'}"
        )
    if option and option not in head.options:
        known = ", ".join(repr(path[-1]) for path in head.options)
        raise BadRequest(f"{where!r} has no trained option {option[-1]!r}; trained are {known}")
    scores = head.scores(embedding)[0]
    column = head.options.index(option) if option else int(scores.argmax())
    return head, head.options[column], float(scores[column])


def _number(media: Media, frame: int, task_id: int) -> int:
    """From Label Studio's number to the media's own."""
    frames = span_of(media, RunParameters(first=frame, last=frame, stride=1), lambda _: True).frames
    if frame < 1 or not frames or (media.kind == "image" and frame != 1):
        raise BadRequest(f"task {task_id} has no frame {frame}; they are 1 to {media.length}")
    return next(iter(frames))


def _picture(media: Media, number: int, size: Size) -> Picture:
    for _, pictures in media.pictures(Frames.at([number]), size):
        return np.asarray(pictures[0])
    raise BadMedia(f"frame {number + 1} of {media.where} could not be read")


def _shown_size(media: Media, number: int) -> Size:
    """The frame's own, made smaller where it is very large."""
    if media.index is not None:
        height, width = media.index.height, media.index.width
    else:
        file = media.files[number]
        assert file is not None
        height, width = picture_size(Path(file.path))
    share = min(1.0, _LARGEST / max(height, width))
    return max(1, round(height * share)), max(1, round(width * share))
