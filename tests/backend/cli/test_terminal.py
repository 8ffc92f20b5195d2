"""What is seen on the terminal: the meter, tables, and what is left out of the log."""

from __future__ import annotations

import logging
import os
import signal
from datetime import datetime, timezone

import pytest

from espalier.cli import logs, meter
from espalier.cli.serve import welcome
from espalier.cli.table import columns, counted, moment
from espalier.errors import Cancelled
from espalier.settings import Secret, Settings


def test_without_a_terminal_the_meter_says_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with meter.MeteredProgress("training") as progress:
        progress.report(1, 4, "embedding")
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(meter, "_SILENCE_S", 0)
        progress.report(2, 4, "embedding")
    assert capsys.readouterr().err == "training: 2 of 4 embedding\n"


def test_ctrl_c_cancels_in_order() -> None:
    before = signal.getsignal(signal.SIGINT)
    with meter.MeteredProgress("run") as progress:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Cancelled):
            progress.report(1, 4)
    assert signal.getsignal(signal.SIGINT) is before


def test_columns_stand_below_each_other() -> None:
    assert columns([("a", "bcd", "e"), ("fgh", "i", "")]) == ["a    bcd  e", "fgh  i"]
    assert columns([]) == []


def test_counted_things_and_moments() -> None:
    assert [counted(number, "frame") for number in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]
    assert moment(datetime(2026, 1, 2, 3, 4)) == moment(datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc))


@pytest.mark.parametrize(
    ("name", "level", "arguments", "is_kept"),
    [
        ("gunicorn.access", logging.INFO, {"U": "/health", "s": "200"}, False),
        ("gunicorn.access", logging.INFO, {"U": "/setup", "s": "200"}, False),
        ("gunicorn.access", logging.INFO, {"U": "/setup", "s": "503"}, True),
        ("gunicorn.access", logging.INFO, {"U": "/webhook", "s": "200"}, True),
        ("gunicorn.error", logging.INFO, (), False),
        ("gunicorn.error", logging.ERROR, (), True),
    ],
)
def test_the_log_keeps_what_matters(name: str, level: int, arguments: object, is_kept: bool) -> None:
    logs.set_up("INFO")
    record = logging.LogRecord(name, level, "", 0, "said", None, None)
    record.args = arguments  # type: ignore[assignment]
    assert bool(logging.getLogger(name).filter(record)) is is_kept


def test_other_people_s_chatter_is_left_out() -> None:
    logs.set_up("INFO")
    handler = logging.getLogger().handlers[0]
    for name, level, is_kept in (
        ("alembic.runtime.migration", logging.INFO, False),
        ("rq.worker", logging.INFO, False),
        ("rq.worker", logging.ERROR, True),
        ("espalier.jobs.training", logging.INFO, True),
    ):
        record = logging.LogRecord(name, level, "", 0, "said", (), None)
        assert bool(handler.filter(record)) is is_kept, name


def test_the_welcome_says_where_to_connect_and_no_secret() -> None:
    shown = welcome(Settings(port=9191))
    assert "http://127.0.0.1:9191" in shown
    assert "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false" in shown
    assert "LABEL_STUDIO_API_KEY are not set" in shown
    shown = welcome(
        Settings(
            host="0.0.0.0",
            basic_auth_user="me",
            basic_auth_pass=Secret("hunter2"),
            redis_url=Secret("redis://:hunter2@queue:6379/0"),
            label_studio_url="http://studio:8080",
            label_studio_api_key=Secret("hunter2"),
        )
    )
    assert "http://<this machine>:9090" in shown
    assert "queue:6379/0" in shown
    assert "hunter2" not in shown
