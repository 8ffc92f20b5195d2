"""/webhook and /health under load: 16 clients at once while a training and a prediction are running.

The limit it is compared to: Label Studio gives /health 1 s, and a webhook 1 s within the annotator's click, once.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import requests
from PIL import Image

from espalier.demo.pictures import IMAGE_CONFIG, write_digits

from .serving import backend

CLIENTS, SECONDS, DIGITS, FRESH = 16, 20.0, 400, 50
KEY = "1.1700000000"
PROJECT = {"id": 1, "title": "bench", "created_at": "2023-11-14T22:13:20Z", "label_config": IMAGE_CONFIG}


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        digits = write_digits(directory / "digits", DIGITS)
        with backend(directory, ESPALIER_DEBOUNCE_S="0.5") as url:
            session = requests.Session()
            _post(session, url, "/setup", {"project": KEY, "schema": IMAGE_CONFIG, "hostname": "", "access_token": ""})
            tasks = [_task(number, digit.path) for number, digit in enumerate(digits, start=1)]
            for task, digit in zip(tasks[: DIGITS // 2], digits, strict=False):
                _post(session, url, "/webhook", _event(task, digit.answers))
            _wait_for_version(session, url)
            print(f"{CLIENTS} clients for {SECONDS:.0f} s, with training and prediction; load {os.getloadavg()[0]:.1f}")
            versions_before = _version(session, url)
            times, predicted = _load(directory, url, tasks, digits)
            print(f"trainings meanwhile: {versions_before} -> {_version(session, url)}")
            print(f"new pictures predicted meanwhile: {predicted}")
            print("| route | requests | req/s | p50 ms | p99 ms | worst ms |\n| --- | --- | --- | --- | --- | --- |")
            for route, values in times.items():
                ordered = sorted(values)
                print(
                    f"| {route} | {len(ordered)} | {len(ordered) / SECONDS:.0f} "
                    f"| {statistics.median(ordered) * 1e3:.1f} "
                    f"| {ordered[int(len(ordered) * 0.99)] * 1e3:.1f} | {ordered[-1] * 1e3:.1f} |"
                )


def _load(
    directory: Path, url: str, tasks: list[dict[str, Any]], digits: list[Any]
) -> tuple[dict[str, list[float]], int]:
    times: dict[str, list[float]] = {"/health": [], "/webhook": []}
    sys.setswitchinterval(0.0005)  # the clients share an interpreter: what one waits for it is no answer's time
    stop = time.monotonic() + SECONDS
    predicted = 0

    def client(number: int) -> None:
        # As frugal as can be: it shares the processor with what it measures.
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
        turn = 0
        while time.monotonic() < stop:
            turn += 1
            which = (number * 7919 + turn) % (DIGITS // 2)
            route = "/health" if (number + turn) % 2 else "/webhook"
            body = json.dumps(_event(tasks[which], digits[which].answers, annotation=1000 + which))
            start = time.perf_counter()
            if route == "/health":
                connection.request("GET", route)
            else:
                connection.request("POST", route, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            times[route].append(time.perf_counter() - start)
            time.sleep(0.01)

    def predictor() -> None:
        nonlocal predicted
        session = requests.Session()
        random = np.random.default_rng(0)
        while time.monotonic() < stop:
            new = [_task(10_000 + predicted + number, _noise(directory, random)) for number in range(FRESH)]
            _post(session, url, "/predict", {"tasks": new, "project": KEY, "label_config": IMAGE_CONFIG})
            predicted += FRESH

    def trainer() -> None:
        session = requests.Session()
        while time.monotonic() < stop:
            _post(session, url, "/webhook", {"action": "START_TRAINING", "project": PROJECT})
            time.sleep(0.5)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    threads += [threading.Thread(target=predictor), threading.Thread(target=trainer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, predicted


def _noise(directory: Path, random: np.random.Generator) -> Path:
    """A picture that nobody has seen, so that it must be read and embedded."""
    path = directory / "digits" / f"noise-{random.integers(1 << 62)}.png"
    Image.fromarray(random.integers(0, 255, (128, 128), np.uint8)).save(path, compress_level=0)
    return path


def _task(number: int, path: Path) -> dict[str, Any]:
    return {"id": number, "data": {"image": str(path)}, "annotations": [], "predictions": [], "project": 1}


def _event(task: dict[str, Any], answers: dict[str, str], annotation: int | None = None) -> dict[str, Any]:
    result = [
        {"id": f"r{name}", "from_name": name, "to_name": "image", "type": "choices", "value": {"choices": [option]}}
        for name, option in answers.items()
    ]
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{int(time.time() % 1 * 1e6):06d}Z"
    said = {
        "id": annotation or task["id"],
        "task": task["id"],
        "result": result,
        "was_cancelled": False,
        "created_at": moment,
        "updated_at": moment,
    }
    return {"action": "ANNOTATION_CREATED", "annotation": said, "task": task, "project": PROJECT}


def _post(session: requests.Session, url: str, route: str, body: dict[str, Any]) -> Any:
    answer = session.post(f"{url}{route}", json=body, timeout=120)
    answer.raise_for_status()
    return answer.json()


def _version(session: requests.Session, url: str) -> str:
    body = {"project": KEY, "schema": IMAGE_CONFIG, "hostname": "", "access_token": ""}
    return str(_post(session, url, "/setup", body)["model_version"])


def _wait_for_version(session: requests.Session, url: str) -> None:
    for _ in range(600):
        if _version(session, url) != "untrained":
            return
        time.sleep(0.2)
    raise SystemExit("no model version within two minutes")


if __name__ == "__main__":
    main()
