"""What is made to do harm does none: names that lead outside, links, bombs."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from espalier.errors import BadRequest
from espalier.exchange import sources
from espalier.exchange.file_names import UniqueNames, parts_of, safe_name
from espalier.exchange.sources import open_source
from espalier.exchange.zip_stream import ZipStream


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], packed: bool = False) -> Path:
    with zipfile.ZipFile(path / "a.zip", "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path / "a.zip"


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize("name", ["../a.jpg", "/etc/passwd", "a/../../b.jpg", "..\\a.jpg", "C:\\a.jpg", "a/.."])
def test_a_name_that_leads_outside_is_told_and_left(name: str, tmp_path: Path) -> None:
    source = open_source(zipped(tmp_path, (name, b"x"), ("cat/a.jpg", b"y")))
    assert source.files() == source.files() == [("cat", "a.jpg")]
    assert "leads out of the archive" in source.problems[0].why
    assert source.read(("cat", "a.jpg")) == b"y"
    source.close()


def test_links_are_not_followed(tmp_path: Path) -> None:
    source = open_source(zipped(tmp_path, (link("cat/a.jpg"), b"/etc/passwd")))
    assert source.files() == []
    assert "no plain file" in source.problems[0].why
    source.close()
    directory = tmp_path / "d" / "cat"
    directory.mkdir(parents=True)
    (directory / "a.jpg").symlink_to("/etc/passwd")
    (tmp_path / "d" / "up").symlink_to("/etc")
    found = open_source(tmp_path / "d")
    assert found.files() == []
    assert "not followed" in found.problems[0].why


def test_what_would_swell_is_told_and_left(tmp_path: Path) -> None:
    source = open_source(zipped(tmp_path, ("cat/a.jpg", bytes(3_000_000)), packed=True))
    assert source.files() == []
    assert "would swell" in source.problems[0].why
    source.close()


def test_a_file_is_read_no_further_than_it_says(tmp_path: Path) -> None:
    path = zipped(tmp_path, ("cat/a.jpg", b"x" * 1000), packed=True)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\1\2") + 24
    data[at : at + 4] = struct.pack("<L", 10)
    path.write_bytes(data)
    source = open_source(path)
    assert source.files()
    with pytest.raises(BadRequest, match=r"cat/a\.jpg"):
        source.read(("cat", "a.jpg"))
    source.close()


def test_lists_that_fill_the_memory_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path, *((f"{number}.jpg", b"") for number in range(30)))
    monkeypatch.setattr(sources, "MOST_FILES", 10)
    with pytest.raises(BadRequest, match="lists 30 files"):
        open_source(path)
    monkeypatch.setattr(sources, "MOST_FILES", 20)
    opened = open_source(path)
    with pytest.raises(BadRequest, match="more than 20 files"):
        opened.files()
    opened.close()


@pytest.mark.parametrize("data", [b"", b"nothing", b"PK\3\4" + bytes(100)])
def test_what_is_no_zip_file_is_refused_in_words(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(BadRequest, match="no ZIP file"):
        open_source(tmp_path / "a.zip")


def test_every_name_that_is_written_is_safe_and_once() -> None:
    for name in (
        "../../etc/passwd",
        "CON.jpg",
        "a\x00b.jpg",
        "<b>.jpg",
        "...",
        "",
        "nul",
        "x" * 500 + ".jpg",
        ".hidden",
    ):
        made = safe_name(name)
        assert made == safe_name(made)
        assert made not in ("", ".", "..")
        assert not set('/\\:<>|?*"\0') & set(made)
        assert len(made.encode()) <= 120
    names = UniqueNames()
    assert [names.take("d/", name) for name in ("a.jpg", "A.jpg", "a.jpg")] == ["d/a.jpg", "d/A-2.jpg", "d/a-3.jpg"]
    assert parts_of("/data/upload/3/12345678-my%20cat.jpg") == ("my cat.jpg",)


def test_an_archive_is_streamed_and_one_cut_short_does_not_look_whole(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        """Takes bytes, and cannot go back."""

        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    (tmp_path / "a.jpg").write_bytes(b"picture" * 1000)
    with ZipStream(pipe) as archive:  # type: ignore[arg-type]
        archive.add("cat/", "a.jpg", tmp_path / "a.jpg")
        archive.add("cat/", "a.jpg", b"another")
    with zipfile.ZipFile(io.BytesIO(pipe.data)) as read:
        assert read.namelist() == ["cat/a.jpg", "cat/a-2.jpg"]
        assert read.testzip() is None
    broken = io.BytesIO()

    def cancelled(size: int) -> None:
        raise RuntimeError("cancelled")

    with pytest.raises(RuntimeError), ZipStream(broken, checked=cancelled) as archive:
        archive.add("", "a.jpg", b"x")
    assert not zipfile.is_zipfile(broken)
