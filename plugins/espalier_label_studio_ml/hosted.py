"""The process in which somebody's own class lives: asked in lines of JSON on standard input, it answers in lines.

It is run by its path, with whatever Python the operator names, so that a class may keep the packages of its day beside
it. So it knows the standard library alone, imports `label_studio_ml` where the class does, and keeps to Python 3.8.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

_LOOKS_AFTER_S = 2.0
_SHOWN = 300


class Refused(Exception):
    """What cannot be done, as a sentence for people."""


class Hosted:
    """One class, and the one object of it that answers."""

    def __init__(self) -> None:
        self.model: Any = None
        self.generation = 0

    def open(self, asked: dict[str, Any]) -> dict[str, Any]:
        """asked: class (`package.module:Class`), label_config, project, with (keyword arguments), hostname, token."""
        found = _class(asked["class"])
        self.generation = _generation(found)
        if self.generation == 1:
            self.model = found(
                **_taken(
                    found,
                    {
                        "label_config": asked["label_config"],
                        "train_output": _last_result(),
                        "hostname": asked["hostname"],
                        "access_token": asked["token"],
                        **asked["with"],
                    },
                )
            )
        else:
            self.model = found(
                **_taken(
                    found, {"project_id": asked["project"], "label_config": asked["label_config"], **asked["with"]}
                )
            )
        return {"generation": self.generation, "sdk": _version(), "model_version": self._model_version()}

    def predict(self, asked: dict[str, Any]) -> dict[str, Any]:
        """For each task, in order, its predictions: a list of mappings with `result` and perhaps `score`."""
        predict = self.model.predict
        more = _taken(predict, {"context": {}}) if self.generation == 2 else {}
        count = len(asked["tasks"])  # it may do to the list what it likes
        answered = predict(asked["tasks"], **more)
        given = getattr(answered, "predictions", answered)
        if isinstance(given, dict):
            given = given.get("predictions", given)
        if given is None:
            given = []
        if not isinstance(given, (list, tuple)):
            raise Refused("predict() must return a list with an entry for each task, got " + _shown(given))
        if len(given) != count:
            raise Refused(f"predict() must return an entry for each task, got {len(given)} for {count}")
        return {"predictions": [_predictions(one) for one in given], "model_version": self._model_version()}

    def _model_version(self) -> str | None:
        version = getattr(self.model, "model_version", None)
        return None if version is None or callable(version) else str(version)


def _class(named: str) -> Any:
    module, _, name = named.partition(":")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        where = f"this Python ({sys.executable}) or the directory {Path.cwd()}"
        if error.name == "label_studio_ml":
            raise Refused(f"{named} needs label_studio_ml, which is not in {where}") from error
        raise Refused(f"{named} cannot be imported: {error.name} is not in {where}") from error
    base = importlib.import_module("label_studio_ml.model").LabelStudioMLBase
    if not (isinstance(found, type) and issubclass(found, base)):
        what = f"there is no {name} in {module}" if found is None else "it is none"
        raise Refused(f"{named} must be a subclass of LabelStudioMLBase: {what}")
    return found


def _generation(found: Any) -> int:
    """1 or 2, by what the base class of the package that is there takes: 2 is given a project's id."""
    base = importlib.import_module("label_studio_ml.model").LabelStudioMLBase
    return 2 if "project_id" in inspect.signature(base.__init__).parameters else 1


def _taken(found: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Those that it takes: the constructors of old classes often take two, and no others."""
    parameters = inspect.signature(found).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
        return given
    return {name: value for name, value in given.items() if name in parameters}


def _last_result() -> dict[str, Any] | None:
    """What its last training left in the working directory, as the SDK's own server would find it there."""
    for number in sorted((int(path.name) for path in Path.cwd().iterdir() if path.name.isdigit()), reverse=True):
        try:
            result = json.loads((Path.cwd() / str(number) / "job_result.json").read_text())
        except (OSError, ValueError):
            continue
        if isinstance(result, dict):
            return dict(result, job_id=str(number))
    return None


def _version() -> str:
    return str(getattr(importlib.import_module("label_studio_ml"), "__version__", "unknown"))


def _predictions(given: Any) -> list[dict[str, Any]]:
    """What was said of one task; several opinions are allowed, and none."""
    found = []
    for one in given if isinstance(given, (list, tuple)) else [given]:
        if one is None or one == {}:
            continue
        if not isinstance(one, dict):
            dump = getattr(one, "serialize", None) or getattr(one, "model_dump", None) or getattr(one, "dict", None)
            one = dump() if callable(dump) else one
        if not isinstance(one, dict) or not isinstance(one.get("result"), (list, tuple)):
            raise Refused("a prediction must be a mapping with a list of `result`s, got " + _shown(one))
        found.append(one)
    return found


def _plain(value: Any) -> Any:
    """What JSON does not know: numpy's numbers and arrays, and pydantic's objects."""
    for name in ("tolist", "model_dump", "to_dict", "dict"):
        method = getattr(value, name, None)
        if callable(method):
            return method()
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _sentence(error: BaseException) -> str:
    if isinstance(error, Refused):
        return str(error)
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f" (in {last.tb_frame.f_code.co_filename}, line {last.tb_lineno})" if last is not None else ""
    return "{}: {}{}".format(type(error).__name__, " ".join(str(error).split())[:_SHOWN] or "no message", where)


def _end_with(parent: int) -> None:
    """Where whoever asks has ended, however that was, nobody is left to answer."""
    while os.getppid() == parent:
        time.sleep(_LOOKS_AFTER_S)
    os._exit(0)


def _answers() -> IO[str]:
    """A way out of its own: what the class prints goes to the log, and never among the answers."""
    way_out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return way_out


def main() -> None:
    sys.path[:1] = sys.argv[1:]  # in place of this file's own directory, which is nobody's to import from
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    hosted, way_out = Hosted(), _answers()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            said = json.dumps({"said": getattr(hosted, asked.pop("do"))(asked)}, default=_plain)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, whoever asked is told
            said = json.dumps({"error": _sentence(error)})
        way_out.write(said + "\n")
        way_out.flush()


if __name__ == "__main__":
    main()
