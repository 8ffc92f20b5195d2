"""The catalogue: which media a project has, under which numbers, and which of its tasks show them.

A media gets its number once, and keeps it also where no task shows it any more: frame ids are made of it, and an index
that has not heard of a change yet must not take one picture for another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select

from .database import chunks
from .projects import Projects
from .tables import MediaTable, ShowingTable, TaskTable

_NAMES_AT_ONCE = 500


@dataclass(frozen=True)
class Shown:
    """What one task shows in one place. kind: `image`, `sequence` (of which this is the item) or `video`."""

    task_id: int
    tag: str
    item: int
    digest: str
    kind: str
    length: int = 1
    duration_s: float = 0.0


@dataclass(frozen=True)
class CataloguedMedia:
    """duration_s is 0 for all but videos."""

    number: int
    digest: str
    kind: str
    length: int
    duration_s: float


@dataclass(frozen=True)
class Showing:
    """media is -1 in the only row of a task that shows nothing any more."""

    task_id: int
    tag: str
    item: int
    media: int
    position: int


@dataclass(frozen=True)
class Placed:
    """A media at one place of a task."""

    tag: str
    item: int
    media: CataloguedMedia


_Places = dict[int, dict[tuple[str, int], str]]
"""By task and place, the digest of what is shown there."""


class Catalogue(Projects):
    def note_shown(self, key: str, shown: Iterable[Shown], *, only_adding: Iterable[int] = ()) -> bool:
        """This is what these tasks show, and all that they show. True if that is news.

        only_adding: tasks that were not seen whole; what they showed elsewhere stays. Tasks that the mirror does not
        know, such as deleted ones, are left out. Where nothing is news, nobody's turn to write is taken.
        """
        wanted: _Places = {}
        media: dict[str, Shown] = {}
        for one in shown:
            wanted.setdefault(one.task_id, {})[one.tag, one.item] = one.digest
            media.setdefault(one.digest, one)
        adding = set(only_adding)

        def news(connection: Connection) -> _Places:
            held = self._held(connection, key, wanted)
            for task_id in adding & wanted.keys():
                wanted[task_id] = held.get(task_id, {}) | wanted[task_id]
            return {task_id: places for task_id, places in wanted.items() if places != held.get(task_id, {})}

        def work(connection: Connection) -> bool:
            self._hold(connection, key)
            changed = news(connection)
            known = self._known_tasks(connection, key, changed)
            changed = {task_id: places for task_id, places in changed.items() if task_id in known}
            if not changed:
                return False
            digests = {digest for places in changed.values() for digest in places.values()}
            numbers = self._numbered(connection, key, sorted(digests), media)
            common = {"project_key": key, "position": self._next_position(connection, key)}
            self._forget_showings(connection, key, changed)
            rows = [
                {"task_id": task_id, "tag": tag, "item": item, "media": numbers[digest], **common}
                for task_id, places in changed.items()
                for (tag, item), digest in places.items()
            ]
            self.upsert(connection, ShowingTable, rows)
            return True

        return self.write(work) if wanted and self.read(news) else False

    def drop_shown(self, key: str, task_ids: Iterable[int] | None = None) -> set[int]:
        """Tasks of these (or of all) that the mirror knows no more show nothing. Returns those that did."""
        wanted = None if task_ids is None else set(task_ids)

        def gone(connection: Connection) -> set[int]:
            showing = select(ShowingTable.task_id).where(ShowingTable.project_key == key, ShowingTable.media >= 0)
            there = select(TaskTable.id).where(TaskTable.project_key == key, TaskTable.id == ShowingTable.task_id)
            query = showing.where(~there.exists()).distinct()
            queries = [query] if wanted is None else [query.where(ShowingTable.task_id.in_(s)) for s in chunks(wanted)]
            return {id for one in queries for id in connection.execute(one).scalars()}

        def work(connection: Connection) -> set[int]:
            self._hold(connection, key)
            found = gone(connection)
            if found:
                position = self._next_position(connection, key)
                self._forget_showings(connection, key, found)
                nothing = {"project_key": key, "tag": "", "item": -1, "media": -1, "position": position}
                self.upsert(connection, ShowingTable, [{"task_id": id, **nothing} for id in sorted(found)])
            return found

        return self.write(work) if self.read(gone) else set()

    def showings(self, key: str, *, since: int = 0) -> list[Showing]:
        """All rows of the tasks whose showings changed after the position `since`, by task."""
        columns = (ShowingTable.task_id, ShowingTable.tag, ShowingTable.item, ShowingTable.media, ShowingTable.position)
        query = select(*columns).where(ShowingTable.project_key == key, ShowingTable.position > since)
        rows = self.read(lambda connection: connection.execute(query.order_by(*columns[:3])).all())
        return [Showing(*row) for row in rows]

    def catalogued(self, key: str, *, after: int = 0) -> list[CataloguedMedia]:
        """The media whose number is above `after`, in the order of their numbers, which begin with 1."""
        columns = (MediaTable.number, MediaTable.digest, MediaTable.kind, MediaTable.length, MediaTable.duration_s)
        query = select(*columns).where(MediaTable.project_key == key, MediaTable.number > after).order_by(columns[0])
        rows = self.read(lambda connection: connection.execute(query).all())
        return [CataloguedMedia(*row) for row in rows]

    def media_numbered(self, key: str, number: int) -> CataloguedMedia | None:
        """The media of this number."""
        columns = (MediaTable.number, MediaTable.digest, MediaTable.kind, MediaTable.length, MediaTable.duration_s)
        query = select(*columns).where(MediaTable.project_key == key, MediaTable.number == number)
        row = self.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else CataloguedMedia(*row)

    def shown_by(self, key: str, task_id: int, *, tag: str | None = None, item: int = 0) -> CataloguedMedia | None:
        """The media at one place of a task; of its first tag where none is named. None where nothing is known."""
        columns = (MediaTable.number, MediaTable.digest, MediaTable.kind, MediaTable.length, MediaTable.duration_s)
        query = (
            select(*columns)
            .join(
                ShowingTable,
                (ShowingTable.project_key == MediaTable.project_key) & (ShowingTable.media == MediaTable.number),
            )
            .where(ShowingTable.project_key == key, ShowingTable.task_id == task_id, ShowingTable.item.in_([0, item]))
            .where(ShowingTable.tag == tag if tag is not None else ShowingTable.media > 0)
            .order_by(ShowingTable.tag, ShowingTable.item.desc())
        )
        row = self.read(lambda connection: connection.execute(query).first())
        return None if row is None else CataloguedMedia(*row)

    def shown_in(self, key: str, task_id: int) -> list[Placed]:
        """All that a task shows, as far as it is known, by tag and item."""
        columns = (MediaTable.number, MediaTable.digest, MediaTable.kind, MediaTable.length, MediaTable.duration_s)
        query = (
            select(ShowingTable.tag, ShowingTable.item, *columns)
            .join(
                MediaTable,
                (MediaTable.project_key == ShowingTable.project_key) & (MediaTable.number == ShowingTable.media),
            )
            .where(ShowingTable.project_key == key, ShowingTable.task_id == task_id)
            .order_by(ShowingTable.tag, ShowingTable.item)
        )
        rows = self.read(lambda connection: connection.execute(query).all())
        return [Placed(row[0], row[1], CataloguedMedia(*row[2:])) for row in rows]

    def _held(self, connection: Connection, key: str, task_ids: Iterable[int]) -> _Places:
        query = (
            select(ShowingTable.task_id, ShowingTable.tag, ShowingTable.item, MediaTable.digest)
            .join(
                MediaTable,
                (MediaTable.project_key == ShowingTable.project_key) & (MediaTable.number == ShowingTable.media),
            )
            .where(ShowingTable.project_key == key)
        )
        held: _Places = {}
        for some in chunks(task_ids):
            for task_id, tag, item, digest in connection.execute(query.where(ShowingTable.task_id.in_(some))):
                held.setdefault(task_id, {})[tag, item] = digest
        return held

    def _known_tasks(self, connection: Connection, key: str, ids: Iterable[int]) -> set[int]:
        query = select(TaskTable.id).where(TaskTable.project_key == key)
        return {id for some in chunks(ids) for id in connection.execute(query.where(TaskTable.id.in_(some))).scalars()}

    def _numbered(
        self, connection: Connection, key: str, digests: Sequence[str], media: dict[str, Shown]
    ) -> dict[str, int]:
        """The number of each; what has none yet gets one."""
        query = select(MediaTable.digest, MediaTable.number).where(MediaTable.project_key == key)
        numbers: dict[str, int] = {}
        for start in range(0, len(digests), _NAMES_AT_ONCE):
            rows: Iterable[Row[Any]] = connection.execute(
                query.where(MediaTable.digest.in_(digests[start : start + _NAMES_AT_ONCE]))
            )
            numbers.update((row.digest, row.number) for row in rows)
        highest = connection.execute(select(func.max(MediaTable.number)).where(MediaTable.project_key == key)).scalar()
        new = [digest for digest in digests if digest not in numbers]
        numbers |= {digest: number for number, digest in enumerate(new, start=(highest or 0) + 1)}
        self.upsert(
            connection,
            MediaTable,
            [
                {
                    "project_key": key,
                    "number": numbers[digest],
                    "digest": digest,
                    "kind": media[digest].kind,
                    "length": media[digest].length,
                    "duration_s": media[digest].duration_s,
                }
                for digest in new
            ],
        )
        return numbers

    def _forget_showings(self, connection: Connection, key: str, task_ids: Iterable[int]) -> None:
        for some in chunks(task_ids):
            connection.execute(
                delete(ShowingTable).where(ShowingTable.project_key == key, ShowingTable.task_id.in_(some))
            )

    def _next_position(self, connection: Connection, key: str) -> int:
        """Ask before rows are deleted: a position is never used again."""
        highest = select(func.max(ShowingTable.position)).where(ShowingTable.project_key == key)
        return (connection.execute(highest).scalar() or 0) + 1
