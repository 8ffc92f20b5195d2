"""Opening: empty, again, at once from several processes, with a wrong URL; and writing while others write."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from espalier.errors import BadSetting
from espalier.store.database import open_engine
from espalier.store.records import Records
from espalier.store.tables import Base

KEY = "1.1795197302"


def test_the_migrations_make_the_tables(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_opening_again_keeps_what_is_there(database_url: str) -> None:
    first = Records.open(database_url)
    first.put_project(KEY, title="Cats")
    second = Records.open(database_url)
    assert [project.title for project in second.projects()] == ["Cats"]
    first.close()
    second.close()


def test_several_processes_open_an_empty_database_at_once(database_url: str) -> None:
    program = (
        "import sys, time; from espalier.store.records import Records;"
        "time.sleep(max(0, float(sys.argv[2]) - time.time()));"
        f"records = Records.open(sys.argv[1]); records.put_project({KEY!r}, title='Cats'); records.bump({KEY!r})"
    )
    start_at = str(time.time() + 2)
    openers = [subprocess.Popen([sys.executable, "-c", program, database_url, start_at]) for _ in range(4)]
    assert [opener.wait(timeout=60) for opener in openers] == [0, 0, 0, 0]
    records = Records.open(database_url)
    assert [project.revision for project in records.projects()] == [4]
    records.close()


def test_writers_of_several_processes_lose_nothing(database_url: str) -> None:
    program = (
        "import sys; from espalier.store.records import Records; records = Records.open(sys.argv[1]);"
        f"[records.bump({KEY!r}) for _ in range(50)]"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, database_url]) for _ in range(3)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    records = Records.open(database_url)
    project = records.project(KEY)
    assert project is not None
    assert project.revision == 150
    records.close()


def test_threads_share_an_in_memory_database() -> None:
    records = Records.open("sqlite://")
    threads = [threading.Thread(target=lambda: [records.bump(KEY) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert records.bump(KEY) == 81
    records.close()


def test_sqlite_lets_readers_read_while_somebody_writes(tmp_path: Path) -> None:
    records = Records.open(f"sqlite:///{tmp_path / 'a.sqlite'}")
    records.put_project(KEY, title="before")
    writing, done = threading.Event(), threading.Event()

    def write(connection: object) -> None:
        writing.set()
        assert done.wait(10)

    writer = threading.Thread(target=records.write, args=(write,))
    writer.start()
    assert writing.wait(10)
    began = time.monotonic()
    project = records.project(KEY)
    assert project is not None
    assert project.title == "before"
    assert time.monotonic() - began < 1
    done.set()
    writer.join()
    modes = records.read(lambda connection: connection.execute(text("PRAGMA journal_mode")).scalar_one())
    assert modes == "wal"
    records.close()


def test_the_file_with_the_tokens_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.sqlite"
    Records.open(f"sqlite:///{path}").close()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_goes_by_all_its_names(new_postgres: str, scheme: str) -> None:
    records = Records.open(new_postgres.replace("postgresql", scheme, 1))
    assert records.bump(KEY) == 1
    records.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "is not a database URL"),
        ("oracle+nothing://x", "is not a database URL"),
        ("mysql+pymysql://u:hunter2@h/db", "neither SQLite nor PostgreSQL"),
        ("postgresql://u:hunter2@127.0.0.1:1/db", "cannot be opened"),
        ("sqlite:////proc/nowhere/a.sqlite", "cannot be opened"),
    ],
    ids=["no URL", "no such driver", "another kind", "nobody there", "cannot be written"],
)
def test_a_wrong_url_is_refused_in_words_without_its_password(url: str, words: str) -> None:
    with pytest.raises(BadSetting, match=words) as refused:
        open_engine(url)
    assert "hunter2" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"a picture, perhaps" * 100)
    with pytest.raises(BadSetting, match="not a database"):
        open_engine(f"sqlite:///{tmp_path / 'a.sqlite'}")


def test_a_database_of_a_newer_espalier_is_refused(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(BadSetting, match="newer Espalier"):
        open_engine(database_url)
