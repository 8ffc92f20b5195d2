"""How far something has come, on the terminal: a bar where there is one, else a line now and then."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from types import FrameType, TracebackType
from typing import Any

import click

from ..errors import Cancelled
from ..jobs.progress import Progress

_SILENCE_S = 10.0


class Meter:
    """with Meter("training") as meter: meter.show(3, 40, "embedding frames"). `total` 0: not known."""

    def __init__(self, label: str) -> None:
        self.label = label
        self._bar: Any = None
        self._said_at = time.monotonic()

    def __enter__(self) -> Meter:
        if sys.stderr.isatty():
            self._bar = click.progressbar(
                length=1, label=self.label, file=sys.stderr, show_eta=False, show_pos=True, item_show_func=_cut
            )
            self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)

    def show(self, done: int, total: int, message: str = "") -> None:
        if self._bar is not None:
            self._bar.length, self._bar.pos = max(total, 1), done
            self._bar.current_item = message
            self._bar.render_progress()
        elif time.monotonic() - self._said_at > _SILENCE_S:
            self._said_at = time.monotonic()
            click.echo(f"{self.label}: {done} of {total or '?'} {message}", err=True)


class MeteredProgress(Progress):
    """For work in this process: shows itself; the first Ctrl+C cancels in order, a second one at once."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self._meter = Meter(label)
        self._cancelled = False

    def __enter__(self) -> MeteredProgress:
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        self._meter.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._meter.__exit__(*raised)
        signal.signal(signal.SIGINT, self._before)

    def report(self, done: int, total: int, message: str = "") -> None:
        if self._cancelled:
            raise Cancelled("cancelled by a person; what was finished is kept")
        self._meter.show(done, total, message)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._cancelled:
            raise KeyboardInterrupt
        self._cancelled = True


def _cut(message: str | None) -> str:
    """What fits behind the bar."""
    return (message or "")[: max(10, shutil.get_terminal_size().columns - 75)]
