"""A word every few seconds while something takes its time, so that nobody thinks it is stuck."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

Say = Callable[[str], None]
_EVERY_S = 8.0


class Heartbeat:
    """with Heartbeat(say) as heart: ...; `heart.now` is what is being done, and may be changed at any time."""

    def __init__(self, say: Say, now: str = "still at it", *, every_s: float = _EVERY_S) -> None:
        self.now = now
        self._say, self._every_s = say, every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="heartbeat")

    def __enter__(self) -> Heartbeat:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(self._every_s):
            self._say(f"  … {time.monotonic() - self._began:.0f} s: {self.now}")
