"""Real processes under a real supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

StartSupervisor = Callable[..., "subprocess.Popen[bytes]"]

CHILD = """
import os, signal, sys, time
from pathlib import Path
name, kind = sys.argv[1:]
with Path("births").open("a") as births:
    births.write(f"{name} {os.getpid()}\\n")
if kind == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if kind == "polite":
    signal.signal(signal.SIGTERM, lambda *_: (Path(f"{name}-farewell").touch(), sys.exit(0)))
if kind != "brief":
    time.sleep(60)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartSupervisor]:
    """start(name=kind, ..., grace_s=...): a supervisor of such children, in `tmp_path`."""
    (tmp_path / "child.py").write_text(CHILD)
    started: list[subprocess.Popen[bytes]] = []

    def start(grace_s: float = 5.0, **kinds: str) -> subprocess.Popen[bytes]:
        commands = {name: [sys.executable, "child.py", name, kind] for name, kind in kinds.items()}
        program = textwrap.dedent(f"""
            import logging, sys
            from espalier.jobs.supervisor import Supervisor
            logging.basicConfig(level="INFO", filename="log")
            sys.exit(Supervisor({commands!r}, grace_s={grace_s}, poll_s=0.02).run())
        """)
        started.append(subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path))
        return started[-1]

    yield start
    for supervisor in started:
        supervisor.kill()
        supervisor.wait()
    wait_until(lambda: not any(map(is_alive, (pid for _, pid in births(tmp_path)))))


def births(home: Path) -> list[tuple[str, int]]:
    noted = home / "births"
    lines = noted.read_text().splitlines() if noted.exists() else []
    return [(line.split()[0], int(line.split()[1])) for line in lines]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], within_s: float = 8) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_all_are_started_and_stopped_together(start: StartSupervisor, tmp_path: Path, how: signal.Signals) -> None:
    supervisor = start(web="polite", worker="polite")
    wait_until(lambda: len(births(tmp_path)) == 2)
    time.sleep(0.3)
    supervisor.send_signal(how)
    assert supervisor.wait(timeout=5) == 0
    assert not any(is_alive(pid) for _, pid in births(tmp_path))
    if how == signal.SIGTERM:
        assert (tmp_path / "web-farewell").exists()


def test_one_that_is_killed_is_started_anew_and_the_others_stay(start: StartSupervisor, tmp_path: Path) -> None:
    start(web="polite", worker="polite")
    wait_until(lambda: len(births(tmp_path)) == 2)
    first = dict(births(tmp_path))
    os.kill(first["worker"], signal.SIGKILL)
    wait_until(lambda: len(births(tmp_path)) == 3)
    assert births(tmp_path)[2][0] == "worker"
    assert is_alive(first["web"])
    assert "worker (pid" in (tmp_path / "log").read_text()
    assert "was killed by SIGKILL" in (tmp_path / "log").read_text()


def test_one_that_ends_again_and_again_is_started_ever_more_slowly(start: StartSupervisor, tmp_path: Path) -> None:
    start(web="brief")
    time.sleep(4)
    assert 2 <= len(births(tmp_path)) <= 4, "after 0.5, 1, 2, ... seconds"


def test_one_that_does_not_stop_is_killed_after_the_grace(start: StartSupervisor, tmp_path: Path) -> None:
    supervisor = start(grace_s=0.5, web="polite", worker="deaf")
    wait_until(lambda: len(births(tmp_path)) == 2)
    time.sleep(0.3)
    supervisor.terminate()
    assert supervisor.wait(timeout=5) == 1
    assert (tmp_path / "web-farewell").exists()
    assert not any(is_alive(pid) for _, pid in births(tmp_path))


def test_the_others_run_although_one_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text(CHILD)
    program = (
        "import sys, logging; from espalier.jobs.supervisor import Supervisor; logging.basicConfig(filename='log');"
        "sys.exit(Supervisor({'a': ['/nowhere/at/all'], 'b': [sys.executable, 'child.py', 'b', 'polite']}).run())"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path) as supervisor:
        wait_until(lambda: len(births(tmp_path)) == 1)
        assert "a cannot be started" in (tmp_path / "log").read_text()
        supervisor.terminate()
        assert supervisor.wait(timeout=5) == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children of their parent's death")
def test_children_do_not_outlive_a_killed_supervisor(start: StartSupervisor, tmp_path: Path) -> None:
    supervisor = start(web="polite")
    wait_until(lambda: len(births(tmp_path)) == 1)
    supervisor.kill()
    supervisor.wait()
    wait_until(lambda: not is_alive(births(tmp_path)[0][1]))
