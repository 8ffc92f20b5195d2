"""Whose turn it is to train: nobody labels, or for too long; and one training of a project at a time."""

from __future__ import annotations

import threading
import time

from espalier.jobs.queue import Queues

KEY = "1.1795197302"


def test_training_waits_until_nobody_labels(queues: Queues) -> None:
    queues.turn.touch(KEY)
    began = time.monotonic()
    queues.turn.wait_for_quiet(KEY)
    assert 0.15 < time.monotonic() - began < 1
    queues.turn.wait_for_quiet(KEY)
    assert time.monotonic() - began < 1


def test_training_does_not_wait_for_ever(queues: Queues) -> None:
    stop = threading.Event()

    def label() -> None:
        while not stop.wait(0.05):
            queues.turn.touch(KEY)

    queues.turn.touch(KEY)
    labeling = threading.Thread(target=label)
    labeling.start()
    began = time.monotonic()
    queues.turn.wait_for_quiet(KEY)
    took_s = time.monotonic() - began
    stop.set()
    labeling.join()
    assert took_s > 1.8, "ten times the debounce of 0.2 s"


def test_the_button_does_not_wait(queues: Queues) -> None:
    queues.turn.touch(KEY)
    queues.request_training(KEY, delay=False)
    began = time.monotonic()
    queues.turn.wait_for_quiet(KEY)
    assert time.monotonic() - began < 0.1


def test_one_training_per_project_at_a_time(queues: Queues) -> None:
    inside: list[str] = []

    def second() -> None:
        with queues.turn.alone(KEY):
            inside.append("second")

    with queues.turn.alone(KEY):
        waiting = threading.Thread(target=second)
        waiting.start()
        with queues.turn.alone("2.5"):
            inside.append("another project")
        time.sleep(0.4)
        inside.append("first")
    waiting.join()
    assert inside == ["another project", "first", "second"]
