"""Every setting, in one table: the environment, `espalier.yaml`, the command line's help and the README share it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import yaml

from .classification_settings import ClassificationSettings
from .errors import BadSetting

_ORIGIN = re.compile(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d+)?|https?://\[[0-9A-Fa-f:]+\](:\d+)?")


class Secret(str):
    """A string that prints as ***; `reveal()` gives it away."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')" if self.reveal() else "Secret('')"

    def __str__(self) -> str:
        return "***" if self.reveal() else ""

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def reveal(self) -> str:
        return str.__str__(self)


def _setting(default: Any, *names: str, help: str, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"names": names, "help": help, "choices": choices})


@dataclass(frozen=True)
class Settings:
    """What the operator decides. Build it with `Settings.read(os.environ)`; importing this module reads nothing."""

    host: str = _setting("127.0.0.1", "ESPALIER_HOST", help="address to listen on; any but loopback needs basic auth")
    port: int = _setting(9090, "PORT", help="port to listen on")
    data_dir: Path = _setting(
        Path("espalier-data"), "ESPALIER_DATA_DIR", "MODEL_DIR", help="where everything that is kept lies"
    )
    weights_dir: Path | None = _setting(
        None, "ESPALIER_WEIGHTS_DIR", help="directory of pretrained weights, `<timm name>.safetensors`"
    )
    redis_url: Secret = _setting(
        Secret(""), "ESPALIER_REDIS_URL", help="Redis for the queue; empty starts an embedded Valkey"
    )
    database_url: Secret = _setting(
        Secret(""), "ESPALIER_DATABASE_URL", help="SQLAlchemy URL; empty means SQLite in the data directory"
    )
    label_studio_url: str = _setting(
        "", "LABEL_STUDIO_URL", "LABEL_STUDIO_HOST", help="Label Studio as this machine reaches it"
    )
    label_studio_api_key: Secret = _setting(
        Secret(""),
        "LABEL_STUDIO_API_KEY",
        help="personal access token or legacy token; empty: learn from webhooks alone",
    )
    basic_auth_user: str = _setting("", "BASIC_AUTH_USER", help="user that Label Studio must name")
    basic_auth_pass: Secret = _setting(Secret(""), "BASIC_AUTH_PASS", help="password that goes with it")
    webhook_secret: Secret = _setting(
        Secret(""),
        "ESPALIER_WEBHOOK_SECRET",
        help="what webhooks must carry, as header X-Espalier-Secret or ?token=; made up where basic auth is on",
    )
    encoder: str = _setting(
        "auto", "ESPALIER_ENCODER", help="auto, classic, timm, timm:<model>, or another plugin's name"
    )
    preset: str = _setting(
        "balanced", "ESPALIER_PRESET", help="which model auto wants", choices=("fast", "balanced", "accurate")
    )
    device: str = _setting("auto", "ESPALIER_DEVICE", help="auto, cpu, cuda or cuda:n; obeyed or refused")
    precision: str = _setting(
        "auto", "ESPALIER_PRECISION", help="arithmetic of the encoder", choices=("auto", "fp32", "bf16", "int8")
    )
    threads: int = _setting(0, "ESPALIER_THREADS", help="threads for inference; 0 means one per core")
    media_roots: tuple[Path, ...] = _setting(
        (), "ESPALIER_MEDIA_ROOTS", help="directories, separated by `:`, from which task data may name local files"
    )
    local_files_root: Path | None = _setting(
        None,
        "ESPALIER_LOCAL_FILES_ROOT",
        "LOCAL_FILES_DOCUMENT_ROOT",
        help="Label Studio's local-files root where this machine sees it too: files are then read without a download",
    )
    allowed_hosts: tuple[str, ...] = _setting(
        (),
        "ESPALIER_ALLOWED_HOSTS",
        help="further hosts, separated by `,`, whose private addresses may be fetched from",
    )
    cache_gb: float = _setting(20.0, "ESPALIER_CACHE_GB", help="disk for downloaded media, in GB")
    max_file_mb: int = _setting(20_000, "ESPALIER_MAX_FILE_MB", help="largest file that is fetched, in MB")
    max_megapixels: int = _setting(100, "ESPALIER_MAX_MEGAPIXELS", help="largest picture that is decoded")
    predict_deadline_s: float = _setting(
        15.0, "ESPALIER_PREDICT_DEADLINE_S", help="how long /predict waits before it answers with what is ready"
    )
    debounce_s: float = _setting(2.0, "ESPALIER_DEBOUNCE_S", help="quiet time after an annotation before training")
    index: str = _setting("faiss", "ESPALIER_INDEX", help="what frames are searched with: faiss, milvus, or a plugin")
    index_url: Secret = _setting(
        Secret(""), "ESPALIER_INDEX_URL", help="where an index's service answers; empty keeps it in the data directory"
    )
    parents: Literal["run", "people"] = _setting(
        "run", "ESPALIER_PARENTS", help="who may answer a parent: a person, or also the run", choices=("people", "run")
    )
    embed_origins: tuple[str, ...] = _setting(
        (),
        "ESPALIER_EMBED_ORIGINS",
        help="origins, separated by `,`, whose pages may show Espalier's in a frame, such as https://labels.example.org",
    )
    classifications: ClassificationSettings = _setting(
        ClassificationSettings(),
        "ESPALIER_CLASSIFICATIONS",
        help="by classification, or `project id/classification`, what its `model_*` attributes may say; "
        "in the environment as JSON",
    )
    log_level: str = _setting(
        "INFO", "ESPALIER_LOG_LEVEL", help="how much is logged", choices=("DEBUG", "INFO", "WARNING", "ERROR")
    )

    @classmethod
    def read(cls, environ: Mapping[str, str], file: Path | None = None) -> Settings:
        """From the environment, then `espalier.yaml` (the given file, ESPALIER_CONFIG, or ./espalier.yaml)."""
        named = file or (Path(environ["ESPALIER_CONFIG"]) if environ.get("ESPALIER_CONFIG") else None)
        written = _read_yaml(named or Path("espalier.yaml"), required=named is not None)
        unknown = set(written) - {setting.name for setting in fields(cls)}
        if unknown:
            raise BadSetting(f"espalier.yaml names unknown settings {sorted(unknown)}; `espalier settings` lists all")
        values: dict[str, Any] = {}
        for setting in fields(cls):
            for name in setting.metadata["names"]:
                if environ.get(name, "") != "":
                    values[setting.name] = _parse(str(setting.type), name, environ[name], setting.metadata["choices"])
                    break
            else:
                if written.get(setting.name) is not None:
                    values[setting.name] = _parse(
                        str(setting.type),
                        f"{setting.name} in espalier.yaml",
                        written[setting.name],
                        setting.metadata["choices"],
                    )
        return cls(**values)

    def __post_init__(self) -> None:
        if bool(self.basic_auth_user) != bool(self.basic_auth_pass.reveal()):
            raise BadSetting("BASIC_AUTH_USER and BASIC_AUTH_PASS go together: set both, or neither")
        for name, low, high in (
            ("port", 0, 65535),
            ("threads", 0, 1024),
            ("cache_gb", 0, float("inf")),
            ("max_file_mb", 1, float("inf")),
            ("max_megapixels", 1, float("inf")),
            ("predict_deadline_s", 0, 90),
            ("debounce_s", 0, 3600),
        ):
            if not low <= getattr(self, name) <= high:
                raise BadSetting(f"{name}={getattr(self, name)} must be within {low} and {high}")
        for origin in self.embed_origins:
            if not _ORIGIN.fullmatch(origin):
                raise BadSetting(
                    f"ESPALIER_EMBED_ORIGINS names {origin!r}: an origin is a scheme, a host and perhaps a port, as in "
                    "https://labels.example.org"
                )
        if not self.is_loopback and not self.basic_auth_user:
            raise BadSetting(
                f"ESPALIER_HOST={self.host} opens the backend to the network: set BASIC_AUTH_USER and BASIC_AUTH_PASS "
                f"(and enter them in Label Studio under Settings > Model), or listen on 127.0.0.1"
            )

    @property
    def is_loopback(self) -> bool:
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")

    @property
    def database(self) -> str:
        return self.database_url.reveal() or f"sqlite:///{self.data_dir.resolve() / 'espalier.sqlite'}"

    def secret_for_webhooks(self) -> str:
        """The webhook secret: the one set; else, where basic auth is on, one made once and kept on disk."""
        if self.webhook_secret.reveal() or not self.basic_auth_user:
            return self.webhook_secret.reveal()
        path = self.data_dir / "webhook-secret"
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path.read_text().strip()


