"""Archiving: the files of old model versions make room; what was known of them stays.

A project that is labeled all day trains hundreds of versions. Kept are the newest, those that served lately, and those
that a run goes by; of the others the files and the predictions go, and the record stays with its metrics and verdict.
"""

from __future__ import annotations

import logging
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from ..errors import BadRequest
from ..store.rows import ModelVersion
from .automated import model_version_of
from .house import House
from .own_encoder import OwnEncoder

log = logging.getLogger(__name__)

KEPT = 20
"""The newest versions, and as many of those that served last."""


def archive(house: House, project_key: str, *, keep: int = KEPT) -> list[ModelVersion]:
    """Removes the files and predictions of all but what is kept. Returns the versions whose files went.

    Also what is left of a killed process's half-written files, beside those of whole versions.
    """
    if keep < 1:
        raise BadRequest(f"keep at least 1 version, got {keep}")
    project = house.project(project_key)
    versions = house.records.versions(project_key)
    trained = [version for version in versions if version.state != "training"]
    if trained:
        _sweep(house.version_directory(project, trained[0].name))
    kept = _kept(house, project_key, [version.name for version in versions], keep)
    networks = [own.homes() for version in versions if version.name in kept and (own := OwnEncoder.of(version))]
    kept = kept.union(*networks)
    gone = []
    for version in versions:
        if not version.directory:
            if version.state == "failed" and version.name not in kept:  # what it could have been taken up with
                _remove(house.version_directory(project, version.name))
            continue
        directory = house.version_directory(project, version.name)
        if version.name in kept or version.state == "training":
            continue
        _remove(directory)
        message = f"{version.message}; its files were removed, since {keep} newer versions are there"
        state = "archived" if version.state == "candidate" else version.state
        gone.append(
            house.records.set_version(
                project_key, version.name, directory="", size_bytes=0, state=state, message=message
            )
        )
        house.records.drop_predictions(project_key, version.name)
    if gone:
        log.info("project %s: the files of %s were removed", project.id, ", ".join(version.name for version in gone))
    return gone


def _kept(house: House, project_key: str, newest_first: list[str], keep: int) -> set[str]:
    project = house.project(project_key)
    promoted = list(dict.fromkeys(promotion.version for promotion in house.records.promotions(project_key)))
    runs = house.records.runs(project_key)
    in_use = {
        model_version_of(run) for run in runs if run.state in ("queued", "running") or run.version == project.published
    }
    return {*newest_first[:keep], *promoted[:keep], *in_use, *([project.served] if project.served else [])}


def _remove(directory: Path) -> None:
    """Its name first: a process that dies here leaves nothing that looks whole."""
    rubbish = directory.with_name(f".{directory.name}.{secrets.token_hex(6)}.old")
    with suppress(FileNotFoundError):
        directory.rename(rubbish)
        shutil.rmtree(rubbish)


def _sweep(directory: Path) -> None:
    """The newest version has its name from a process that died before, if one did; a draft in it is a dead one's."""
    for draft in directory.glob(".*"):
        shutil.rmtree(draft, ignore_errors=True)
