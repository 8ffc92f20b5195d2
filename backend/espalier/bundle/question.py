"""Which of a model's questions a file is asked, by what the file is and what the model was trained for.

A file of another kind than the model's is asked all the same: a video shown to a model of pictures is asked picture by
picture, and a picture shown to a model of videos is a video of one frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from espalier_ontology.frames import Frames
from espalier_ontology.tree import MediaKind, MediaTag, Ontology

from ..errors import BadMedia, BadRequest
from ..jobs.span import SAMPLES_OF_A_LONG_VIDEO
from .asked import Asked
from .given_file import OpenFile

_NEXT_BEST: dict[MediaKind, tuple[MediaKind, ...]] = {
    "image": ("image", "sequence", "video"),
    "sequence": ("sequence", "image"),
    "video": ("video", "image", "sequence"),
}


@dataclass(frozen=True)
class Question:
    """ontology: as it is asked of this file. tag: the one that shows it. own: the file is of the model's own kind.

    within: the frames that were asked for; every stride-th of them is looked at.
    """

    ontology: Ontology
    tag: MediaTag
    own: bool
    within: Frames
    stride: int

    @property
    def frames(self) -> Frames:
        return self.within.every(self.stride)


def question_of(ontology: Ontology, file: OpenFile, asked: Asked) -> Question:
    """Raises BadMedia for frames that a video does not have, BadRequest where several tags might show the file."""
    tag = _tag(ontology, file, asked)
    own = tag.kind == file.kind or (file.kind == "image" and tag.kind == "sequence")
    if tag.kind == "image" and file.kind != "image":
        ontology = by_frame(ontology, tag)
    if file.kind == "image":
        return Question(ontology, tag, own, Frames.of((0, 1)), 1)
    last = min(asked.last or file.length, file.length)
    if asked.first > last:
        raise BadMedia(f"{file.file.name} has {file.length} frames, and those from {asked.first} on were asked for")
    within = Frames.of((asked.first - 1, last))
    long = math.ceil(len(within) / SAMPLES_OF_A_LONG_VIDEO) if file.kind == "video" else 1
    return Question(ontology, tag, own, within, asked.stride or long)


def _tag(ontology: Ontology, file: OpenFile, asked: Asked) -> MediaTag:
    used = {classification.media for classification in ontology}
    tags = [tag for tag in ontology.media if tag.name in used]
    if asked.media is not None:
        return next(tag for tag in ontology.media if tag.name == asked.media)
    for kind in _NEXT_BEST[file.kind]:
        found = [tag for tag in tags if tag.kind == kind]
        if len(found) > 1:
            names = " and ".join(tag.name for tag in found)
            raise BadRequest(f"this model is shown {names}: say with media={found[0].name} which one the files are")
        if found:
            return found[0]
    raise BadMedia(f"{file.file.name} is a {file.kind}, and this model is shown {tags[0].kind if tags else 'nothing'}s")


def by_frame(ontology: Ontology, tag: MediaTag) -> Ontology:
    """What is asked of a whole picture is asked of every frame."""
    return replace(
        ontology,
        media=tuple(replace(one, kind="sequence") if one.name == tag.name else one for one in ontology.media),
        classifications=tuple(
            replace(one, scope="item") if one.media == tag.name and one.scope == "media" else one for one in ontology
        ),
    )
