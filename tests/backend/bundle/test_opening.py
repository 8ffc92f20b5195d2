"""What is not a bundle, not whole, or made to do harm is refused in words, before any of it is used."""

from __future__ import annotations

import json
import shutil
import stat
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from espalier.bundle.archive import pack
from espalier.bundle.manifest import NAME, Manifest, entry_of
from espalier.bundle.opening import opened
from espalier.errors import BadModel


def refused(path: Path) -> str:
    with pytest.raises(BadModel) as caught, opened(path):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_whole_one_opens_as_a_directory_and_as_a_zip(digits_bundle: Path, digits_zip: Path) -> None:
    with opened(digits_bundle) as directory, opened(digits_zip) as archive:
        assert directory.manifest.version == archive.manifest.version == "espalier-v1"
        files = {path.relative_to(archive.directory) for path in archive.directory.rglob("*") if path.is_file()}
        assert files == {path.relative_to(digits_bundle) for path in digits_bundle.rglob("*") if path.is_file()}
        unpacked = archive.directory
    assert not unpacked.exists(), "what was unpacked goes when it is closed"


def test_it_names_what_people_expect(digits_bundle: Path) -> None:
    names = {path.name for path in digits_bundle.iterdir()}
    assert names >= {
        "manifest.json", "labels.json", "ontology.json", "thresholds.json", "preprocess.json", "calibration.json",
        "metrics.json", "label_config.xml", "README.txt", "model",
    }  # fmt: skip


def test_nothing_of_the_training_media_is_in_it(digits_bundle: Path) -> None:
    assert json.loads((digits_bundle / "model" / "media.json").read_text()) == []
    assert not list((digits_bundle / "model").rglob("evidence*"))


