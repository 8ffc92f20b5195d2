"""Tables as people save them: comma, semicolon or tab, with or without a byte order mark, UTF-8 or what Windows writes.

Read row by row: a table may be long.
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..errors import BadRequest

MOST_ROWS = 500_000
MOST_BYTES = 200_000_000
_MOST_COLUMNS = 500
_LOOKED_AT = 100
_BLOCK = 1 << 20
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SEPARATED = "sep="
"""What Excel writes as a first line of its own."""


@dataclass(frozen=True)
class Table:
    """A file of rows. skipped: rows before the first that counts, which are no row of the table."""

    path: Path
    encoding: str
    delimiter: str
    skipped: int = 0

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row that holds anything, with its number from 1 as a spreadsheet shows it. Raises BadRequest."""
        with self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter)
            number = 0
            try:
                for number, cells in enumerate(reader, 1):
                    if number > MOST_ROWS:
                        raise BadRequest(f"the table has more than {MOST_ROWS:,} rows: split it")
                    if len(cells) > _MOST_COLUMNS:
                        raise BadRequest(f"row {number} has {len(cells)} columns; a table has at most {_MOST_COLUMNS}")
                    if number > self.skipped and any(cell.strip() for cell in cells):
                        yield number, cells
            except (csv.Error, UnicodeError) as error:
                raise BadRequest(f"row {number + 1} of the table cannot be read: {error}") from error


def open_table(path: Path) -> Table:
    """With its encoding and delimiter found out. Raises BadRequest for what is no table."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise BadRequest(f"the table has {size / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f} MB are read: split it")
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline(1000)
    if first.lower().startswith(_SEPARATED) and len(first.rstrip("\r\n")) == len(_SEPARATED) + 1:
        return Table(path, encoding, first[len(_SEPARATED)], skipped=1)
    if not first.strip() and size < _BLOCK and not path.read_bytes().strip(b"\0\xef\xbb\xbf\xff\xfe \r\n\t"):
        raise BadRequest("the table is empty: it needs a column of file names and one of labels")
    found: list[tuple[tuple[float, int], int, str]] = []
    refused: BadRequest | None = None
    for place, delimiter in enumerate(",;\t|"):
        try:
            found.append((_likeness(path, encoding, delimiter), -place, delimiter))
        except BadRequest as error:
            refused = refused or error
    best = max(found, default=((0.0, 0), 0, ","))
    if refused is not None and not best[0][0]:
        raise refused
    return Table(path, encoding, best[2])


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_BLOCK)
        for mark, encoding in _MARKS.items():
            if head.startswith(mark):
                return encoding
        if head.startswith(b"PK\x03\x04"):
            raise BadRequest("this is a ZIP file or an Excel workbook, not a table of text: save the sheet as CSV")
        if b"\0" in head:
            raise BadRequest("this is no text: save the table as CSV")
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while head:
                decoder.decode(head)
                head = file.read(_BLOCK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8"


def _likeness(path: Path, encoding: str, delimiter: str) -> tuple[float, int]:
    """How far the first rows agree in how many columns they have, and how many these are; one column is none."""
    counts = Counter(len(cells) for _, cells in islice(Table(path, encoding, delimiter).rows(), _LOOKED_AT))
    if not counts:
        return 0.0, 0
    # A stray delimiter within a name makes a row longer than the others, never shorter.
    columns, alike = max(counts.items(), key=lambda one: (one[1], one[0]))
    return (alike / counts.total(), columns) if columns > 1 else (0.0, 1)
