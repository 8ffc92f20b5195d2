"""What a worker holds while it lives: settings, records, embeddings, the warm encoder and the loaded models."""

from __future__ import annotations

import json
import logging
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path

from espalier_ontology import labeling_config
from espalier_ontology.overrides import with_settings
from espalier_ontology.tree import Ontology

from ..classification_settings import together
from ..contract import Pictures
from ..errors import BadRequest, LabelStudioRefused, NotTrained
from ..labelstudio import pairing
from ..labelstudio.client import LabelStudio
from ..learning.model import Model
from ..media.cache import MediaCache
from ..media.fetch import Fetcher
from ..plugins.checked import CheckedEncoder
from ..plugins.registry import load_classifier, open_encoder, open_own_encoder
from ..settings import Settings
from ..store.embeddings import EmbeddingStore
from ..store.records import Records
from ..store.rows import ModelVersion, Project
from .ensemble_encoder import EnsembleEncoder
from .own_encoder import OwnEncoder
from .queue import Queues

log = logging.getLogger(__name__)

_MODELS_KEPT = 8
_ENCODERS_KEPT = 3
_REFUSED_FOR_S = 300.0


class House:
    """One per process. Everything heavy is opened when it is first needed, and then kept."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._encoders: OrderedDict[tuple[str, str], CheckedEncoder] = OrderedDict()
        self._models: OrderedDict[Path, Model] = OrderedDict()
        self._clients: dict[str, LabelStudio] = {}
        self._refused_at: dict[str, float] = {}

    @cached_property
    def records(self) -> Records:
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        return Records.open(self.settings.database)

    @cached_property
    def queues(self) -> Queues:
        return Queues.open(self.settings)

    @cached_property
    def embeddings(self) -> EmbeddingStore:
        return EmbeddingStore(self.settings.data_dir / "embeddings")

    @cached_property
    def cache(self) -> MediaCache:
        return MediaCache(
            self.settings.data_dir / "media",
            max_bytes=int(self.settings.cache_gb * 1e9),
            max_file_bytes=self.settings.max_file_mb * 1_000_000,
        )

    def encoder(
        self, ontology: Ontology | None = None, *, device: str | None = None, own: OwnEncoder | None = None
    ) -> CheckedEncoder:
        """A version's own, else that which the configuration names (`model_encoder` on any control), else the
        settings'; the last few are kept warm."""
        key = (self.named_encoder(ontology), device or self.settings.device) if own is None else _key(own, device)
        if key not in self._encoders:
            self._encoders[key] = self._open(*key, own=own)
            while len(self._encoders) > _ENCODERS_KEPT:
                self._encoders.popitem(last=False)
        self._encoders.move_to_end(key)
        return self._encoders[key]

    def check_encoder(
        self, ontology: Ontology, frames: Callable[[tuple[int, int]], Pictures], *, own: OwnEncoder | None = None
    ) -> CheckedEncoder:
        """The same, opened anew with some of the project's own frames where its arithmetic is checked on them.

        frames: from the encoder's input size to pictures of it.
        """
        encoder = self.encoder(ontology, own=own)
        if self.settings.precision == "int8":
            key = _key(own, None) if own else (self.named_encoder(ontology), self.settings.device)
            calibration = frames(encoder.spec.input_size)
            self._encoders[key] = encoder = self._open(*key, calibration=calibration, own=own)
        return encoder

    def forget_encoders(self) -> None:
        """Open them anew: a training may have decided on another arithmetic meanwhile."""
        self._encoders.clear()

    def named_encoder(self, ontology: Ontology | None) -> str:
        """How the configuration or the settings name the encoder."""
        named = (classification.settings.get("model_encoder") for classification in ontology or ())
        return next(filter(None, named), self.settings.encoder)

    def _open(
        self, named: str, device: str, calibration: Pictures | None = None, own: OwnEncoder | None = None
    ) -> CheckedEncoder:
        if own is not None and (members := own.members()) is not None:
            opened = [
                self._open(member, device) if isinstance(member, str) else self._open("", device, own=member)
                for member in members
            ]
            return CheckedEncoder(own.plugin, EnsembleEncoder(opened))
        if own is not None:
            return open_own_encoder(
                self.settings, own.plugin, own.directory, device=device or None, calibration=calibration
            )
        return open_encoder(replace(self.settings, encoder=named), device=device, calibration=calibration)

    def project(self, key: str) -> Project:
        project = self.records.project(key)
        if project is None:
            raise BadRequest(f"project {key!r} is not known here: connect it in Label Studio under Settings > Model")
        return project

    def ontology(self, project: Project, data: Iterable[Mapping[str, object]] = ()) -> Ontology:
        """The project's ontology; options listed in task data (`value="$field"`) are taken from `data`.

        With what is chosen for its classifications in `espalier.yaml` and by people. Raises BadRequest where the
        labeling configuration is none.
        """
        chosen = together(self.settings.classifications.of(project.id), project.classifications)
        try:
            ontology = _parse(project.label_config, json.dumps(chosen))
        except ValueError as error:
            raise BadRequest(f"project {project.id}: {error}") from error
        if any(classification.dynamic_field for classification in ontology):
            ontology = labeling_config.with_choices(ontology, data)
        return ontology

    def version_directory(self, project: Project, name: str) -> Path:
        return self.settings.data_dir / "versions" / project.key / name

    def model(self, directory: Path) -> Model:
        """The model of a version's directory, loaded once; the last few are kept."""
        if directory not in self._models:
            self._models[directory] = Model.load(directory, load_classifier=load_classifier)
            while len(self._models) > _MODELS_KEPT:
                self._models.popitem(last=False)
        self._models.move_to_end(directory)
        return self._models[directory]

    def version(self, project: Project, name: str | None = None) -> ModelVersion:
        """A model version by name, or the one that serves."""
        name = name or project.served
        found = self.records.version(project.key, name) if name else None
        if found is None:
            known = ", ".join(version.name for version in self.records.versions(project.key)) or "none yet"
            raise NotTrained(
                f"project {project.id} has no model version {name or 'that serves'}; known: {known}. "
                f"Label a few frames with at least two different options, or run `espalier train {project.id}`"
            )
        return found

    def label_studio(self, project: Project) -> LabelStudio | None:
        """A client for the project's Label Studio, or None where no token was given that works.

        The operator's token goes only to the operator's address: what a request calls itself is not to be trusted.
        Raises LabelStudioDown where nobody answers.
        """
        url, token = self.way_to_label_studio(project)
        if not url or not token:
            return None
        name = f"{url} {hash(token)}"
        if name not in self._clients:
            # The token that comes with /setup is refused by most installations; asking again with every job is no use.
            if time.monotonic() - self._refused_at.get(name, float("-inf")) < _REFUSED_FOR_S:
                return None
            client = LabelStudio(url, token)
            try:
                client.whoami()
            except LabelStudioRefused as error:
                log.warning("Label Studio at %s cannot be used beyond its webhooks: %s", url, error)
                self._refused_at[name] = time.monotonic()
                return None
            self._clients[name] = client
        return self._clients[name]

    def way_to_label_studio(self, project: Project) -> tuple[str, str]:
        """The address, and a token for it, "" where there is none: the operator's, else that of the pairing, else
        what came with the project."""
        settings = self.settings
        if settings.label_studio_url and settings.label_studio_api_key:
            return settings.label_studio_url, settings.label_studio_api_key.reveal()
        paired = pairing.read(settings.data_dir)
        if paired is not None and paired.token:
            return settings.label_studio_url or paired.url, paired.token
        return settings.label_studio_url or project.hostname, project.access_token

    def client(self, project: Project) -> LabelStudio:
        """As `label_studio`, where there must be one."""
        found = self.label_studio(project)
        if found is None:
            raise BadRequest(
                "this needs a Label Studio token that works: create a Personal Access Token under Account & Settings "
                "and set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY (learning from webhooks, and dry runs, work without)"
            )
        return found

    def fetcher(self, project: Project) -> Fetcher:
        client = self.label_studio(project)

        def authorize(url: str) -> Mapping[str, str]:
            return client.authorization() if client else {}

        return Fetcher(
            self.cache,
            settings=self.settings,
            label_studio_url=self.way_to_label_studio(project)[0],
            authorize=authorize,
        )


def _key(own: OwnEncoder, device: str | None) -> tuple[str, str]:
    return str(own.directory), device or ""


@lru_cache(maxsize=16)
def _parse(label_config: str, chosen: str) -> Ontology:
    return with_settings(labeling_config.parse(label_config), json.loads(chosen))


_houses: dict[str, House] = {}


def current(settings: Settings | None = None) -> House:
    """The house of this process; opened from the environment the first time."""
    if "house" not in _houses or settings is not None:
        _houses["house"] = House(settings or Settings.read(os.environ))
    return _houses["house"]
