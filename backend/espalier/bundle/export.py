"""Answers to a directory of files, written as JSON, as CSV, or as folders per label."""

from __future__ import annotations

import csv
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from espalier_ontology.tree import Ontology

from ..errors import BadRequest
from .given_file import GivenFile

FORMATS = ("json", "csv", "folders")
UNANSWERED = "unanswered"
_SEPARATOR = " / "
Reply = Mapping[str, Any]


def files_below(directory: Path, *, sequences: bool) -> list[GivenFile]:
    """Every file, by its path below the directory, in order; hidden ones are left out.

    sequences: the files of each folder below the directory belong together. Raises BadRequest where there are none.
    """
    found = sorted(
        path
        for path in directory.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(directory).parts)
    )
    if not found:
        raise BadRequest(f"{directory} holds no files")
    if not sequences:
        return [GivenFile(path.relative_to(directory).as_posix(), (path,)) for path in found]
    together: dict[Path, list[Path]] = {}
    for path in found:
        together.setdefault(path if path.parent == directory else path.parent, []).append(path)
    return [GivenFile(key.relative_to(directory).as_posix(), tuple(paths)) for key, paths in together.items()]


def write_json(replies: Iterable[Reply], to: Path, about: Mapping[str, Any]) -> list[Reply]:
    """One object with `files`, as the server answers. Returns what could not be answered."""
    kept = list(replies)
    _write_text(to, json.dumps({**about, "files": kept}, indent=1, ensure_ascii=False))
    return _failed(kept)


def write_csv(replies: Iterable[Reply], to: Path, ontology: Ontology) -> list[Reply]:
    """For pictures a row each, with a column (and its confidence) per classification; several options are joined by |.

    Where a video or sequence is among them, a row per answer and range of frames, counted from 1. What could not be
    read has no row: an empty one means that nothing was sure enough.
    """
    every = list(replies)
    kept = [one for one in every if "error" not in one]
    to.parent.mkdir(parents=True, exist_ok=True)
    beside = to.with_name(f".{to.name}.new")
    with beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if all(one["kind"] == "image" for one in kept):
            writer.writerows(_wide(kept, [one.name for one in ontology]))
        else:
            writer.writerows(_long(kept))
    beside.replace(to)
    return _failed(every)


def write_folders(
    replies: Iterable[Reply], to: Path, directory: Path, ontology: Ontology, by: str | None = None
) -> list[Reply]:
    """Copies of the files in a folder per answered option (and in `unanswered`), or a ZIP of such folders.

    by: the classification whose options these are; by default the first. A file with several answers is in several.
    """
    names = [one.name for one in ontology]
    by = by or names[0]
    if by not in names:
        raise BadRequest(f"there is no classification {by!r} to make folders by; there are {', '.join(names)}")
    kept: list[Reply] = []
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".espalier-folders-") as scratch:
        draft = Path(scratch) / "folders"
        draft.mkdir()
        archive = zipfile.ZipFile(draft / "folders.zip", "w") if to.suffix == ".zip" else None
        for one in replies:
            kept.append(one)
            if "error" in one:
                continue
            paths = {tuple(found["option"]) for found in one["answers"] if found["classification"] == by}
            for folder in sorted("/".join(map(_folder, path)) for path in paths) or [UNANSWERED]:
                _copy(directory / one["name"], f"{folder}/{one['name']}", draft, archive)
        if archive is not None:
            archive.close()
            (draft / "folders.zip").rename(to)
        else:
            draft.rename(to)
    return _failed(kept)


def _copy(source: Path, name: str, draft: Path, archive: zipfile.ZipFile | None) -> None:
    files = [source] if source.is_file() else sorted(path for path in source.iterdir() if path.is_file())
    for file in files:
        inside = name if source.is_file() else f"{name}/{file.name}"
        if archive is not None:
            archive.write(file, inside)
        else:
            (draft / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, draft / inside)


def _folder(name: str) -> str:
    """An option's name as one that every file system takes."""
    safe = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", name).strip(" .")
    return safe[:120] or "_"


def _wide(replies: Sequence[Reply], names: Sequence[str]) -> Iterator[list[str]]:
    single = len(names) == 1
    yield ["filename"] + [part for name in names for part in ("label" if single else name, _sure(name, single))]
    for one in replies:
        row = [str(one["name"])]
        for name in names:
            found = [answer for answer in one.get("answers", ()) if answer["classification"] == name]
            row.append("|".join(_SEPARATOR.join(answer["option"]) for answer in found))
            row.append("|".join(f"{answer['confidence']:.4f}" for answer in found))
        yield row


def _sure(name: str, single: bool) -> str:
    return "confidence" if single else f"{name} confidence"


def _long(replies: Sequence[Reply]) -> Iterator[list[str]]:
    yield ["filename", "first", "last", "classification", "label", "confidence"]
    for one in replies:
        for answer in one.get("answers", ()):
            for first, last in answer.get("frames", [[1, 1]]):
                yield [
                    str(one["name"]),
                    str(first),
                    str(last),
                    answer["classification"],
                    _SEPARATOR.join(answer["option"]),
                    f"{answer['confidence']:.4f}",
                ]


def _failed(replies: Sequence[Reply]) -> list[Reply]:
    return [one for one in replies if "error" in one]


def _write_text(to: Path, text: str) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    beside = to.with_name(f".{to.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(to)
