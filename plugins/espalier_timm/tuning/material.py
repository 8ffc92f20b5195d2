"""What a training works on: the answers as tensors, the pictures, and which rows are for what."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from espalier.contract import Ids
from espalier.errors import BadRequest
from espalier.tuning import TRAIN, VALIDATION, TuningData

from .lesson import Lesson
from .pictures import Pictures


class Material:
    """train: rows that are learned from: said something about, and with a picture. validation: all of that part."""

    def __init__(self, data: TuningData, pictures: Pictures, device: torch.device) -> None:
        self.lesson, self.pictures, self.device = Lesson.of(data.heads), pictures, device
        said = (self.lesson.cells > 0).any(dim=1).numpy()
        self.train: Ids = np.flatnonzero((data.parts == TRAIN) & pictures.there & said)
        if not len(self.train):
            raise BadRequest("there is nothing to fine-tune on: no picture that has an answer could be read")
        self.validation: Ids = np.flatnonzero(data.parts == VALIDATION)

    @property
    def there(self) -> NDArray[np.bool_]:
        """bool (v,): which validation rows have a picture."""
        return self.pictures.there[self.validation]
