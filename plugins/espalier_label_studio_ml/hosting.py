"""Hosts: one process for each class and project, kept warm; what goes wrong in it is told in a sentence."""

from __future__ import annotations

import atexit
import json
import logging
import os
import queue
import subprocess
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from espalier.contract import TaskRequest
from espalier.errors import BadSetting, BrokenPlugin

from .named_class import NamedClass

log = logging.getLogger(__name__)

PLUGIN = "label_studio_ml"
START_S = 300.0
"""For a class to be imported and made: old ones load their networks then."""
_PROGRAM = Path(__file__).with_name("hosted.py")
_KEPT = 4
_END_S = 2.0


class Host:
    """The process of one class. One call at a time; after a call that took too long, or a crash, it is started anew."""

    def __init__(self, named: NamedClass, request: TaskRequest) -> None:
        self.named, self.request = named, request
        self.about: Mapping[str, Any] = {}
        self._process: subprocess.Popen[str] | None = None
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lock = threading.Lock()

    def open(self) -> Mapping[str, Any]:
        """`generation` (1 or 2), `sdk`, `model_version`; the process is started where none runs. Raises BadSetting."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            return self.about

    def predict(self, tasks: Sequence[Mapping[str, Any]], *, timeout_s: float) -> list[list[Mapping[str, Any]]]:
        """For each task, its predictions. Raises BrokenPlugin, in words, for whatever the class did instead."""
        self.open()
        with self._lock:
            said = self._ask({"do": "predict", "tasks": list(tasks)}, timeout_s)
            if "error" in said:
                raise BrokenPlugin(PLUGIN, f"{self.named.name} answers every task", said["error"])
            found: list[list[Mapping[str, Any]]] = said["said"]["predictions"]
            return found

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        try:
            process.stdin.close()
            process.wait(_END_S)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()

    def _start(self) -> None:
        self.close()
        named, request = self.named, self.request
        home = named.directory or request.directory
        home.mkdir(parents=True, exist_ok=True)
        self._said = queue.SimpleQueue()
        self._process = subprocess.Popen(  # noqa: S603 - the operator names it, and nobody else can
            [named.python, str(_PROGRAM), *([str(home)] if named.directory else [])],
            cwd=home,
            env={**os.environ, **request.environ, "MODEL_DIR": str(home)},  # where the SDK keeps what a class remembers
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=_listen, args=(self._process, self._said), daemon=True).start()
        asked = {
            "do": "open",
            "class": named.name,
            "label_config": request.label_config,
            "project": request.project,
            "with": json.loads(named.arguments),
            "hostname": request.environ.get("LABEL_STUDIO_URL", ""),
            "token": request.environ.get("LABEL_STUDIO_API_KEY", ""),
        }
        said = self._ask(asked, START_S)
        if "error" in said:
            self.close()
            raise BadSetting(f"{named.name} cannot be asked: {said['error']}")
        self.about = said["said"]
        log.info("%s answers in project %s (label-studio-ml %s)", named.name, request.project, self.about["sdk"])

    def _ask(self, asked: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            line = self._said.get(timeout=timeout_s)
        except queue.Empty:
            process.kill()
            self.close()
            return {"error": f"no answer within {timeout_s:.3g} s, so it was ended"}
        except OSError:
            line = ""
        if not line:
            code = process.wait()
            self.close()
            how = f"signal {-code}" if code < 0 else f"exit status {code}"
            return {"error": f"its process ended with {how}; the worker's log has its last words"}
        said: dict[str, Any] = json.loads(line)
        return said


def _listen(process: subprocess.Popen[str], said: queue.SimpleQueue[str]) -> None:
    """Hand on its lines, and an empty one when it has ended."""
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            said.put(line)
    said.put("")


_hosts: OrderedDict[tuple[NamedClass, str], Host] = OrderedDict()


def host(named: NamedClass, request: TaskRequest) -> Host:
    """The one that runs already, or one that is yet to be started; those not asked for longest are ended."""
    key = (named, request.project)
    known = _hosts.get(key)
    if known is not None and known.request != request:  # such as another labeling configuration: it is made anew
        _hosts.pop(key).close()
        known = None
    if known is None:
        _hosts[key] = Host(named, request)
        while len(_hosts) > _KEPT:
            _hosts.popitem(last=False)[1].close()
    _hosts.move_to_end(key)
    return _hosts[key]


@atexit.register
def close_all() -> None:
    """Leave none behind."""
    while _hosts:
        _hosts.popitem()[1].close()
