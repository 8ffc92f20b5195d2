"""Keeps a few processes running: starts them, starts those anew that end, and stops them all together."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType

log = logging.getLogger(__name__)
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
HEALTHY_S = 60.0
"""A process that lived this long is started anew without a growing pause."""
_PR_SET_PDEATHSIG = 1


@dataclass
class _Child:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    pause_s: float = SHORTEST_PAUSE_S


class Supervisor:
    """`commands`: argument lists by name. run() from the main thread; it ends only processes that it started."""

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        env: Mapping[str, str] | None = None,
        grace_s: float = 20.0,
        poll_s: float = 0.1,
    ) -> None:
        self._children = [_Child(name, list(command)) for name, command in commands.items()]
        self._env = dict(env) if env is not None else None
        self._grace_s, self._poll_s = grace_s, poll_s
        self._asked: signal.Signals | None = None

    def run(self) -> int:
        """Until SIGTERM or SIGINT; 0 if all ended by themselves in time, 1 if one had to be killed."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            while self._asked is None:
                for child in self._children:
                    self._look_after(child)
                time.sleep(self._poll_s)
            log.info("stopping on %s", self._asked.name)
            return self._stop()
        finally:
            self._stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._asked = signal.Signals(number)

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.due_at:
                self._start(child)
            return
        status = child.process.poll()
        if status is None:
            return
        if now - child.started_at > HEALTHY_S:
            child.pause_s = SHORTEST_PAUSE_S
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        log.warning("%s (pid %d) %s; starting it anew in %.1f s", child.name, child.process.pid, how, child.pause_s)
        child.process, child.due_at = None, now + child.pause_s
        child.pause_s = min(2 * child.pause_s, LONGEST_PAUSE_S)

    def _start(self, child: _Child) -> None:
        child.started_at = time.monotonic()
        try:
            # In a session of its own: Ctrl+C in the terminal reaches us alone, and we pass it on once.
            child.process = subprocess.Popen(  # noqa: S603 (the commands are ours)
                child.command, env=self._env, start_new_session=True, preexec_fn=_die_with(os.getpid())
            )
        except OSError as error:
            log.error("%s cannot be started: %s", child.name, error)
            child.due_at = child.started_at + child.pause_s
            child.pause_s = min(2 * child.pause_s, LONGEST_PAUSE_S)
        else:
            log.info("%s started (pid %d)", child.name, child.process.pid)

    def _stop(self) -> int:
        running = [child for child in self._children if child.process is not None and child.process.poll() is None]
        for child in running:
            assert child.process is not None
            child.process.send_signal(self._asked or signal.SIGTERM)
        deadline, killed = time.monotonic() + self._grace_s, 0
        for child in running:
            assert child.process is not None
            try:
                child.process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning(
                    "%s (pid %d) did not stop within %g s; it is killed", child.name, child.process.pid, self._grace_s
                )
                child.process.kill()
                child.process.wait()
                killed = 1
        return killed


def _die_with(parent: int) -> Callable[[], None] | None:
    """For a new child, before it becomes its program: on Linux it gets SIGTERM if we are killed."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # we died before the line above
            os._exit(1)

    return ask
