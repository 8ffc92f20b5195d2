"""The arrays that pass between Espalier and its plugins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
"""RGB frames, uint8 (n, height, width, 3)."""
Embeddings = NDArray[np.float32]
"""One row per frame, float32 (n, dim)."""
Scores = NDArray[np.float32]
"""One column per option, float32 (n, k), within [0, 1]."""
Targets = NDArray[np.float32]
"""1 where the option holds and 0 where it does not, float32 (n, k)."""
Mask = NDArray[np.bool_]
"""True where the target was said, bool (n, k); elsewhere it means nothing and must not be learned from."""
Weights = NDArray[np.float32]
"""How much each said target counts, float32 (n, k), 0 and up; 1 is usual. What counts nothing is not learned from."""
Ids = NDArray[np.int64]