def _read_yaml(path: Path, *, required: bool) -> dict[str, Any]:
    if not path.exists():
        if required:
            raise BadSetting(f"ESPALIER_CONFIG names {path}, which is not there")
        return {}
    try:
        written = yaml.safe_load(path.read_text()) or {}
    except yaml.YAMLError as error:
        raise BadSetting(f"{path} is not valid YAML: {error}") from error
    if not isinstance(written, dict):
        raise BadSetting(f"{path} must hold `setting: value` lines, got {type(written).__name__}")
    return written


def _parse(kind: str, name: str, value: Any, choices: tuple[str, ...]) -> Any:
    try:
        if kind == "int":
            return int(value)
        if kind == "float":
            return float(value)
        if kind == "Secret":
            return Secret(str(value))
        if kind == "ClassificationSettings":
            return ClassificationSettings.parse(value, name)
        if kind.startswith("Path"):
            return Path(str(value)).expanduser()
        if kind.startswith("tuple"):
            parts = value if isinstance(value, list) else str(value).split(":" if "Path" in kind else ",")
            parts = [str(part).strip() for part in parts if str(part).strip()]
            return tuple(Path(part).expanduser() if "Path" in kind else part for part in parts)
    except (TypeError, ValueError) as error:
        raise BadSetting(f"{name}={value!r} is not a valid {kind}") from error
    text = str(value)
    if choices and text not in choices:
        raise BadSetting(f"{name}={text!r} must be one of {', '.join(choices)}")
    return text