def test_one_changed_byte_in_any_file_is_refused(own_copy: Path) -> None:
    for path in sorted(path for path in own_copy.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            message = refused(own_copy)
            assert path.relative_to(own_copy).as_posix() in message or path.name == NAME
        path.write_bytes(whole)
    with opened(own_copy):
        pass


def test_a_missing_an_additional_and_a_linked_file_are_refused(own_copy: Path, tmp_path: Path) -> None:
    (own_copy / "more.txt").write_text("more")
    assert "more.txt is not its own" in refused(own_copy)
    (own_copy / "more.txt").unlink()
    shutil.move(own_copy / "labels.json", tmp_path / "labels.json")
    assert "labels.json is missing" in refused(own_copy)
    (own_copy / "labels.json").symlink_to(tmp_path / "labels.json")
    assert "labels.json is a link" in refused(own_copy)


def about(path: Path, **changes: object) -> None:
    written = json.loads((path / NAME).read_text())
    (path / NAME).write_text(json.dumps({**written, **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "format '99', and this Espalier reads 1"),
        ({"kind": "other"}, "no Espalier bundle: its manifest.json is of 'other'"),
        ({"version": "espalier-v9"}, "manifest.json was changed after it was written"),
    ],
    ids=["another format", "another kind", "another version"],
)
def test_a_manifest_of_another_kind_is_refused(own_copy: Path, changes: dict[str, object], message: str) -> None:
    about(own_copy, **changes)
    assert message in refused(own_copy)


@pytest.mark.parametrize("written", [b"", b"{", b"[1]", b'{"digest": 1}', b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_manifest_is_refused(own_copy: Path, written: bytes) -> None:
    (own_copy / NAME).write_bytes(written)
    assert "no Espalier bundle" in refused(own_copy)


def test_a_manifest_that_names_files_outside_is_refused(own_copy: Path) -> None:
    manifest = Manifest.from_bytes((own_copy / NAME).read_bytes(), "here")
    for name in ("../secret", "/etc/passwd", "a\\b", "C:x", "a/../../b", ""):
        outside = Manifest(**{**vars(manifest), "files": {name: entry_of(own_copy / "labels.json")}})
        (own_copy / NAME).write_bytes(outside.to_bytes())
        assert "outside of the bundle" in refused(own_copy)


def test_what_is_not_there_and_what_is_foreign_is_refused(tmp_path: Path) -> None:
    assert "there is no bundle at" in refused(tmp_path / "nothing")
    assert "manifest.json cannot be read" in refused(tmp_path)
    foreign = tmp_path / "foreign.zip"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("holiday.jpg", b"sun")
    assert "holds no manifest.json" in refused(foreign)
    (tmp_path / "text.zip").write_text("this is no archive")
    assert "is not a ZIP file that can be read whole" in refused(tmp_path / "text.zip")


def test_a_zip_that_is_cut_short_or_changed_is_refused(digits_zip: Path, tmp_path: Path) -> None:
    with opened(digits_zip) as bundle:
        own = bundle.manifest
    whole, harmed = digits_zip.read_bytes(), tmp_path / "harmed.zip"
    for length in (0, 10, len(whole) // 2, len(whole) - 30):
        harmed.write_bytes(whole[:length])
        assert "ZIP" in refused(harmed)
    for place in range(200, len(whole) - 200, max(1, len(whole) // 40)):
        harmed.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with suppress(BadModel), opened(harmed) as bundle:  # some bytes say nothing, as the hour of writing
            assert bundle.manifest == own


Change = Callable[[zipfile.ZipFile], None]


def _slip(archive: zipfile.ZipFile) -> None:
    archive.writestr("espalier-bundle/../../slipped.txt", b"out")


def _absolute(archive: zipfile.ZipFile) -> None:
    archive.writestr("/slipped.txt", b"out")


def _link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("espalier-bundle/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, b"/etc/passwd")


def _more(archive: zipfile.ZipFile) -> None:
    archive.writestr("espalier-bundle/more.txt", b"more")


def _beside(archive: zipfile.ZipFile) -> None:
    archive.writestr("more.txt", b"more")


def _many(archive: zipfile.ZipFile) -> None:
    for number in range(10_001):
        archive.writestr(f"espalier-bundle/{number}", b"")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_slip, "outside of the bundle"),
        (_absolute, "outside of the bundle"),
        (_link, "is a link or device"),
        (_more, "more.txt is not its own"),
        (_beside, "more.txt is not its own"),
        (_many, "holds 100"),
    ],
    ids=["zip-slip", "absolute", "link", "a file more", "a file beside", "ten thousand files"],
)
def test_a_zip_that_was_made_to_do_harm_is_refused(
    digits_zip: Path, tmp_path: Path, change: Change, message: str
) -> None:
    harmed = tmp_path / "harmed.zip"
    shutil.copy(digits_zip, harmed)
    with zipfile.ZipFile(harmed, "a") as archive:
        change(archive)
    assert message in refused(harmed)
    assert {path.name for path in tmp_path.iterdir()} == {"harmed.zip"}


def test_a_bomb_does_not_go_off(own_copy: Path, tmp_path: Path) -> None:
    """A few KB that unpack to 300 MB, where the manifest says 10 bytes: no more than that is written."""
    (own_copy / "labels.json").write_bytes(b"0" * 10)
    manifest = Manifest.from_bytes((own_copy / NAME).read_bytes(), "here")
    files = {**manifest.files, "labels.json": entry_of(own_copy / "labels.json")}
    (own_copy / NAME).write_bytes(Manifest(**{**vars(manifest), "files": files}).to_bytes())
    (own_copy / "labels.json").write_bytes(b"0" * 300_000_000)
    bomb = tmp_path / "bomb.zip"
    pack(own_copy, bomb)
    assert bomb.stat().st_size < 1_000_000
    assert "labels.json was changed" in refused(bomb)


def test_a_bundle_that_says_it_is_enormous_is_refused(own_copy: Path, tmp_path: Path) -> None:
    manifest = Manifest.from_bytes((own_copy / NAME).read_bytes(), "here")
    entry = manifest.files["labels.json"]
    files = {**manifest.files, "labels.json": type(entry)(entry.sha256, 10**15)}
    (own_copy / NAME).write_bytes(Manifest(**{**vars(manifest), "files": files}).to_bytes())
    pack(own_copy, tmp_path / "huge.zip")
    assert "would take 1000000 GB" in refused(tmp_path / "huge.zip")


def test_equal_bundles_give_equal_archives(digits_bundle: Path, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        pack(digits_bundle, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
