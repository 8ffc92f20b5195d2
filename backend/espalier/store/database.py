"""One database, SQLite or PostgreSQL: opened, brought up to date, read, and written in short transactions."""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TextIO, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import StaticPool

from ..errors import BadSetting

T = TypeVar("T")
BUSY_TIMEOUT_MS = 10_000
PARAMETERS = 1000  # of one IN list; SQLite and PostgreSQL both take far more, the planner does not like it
MIGRATION_LOCK = 0x45737061  # PostgreSQL's advisory lock while migrating: "Espa"
_IN_MEMORY = {"", ":memory:", None}


class Database:
    """Reads see one moment; writes are one transaction each, tried again where another process was in the way."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # An in-memory SQLite has a single connection, so its threads must take turns; the others need no such lock.
        in_memory = isinstance(engine.pool, StaticPool)
        self._turn: AbstractContextManager[Any] = threading.RLock() if in_memory else nullcontext()
        on_disk = engine.dialect.name == "sqlite" and not in_memory
        self._queue: AbstractContextManager[Any] = _Queue(f"{engine.url.database}.writers") if on_disk else self._turn

    def read(self, work: Callable[[Connection], T]) -> T:
        with self._turn, self._engine.begin() as connection:
            return work(connection)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in one transaction. It may be called again from the start, so it must only touch the database."""
        pauses_s = [0.1, 0.2, 0.4, 0.8]
        while True:
            try:
                with self._queue, self._engine.connect() as connection:
                    connection.execution_options(writes=True)
                    with connection.begin():
                        return work(connection)
            except DBAPIError as error:
                if not pauses_s or not _somebody_was_in_the_way(error):
                    raise
            time.sleep(pauses_s.pop(0))

    def upsert(
        self,
        connection: Connection,
        table: type[DeclarativeBase],
        rows: Iterable[Mapping[str, Any]],
        *,
        replace: bool = True,
    ) -> None:
        """Inserts `rows` (all with the same columns); where the key is taken, replaces the row or leaves it."""
        rows = list(rows)
        if not rows:
            return
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(table)
        key = [column.name for column in table.__table__.primary_key]
        changed = {name: insert.excluded[name] for name in rows[0] if name not in key}
        if replace and changed:
            connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changed), rows)
        else:
            connection.execute(insert.on_conflict_do_nothing(index_elements=key), rows)

    def close(self) -> None:
        self._engine.dispose()


class _Queue(AbstractContextManager[None]):
    """A line in which the writers of an SQLite file stand, threads and processes alike.

    SQLite lets a writer that finds the file locked sleep and try again, ever longer, while others overtake it. Here the
    kernel wakes the next one at once. SQLite's own lock stays what keeps the file safe.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._among_threads = threading.Lock()
        self._among_processes: TextIO | None = None

    def __enter__(self) -> None:
        self._among_threads.acquire()
        try:
            self._among_processes = Path(self._path).open("a")
            fcntl.flock(self._among_processes, fcntl.LOCK_EX)
        except BaseException:
            self._among_threads.release()
            raise

    def __exit__(self, *_: object) -> None:
        if self._among_processes is not None:
            self._among_processes.close()
        self._among_threads.release()


def open_engine(url: str) -> Engine:
    """An engine with the newest schema. `url`: sqlite:///path, or postgres(ql)://user:password@host/name."""
    parsed = _parse(url)
    try:
        engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else create_engine(parsed, pool_pre_ping=True)
        try:
            _migrate(engine)
        except BaseException:
            engine.dispose()
            raise
    except ModuleNotFoundError as error:
        raise BadSetting(
            f"{_shown(parsed)} needs {error.name}: pip install 'label-studio-espalier[postgresql]'"
        ) from error
    except (DBAPIError, OSError) as error:
        why = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()[0]
        raise BadSetting(
            f"the database {_shown(parsed)} cannot be opened: {why}; check ESPALIER_DATABASE_URL"
        ) from error
    except CommandError as error:
        raise BadSetting(
            f"the database {_shown(parsed)} was made by a newer Espalier ({error}); upgrade, or name another database"
        ) from error
    return engine


def chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    """Sorted and unique, in pieces that fit one IN list. (Sorted, so that two writers lock rows in the same order.)"""
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), PARAMETERS):
        yield wanted[start : start + PARAMETERS]


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgres", "postgresql"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise BadSetting(
            "ESPALIER_DATABASE_URL is not a database URL; use postgresql://user:password@host/name, "
            "or leave it empty for SQLite"
        ) from error
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise BadSetting(f"{_shown(parsed)} is neither SQLite nor PostgreSQL, the two databases that Espalier keeps")
    return parsed


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def _sqlite(url: URL) -> Engine:
    if url.database in _IN_MEMORY:
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        path = Path(str(url.database))
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)  # it holds the projects' access tokens
        engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: the driver would say it late, and never IMMEDIATE
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer that begins as a reader is refused, not queued, when another one wrote in between.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _migrate(engine: Engine) -> None:
    """Brings the schema up to date; of several processes that start at once, one does it and the others wait."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    newest = ScriptDirectory.from_config(config).get_current_head()
    with _alone(engine):
        with engine.connect() as connection:
            if MigrationContext.configure(connection).get_current_revision() == newest:
                return
        with engine.connect() as connection:
            connection.execution_options(writes=True)
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
                config.attributes["connection"] = connection
                command.upgrade(config, "head")


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """For SQLite files: one process at a time, since turning WAL on does not wait for the busy timeout."""
    database = engine.url.database
    if engine.dialect.name != "sqlite" or database in _IN_MEMORY:
        yield
        return
    with Path(f"{database}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _somebody_was_in_the_way(error: DBAPIError) -> bool:
    """Locked (SQLite), deadlock, serialization failure or lost connection (PostgreSQL)."""
    if error.connection_invalidated or getattr(error.orig, "sqlstate", None) in {"40001", "40P01"}:
        return True
    return isinstance(error, OperationalError) and "locked" in str(error.orig)
