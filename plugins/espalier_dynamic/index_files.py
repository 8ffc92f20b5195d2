"""The directory of an index: its pointer, its locks, its generations and journals, and how each comes and goes.

    pointer.json         which generation holds; replaced by a rename, which is what makes a `save` happen
    generation-7/        rows, ids and the rest, never changed once the pointer names it
    journal-7            what came since
    lock, save.lock      one process writes at a time, one saves at a time; who only searches takes neither

Several processes may have the same index open, and each may write: before every call it reads what others added to the
journal, or the generation that others saved. A process that still searches an older generation keeps its mapped files,
which go when it looks again.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from espalier.contract import IndexRequest
from espalier.errors import BadIndex

from .journal import HEADER, Journal
from .sealed_directory import sync_directory, writing

FORMAT = "espalier index 1"
POINTER, DRAFT, LOCK, SAVE_LOCK = "pointer.json", "pointer.draft", "lock", "save.lock"


@dataclass(frozen=True)
class Pointer:
    """What the index is, and which generation holds; generation 0 holds nothing and has no files."""

    name: str
    dim: int
    encoder: str
    generation: int
    dropped: bool = False

    def to_bytes(self) -> bytes:
        held = {"format": FORMAT, **self.__dict__}
        return json.dumps({**held, "checksum": zlib.crc32(json.dumps(held).encode())}).encode()

    @classmethod
    def from_bytes(cls, written: bytes, path: Path) -> Pointer:
        try:
            held = json.loads(written)
            checksum = held.pop("checksum")
            if held.pop("format") != FORMAT:
                raise BadIndex(f"{path} is not of the format {FORMAT!r}: another version of Espalier wrote it")
            pointer = cls(**held)
            if Pointer.to_bytes(pointer) != written or checksum is None:
                raise ValueError("checksum")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadIndex(f"{path} is damaged or not an index's: {error or type(error).__name__}") from None
        return pointer


class IndexFiles:
    """The files under one request."""

    def __init__(self, request: IndexRequest) -> None:
        self.request = request
        self.directory = request.directory
        self.pointer_path = self.directory / POINTER
        self._known: tuple[tuple[int, ...], Pointer, bytes] | None = None

    def generation_path(self, generation: int) -> Path:
        return self.directory / f"generation-{generation}"

    def journal(self, generation: int) -> Journal:
        return Journal(self.directory / f"journal-{generation}", dim=self.request.dim, generation=generation)

    def begin(self) -> None:
        """Make an empty index where there is none; finish a drop that was interrupted.

        Raises BadIndex where the directory holds something else, BadSetting where it cannot be written.
        """
        if self.pointer_path.exists() and not self._read().dropped:
            return
        with writing(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
        with self.locked(SAVE_LOCK), self.locked():
            if self.pointer_path.exists():
                if not self._read().dropped:
                    return
                self._sweep(keep=())
                self.pointer_path.unlink()
            foreign = [path.name for path in self._content() if not self._may_precede(path)]
            if foreign:
                raise BadIndex(
                    f"{self.directory} holds {foreign[0]!r} but no {POINTER}: it is not an index, or a part is missing"
                )
            self.journal(0).begin()
            self.point(Pointer(self.request.name, self.request.dim, self.request.encoder, 0))

    def read_pointer(self) -> tuple[Pointer, bytes]:
        """The pointer, held against the request, and its bytes, which are others as soon as anything else holds."""
        try:
            seen = os.stat(self.pointer_path)  # noqa: PTH116 - asked before every search
            same = (seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size)
            if self._known is not None and self._known[0] == same:
                return self._known[1:]
            written = self.pointer_path.read_bytes()
        except FileNotFoundError:
            raise self._dropped() from None
        pointer = Pointer.from_bytes(written, self.pointer_path)
        asked = self.request
        for word, held, wanted in (
            ("name", pointer.name, asked.name),
            ("encoder", pointer.encoder, asked.encoder),
            ("dim", pointer.dim, asked.dim),
        ):
            if held != wanted:
                raise BadIndex(
                    f"the index in {self.directory} holds embeddings of {word} {held!r}, asked for is {wanted!r}; "
                    "embeddings of two encoders are never mixed: build it anew"
                )
        if pointer.dropped:
            raise BadIndex(f"the index in {self.directory} is being dropped; open it again")
        self._known = same, pointer, written
        return pointer, written

    def point(self, pointer: Pointer) -> None:
        """From now on this holds, also after a sudden end. Only under the lock. Raises BadSetting: then the old one."""
        draft = self.directory / DRAFT
        with writing(self.pointer_path):
            with draft.open("wb") as file:
                file.write(pointer.to_bytes())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.pointer_path)
            sync_directory(self.directory)

    def sweep(self, generation: int) -> None:
        """Away with generations and journals that no pointer names any more. Only under both locks."""
        self._sweep(keep=(f"generation-{generation}", f"journal-{generation}"))

    def drop(self) -> None:
        """Nothing of it is left; what is not an index's is left where it is."""
        if not self.directory.is_dir():
            return
        with self.locked(SAVE_LOCK), self.locked():
            own = self.pointer_path.exists() or any(_is_own(path) for path in self._content())
            if own:
                # Whoever finds the rest after a sudden end knows what to do with it.
                self.point(Pointer(self.request.name, self.request.dim, self.request.encoder, 0, dropped=True))
                self._sweep(keep=())
                self.pointer_path.unlink()
            for name in (DRAFT, LOCK, SAVE_LOCK):
                (self.directory / name).unlink(missing_ok=True)
            if not any(self.directory.iterdir()):
                self.directory.rmdir()

    @contextmanager
    def locked(self, name: str = LOCK) -> Iterator[None]:
        """One at a time among threads and processes; a process that ends lets go of it."""
        path = self.directory / name
        while True:
            with writing(path):
                try:
                    lock = path.open("ab")
                except FileNotFoundError:
                    raise self._dropped() from None
            with lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                # Who dropped the index meanwhile took the file away: a lock on that one holds nobody off.
                try:
                    same = os.path.samestat(os.fstat(lock.fileno()), path.stat())
                except FileNotFoundError:
                    same = False
                if same:
                    yield
                    return

    def _may_precede(self, path: Path) -> bool:
        """Whether it may lie there before the pointer: the journal does, empty."""
        if path == self.journal(0).path:
            return path.stat().st_size <= HEADER.size
        return path.name in (LOCK, SAVE_LOCK, DRAFT)

    def _dropped(self) -> BadIndex:
        return BadIndex(f"the index in {self.directory} was dropped meanwhile; open it again")

    def _read(self) -> Pointer:
        return Pointer.from_bytes(self.pointer_path.read_bytes(), self.pointer_path)

    def _content(self) -> list[Path]:
        return sorted(self.directory.iterdir())

    def _sweep(self, keep: tuple[str, ...]) -> None:
        for path in self._content():
            if not _is_own(path) or path.name in keep:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _is_own(path: Path) -> bool:
    kind, _, number = path.name.removesuffix(".draft").partition("-")
    return kind in ("generation", "journal") and number.isdigit()
