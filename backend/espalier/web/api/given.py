"""What endpoints work with, and how they find the project that a request names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from espalier_ontology import labeling_config
from espalier_ontology.tree import Ontology

from ...jobs.errands.table import ERRANDS
from ...jobs.queue import Queues
from ...settings import Settings
from ...store.records import Records
from ...store.rows import ModelVersion, Project
from .. import tickets
from .problem import Refused

_parse = lru_cache(maxsize=32)(labeling_config.parse)


@dataclass(frozen=True)
class Given:
    settings: Settings
    records: Records
    queues: Queues

    def projects(self) -> list[Project]:
        """Those that who asks may see, by id."""
        return tickets.visible(self.records.projects())

    def project(self, name: str) -> Project:
        """By its Label Studio id, or by its key. Raises Refused where there is none, or where the id is not enough."""
        known = self.projects()
        matching = [project for project in known if name in (str(project.id), project.key)]
        if not matching:
            names = ", ".join(f"{project.id} ({project.title})" for project in known[:20]) or "none yet"
            raise Refused(
                404,
                f"project {name[:80]!r} is not connected; connected: {names}. Connect it in Label Studio under "
                f"Settings > Model",
            )
        if len(matching) > 1:
            keys = ", ".join(project.key for project in matching)
            raise Refused(409, f"several projects have the id {name}: name one by its key, which is one of {keys}")
        return matching[0]

    def ontology(self, project: Project) -> Ontology:
        """Options that tasks list themselves (`value="$field"`) are not among it. Raises Refused."""
        try:
            return _parse(project.label_config)
        except ValueError as error:
            raise Refused(409, f"project {project.id}: {error}") from error

    def version(self, project: Project, name: str) -> ModelVersion:
        versions = self.records.versions(project.key)
        found = next((version for version in versions if version.name == name), None)
        if found is None:
            known = ", ".join(version.name for version in versions[:20]) or "none yet"
            raise Refused(404, f"project {project.id} has no model version {name[:80]!r}; it has {known}")
        return found

    def errand(self, project: Project, name: str, request: Mapping[str, Any]) -> str:
        """The job of an errand. One that only looks something up is done once for a state of the project: who asks
        again gets the same job, and with it the answer."""
        errand = ERRANDS[name]
        id = self._id_of(project, name, request) if errand.reads else None
        return self.queues.request_errand(project.key, name, request, line=errand.line, id=id)

    def _id_of(self, project: Project, name: str, request: Mapping[str, Any]) -> str:
        versions = [(one.name, one.state, one.message, one.cutoffs) for one in self.records.versions(project.key)]
        state = [self.records.position(project.key), repr(project), versions, name, request]
        return f"errand-{hashlib.sha256(orjson.dumps(state, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]}"
