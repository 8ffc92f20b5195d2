"""What can be asked of one project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .answers import Hit, Json, Run, Version, made
from .connection import Connection

Label = str | Sequence[str]
"""`Weather: Rain`, or a classification and the path of an option."""


class OfProject:
    """Made by `Espalier.project`. What is answered as Json is what the command of that name prints with --json."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._path = f"/projects/{quote(name, safe='')}"

    def about(self) -> Json:
        """Answers per class, and what is missing."""
        return self._get("")

    def ontology(self) -> Json:
        return self._get("/ontology")

    def labels(self) -> Json:
        """What there is to learn from."""
        return self._get("/labels")

    def versions(self) -> list[Version]:
        """The newest first."""
        return [made(Version, row) for row in self._connection.pages(f"{self._path}/versions")]

    def promote(self, version: str, *, reason: str = "") -> str:
        return str(self._post(f"/versions/{quote(version)}/promote", {"reason": reason})["version"])

    def roll_back(self, *, reason: str = "") -> str:
        """The version that serves now."""
        return str(self._post("/rollback", {"reason": reason})["version"])

    def evaluation(self, version: str) -> Json:
        return self._get(f"/versions/{quote(version)}/evaluation")

    def coverage(self, version: str, precisions: Iterable[float] = ()) -> Json:
        return self._get(f"/versions/{quote(version)}/coverage", precision=",".join(map(str, precisions)))

    def cutoffs(self) -> Json:
        return self._get("/cutoffs")

    def choose_cutoffs(self, policy: Mapping[str, Any]) -> Json:
        """policy: such as {"default": {"strategy": "precision", "value": 0.98}}."""
        found: Json = self._connection.ask("PUT", f"{self._path}/cutoffs", body={"policy": policy})
        return found

    def train(self, parameters: Mapping[str, Any] | None = None, *, reconcile: bool = False) -> str:
        """The training's job, which `Espalier.wait` waits for. parameters: None goes by those that are kept."""
        return str(self._post("/trainings", {"parameters": parameters, "reconcile": reconcile})["job"])

    def preview(self, **parameters: Any) -> Json:
        """What a run would write, counted. parameters: those of `espalier run`, such as confidence=0.9."""
        found: Json = self._post("/runs/preview", parameters)["counts"]
        return found

    def run(self, **parameters: Any) -> Run:
        """Starts automated labeling; `Espalier.wait_for_run` waits for its end."""
        return self._connection.run(self._post("/runs", parameters)["run"])

    def runs(self) -> list[Run]:
        """The newest first."""
        return [made(Run, row) for row in self._connection.pages(f"{self._path}/runs")]

    def search(
        self, query: Mapping[str, Any], *, k: int = 20, conditions: Mapping[str, Any] | None = None, scenes: bool = True
    ) -> list[Hit]:
        """query: such as {"task": 12, "frame": 34}, {"text": "rain"}, {"picture": ...} or {"positives": [...]}."""
        asked = {"query": query, "k": k, "scenes": scenes, **({"conditions": conditions} if conditions else {})}
        return [made(Hit, hit) for hit in self._post("/search", asked)["hits"]]

    def find(self, kind: str, **request: Any) -> Json:
        """kind: pairs, duplicates, clusters, map, outliers, discover or anomalies."""
        return self._post(f"/{quote(kind, safe='')}", request)

    def upload(self, picture: Path | str) -> str:
        """The name by which a query knows the picture, for an hour."""
        data = Path(picture).read_bytes()
        told = self._connection.ask("POST", f"{self._path}/uploads", data=data, kind="application/octet-stream")
        return str(told["picture"])

    def preview_label(self, label: Label, hits: Iterable[Hit | int], **more: Any) -> Json:
        """What `label` would give, counted."""
        found: Json = self._post("/bulk-labels/preview", _bulk(label, hits, more))["counts"]
        return found

    def label(self, label: Label, hits: Iterable[Hit | int], **more: Any) -> Run:
        """Gives a label to hits of a search, or to frames by their ids: a run. more: such as as_="annotations"."""
        return self._connection.run(self._post("/bulk-labels", _bulk(label, hits, more))["run"])

    def thumbnail(self, frame: int, *, size: int = 160) -> bytes:
        """A JPEG of a frame, by its id (`Hit.id`)."""
        found: bytes = self._connection.ask("GET", f"{self._path}/thumbnails/{frame}", query={"size": size})
        return found

    def _get(self, path: str, **query: Any) -> Json:
        found: Json = self._connection.ask("GET", self._path + path, query=query)
        return found

    def _post(self, path: str, body: Mapping[str, Any]) -> Json:
        found: Json = self._connection.ask("POST", self._path + path, body=body)
        return found


def _bulk(label: Label, hits: Iterable[Hit | int], more: Mapping[str, Any]) -> Json:
    ids = [hit.id if isinstance(hit, Hit) else hit for hit in hits]
    renamed = {name.rstrip("_"): value for name, value in more.items()}
    return {"label": label if isinstance(label, str) else list(label), "ids": ids, **renamed}
