"""`EspalierModel`: for those who serve with `label-studio-ml start` or `init_app`, where Espalier is one class of many.

It answers from a bundle (`espalier bundle`), so it works alone; and hands what people annotate to a running Espalier,
which learns from it. Both generations of the SDK; `from espalier_label_studio_ml.model import EspalierModel` needs it.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import requests
from label_studio_ml.model import LabelStudioMLBase  # type: ignore[import-not-found]

from espalier.bundle.asked import Asked
from espalier.bundle.given_file import GivenFile
from espalier.bundle.opening import opened
from espalier.bundle.predictor import Predictor
from espalier.errors import BadSetting, EspalierError
from espalier.settings import Settings
from espalier_ontology import labeling_config
from espalier_ontology.tree import MediaTag

from .task_files import TaskFiles

log = logging.getLogger(__name__)

_TIMEOUT_S = 10.0
_open = ExitStack()
atexit.register(_open.close)


class EspalierModel(LabelStudioMLBase):  # type: ignore[misc]
    """bundle: a directory or ZIP, else ESPALIER_BUNDLE. espalier_url: where events go, else ESPALIER_URL, else nowhere.

    Of the first generation of the SDK, `label-studio-ml start --with bundle=...` gives them, too. What is known of
    Label Studio and of files is Espalier's own settings: LABEL_STUDIO_URL, LABEL_STUDIO_API_KEY, ESPALIER_MEDIA_ROOTS.
    """

    def __init__(self, *args: Any, bundle: str = "", espalier_url: str = "", **kwargs: Any) -> None:
        self.settings = Settings.read(os.environ)
        self.espalier_url = (espalier_url or os.environ.get("ESPALIER_URL", "")).rstrip("/")
        named = bundle or os.environ.get("ESPALIER_BUNDLE", "")
        if not named:
            raise BadSetting("ESPALIER_BUNDLE is to name a bundle; `espalier bundle PROJECT --to DIRECTORY` writes one")
        self.predictor = _predictor(Path(named).expanduser().resolve())
        self.files = TaskFiles(self.settings, kwargs.get("hostname") or "", kwargs.get("access_token") or "")
        super().__init__(*args, **kwargs)
        self._compare(kwargs.get("label_config") or (args[0] if args else ""))

    @property
    def version(self) -> str:
        """Of the model in the bundle, as Espalier calls it."""
        return self.predictor.bundle.manifest.version

    def setup(self) -> None:
        """The second generation asks for it."""
        self.set("model_version", self.version)

    def predict(
        self, tasks: Sequence[Mapping[str, Any]], context: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[dict[str, Any]]:
        """A prediction for each task, in order; an empty one where its media cannot be had, and the log says why."""
        ontology = self.predictor.ontology
        used = {classification.media for classification in ontology}
        found: list[dict[str, Any]] = [
            {"result": [], "score": 0.0, "model_version": self.version, "scores": []} for _ in tasks
        ]
        for tag in (tag for tag in ontology.media if tag.name in used):
            given = {at: file for at, task in enumerate(tasks) if (file := self._file(task, tag)) is not None}
            replies = self.predictor.predict(given.values(), Asked(regions=True, media=tag.name))
            for at, reply in zip(given, replies, strict=True):
                if "error" in reply:
                    log.warning("%s", reply["error"])
                    continue
                found[at]["result"] += reply["regions"]
                found[at]["scores"].append(reply["score"])
        for one in found:
            scores = one.pop("scores")
            one["score"] = sum(scores) / len(scores) if scores else 0.0
        return found

    def fit(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Hand an event of Label Studio on to Espalier, which trains by itself; what it said of it.

        The first generation calls it with tasks and keywords `event` and `data`, the second with the two as they are.
        """
        event = kwargs.get("event") or next((one for one in args if isinstance(one, str)), "")
        data = kwargs.get("data") or next((one for one in args if isinstance(one, dict)), {})
        if not self.espalier_url or not event:
            return {"handed_on": False, "reason": "ESPALIER_URL names no Espalier that learns"}
        secret = self.settings.webhook_secret.reveal()
        try:
            answer = requests.post(
                f"{self.espalier_url}/webhook",
                data=json.dumps({"action": event, **data}),
                headers={"Content-Type": "application/json", **({"X-Espalier-Secret": secret} if secret else {})},
                timeout=_TIMEOUT_S,
            )
        except requests.RequestException as error:
            log.warning("Espalier at %s does not answer, so %s is lost to it: %s", self.espalier_url, event, error)
            return {"handed_on": False, "reason": f"{self.espalier_url} does not answer"}
        if not answer.ok:
            log.warning("Espalier at %s refuses %s: %s", self.espalier_url, event, answer.text[:300])
        return {"handed_on": answer.ok, "status": answer.status_code}

    def _file(self, task: Mapping[str, Any], tag: MediaTag) -> GivenFile | None:
        try:
            return GivenFile(f"task {task.get('id')}", self.files.fetch(task, tag))
        except EspalierError as error:
            log.warning("task %s cannot be predicted: %s", task.get("id"), error)
            return None

    def _compare(self, label_config: str) -> None:
        """Label Studio drops what its labeling configuration does not know, without a word."""
        try:
            asked = {one.name for one in labeling_config.parse(label_config)} if label_config else set()
        except ValueError:
            return
        unknown = [one.name for one in self.predictor.ontology if asked and one.name not in asked]
        if unknown:
            log.warning(
                "the bundle answers %s, which the labeling configuration does not ask: is it another project's?",
                ", ".join(unknown),
            )


@cache
def _predictor(path: Path) -> Predictor:
    """One per bundle and process: the SDK makes an object of the class for every request, or nearly so."""
    return Predictor(_open.enter_context(opened(path)))
