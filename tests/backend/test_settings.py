"""Settings: who wins, what is refused and in which words, and what is never printed."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from espalier.errors import BadSetting
from espalier.settings import Secret, Settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no ./espalier.yaml."""
    monkeypatch.chdir(tmp_path)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "written.yaml"
    path.write_text(text)
    return path


def test_nothing_set_means_a_safe_local_server() -> None:
    settings = Settings.read({})
    assert (settings.host, settings.port, settings.redis_url) == ("127.0.0.1", 9090, "")
    assert settings.database == f"sqlite:///{Path.cwd() / 'espalier-data' / 'espalier.sqlite'}"


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = written(tmp_path, "port: 9191\npreset: fast\n")
    settings = Settings.read({"PORT": "9292"}, file)
    assert (settings.port, settings.preset, settings.device) == (9292, "fast", "auto")


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    assert Settings.read({"PORT": ""}, written(tmp_path, "port: 9191\n")).port == 9191


def test_the_file_is_named_or_lies_here(tmp_path: Path) -> None:
    file = written(tmp_path, "port: 9191\n")
    assert Settings.read({"ESPALIER_CONFIG": str(file)}).port == 9191
    (tmp_path / "espalier.yaml").write_text("port: 9393\n")
    assert Settings.read({}).port == 9393
    assert Settings.read({}, file).port == 9191
    (tmp_path / "espalier.yaml").write_text("")
    assert Settings.read({}).port == 9090


@pytest.mark.parametrize(
    ("environ", "setting", "value"),
    [
        ({"MODEL_DIR": "/a"}, "data_dir", Path("/a")),
        ({"MODEL_DIR": "/a", "ESPALIER_DATA_DIR": "/b"}, "data_dir", Path("/b")),
        ({"LABEL_STUDIO_HOST": "http://a"}, "label_studio_url", "http://a"),
        ({"LABEL_STUDIO_HOST": "http://a", "LABEL_STUDIO_URL": "http://b"}, "label_studio_url", "http://b"),
        ({"LOCAL_FILES_DOCUMENT_ROOT": "~/a"}, "local_files_root", Path.home() / "a"),
        ({"ESPALIER_MEDIA_ROOTS": "/a: /b :"}, "media_roots", (Path("/a"), Path("/b"))),
        ({"ESPALIER_ALLOWED_HOSTS": "a.local, b.local"}, "allowed_hosts", ("a.local", "b.local")),
        ({"ESPALIER_DEBOUNCE_S": "0.5"}, "debounce_s", 0.5),
    ],
)
def test_names_and_kinds(environ: dict[str, str], setting: str, value: object) -> None:
    assert getattr(Settings.read(environ), setting) == value


def test_lists_may_be_lists_in_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "media_roots: [/a, /b]\nallowed_hosts: [a.local]\n")
    settings = Settings.read({}, file)
    assert settings.media_roots == (Path("/a"), Path("/b"))
    assert settings.allowed_hosts == ("a.local",)


@pytest.mark.parametrize(
    ("environ", "text", "words"),
    [
        ({"PORT": "many"}, "", "PORT='many' is not a valid int"),
        ({"ESPALIER_DEBOUNCE_S": "soon"}, "", "ESPALIER_DEBOUNCE_S='soon' is not a valid float"),
        ({"ESPALIER_PRESET": "best"}, "", "ESPALIER_PRESET='best' must be one of fast, balanced, accurate"),
        ({"ESPALIER_LOG_LEVEL": "info"}, "", "ESPALIER_LOG_LEVEL='info' must be one of"),
        ({}, "port: many\n", "port in espalier.yaml='many' is not a valid int"),
        ({}, "prot: 9191\n", r"unknown settings \['prot'\]; `espalier settings` lists all"),
        ({}, "- 9191\n", "must hold `setting: value` lines, got list"),
        ({}, "a: [", "is not valid YAML"),
        ({"ESPALIER_CONFIG": "/nowhere.yaml"}, "", "ESPALIER_CONFIG names /nowhere.yaml, which is not there"),
        ({"BASIC_AUTH_USER": "a"}, "", "go together"),
        ({"BASIC_AUTH_PASS": "a"}, "", "go together"),
        ({"ESPALIER_HOST": "0.0.0.0"}, "", "ESPALIER_HOST=0.0.0.0 opens the backend to the network"),
    ],
)
def test_what_is_wrong_is_said_in_words(tmp_path: Path, environ: dict[str, str], text: str, words: str) -> None:
    file = written(tmp_path, text) if text else None
    with pytest.raises(BadSetting, match=words):
        Settings.read(environ, file)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_loopback_needs_no_password(host: str) -> None:
    assert Settings.read({"ESPALIER_HOST": host}).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_the_network_needs_a_password(host: str) -> None:
    environ = {"ESPALIER_HOST": host, "BASIC_AUTH_USER": "a", "BASIC_AUTH_PASS": "b"}
    assert not Settings.read(environ).is_loopback
    with pytest.raises(BadSetting, match="set BASIC_AUTH_USER and BASIC_AUTH_PASS"):
        Settings.read({"ESPALIER_HOST": host})


SECRETS = [setting for setting in fields(Settings) if setting.type == "Secret"]


@pytest.mark.parametrize("name", [setting.metadata["names"][0] for setting in SECRETS])
def test_a_secret_is_never_printed(name: str) -> None:
    environ = {name: "hunter2"} | ({"BASIC_AUTH_USER": "a"} if name == "BASIC_AUTH_PASS" else {})
    settings = Settings.read(environ)
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings)
    secret = next(getattr(settings, setting.name) for setting in SECRETS if setting.metadata["names"][0] == name)
    shown = f"{secret} {secret!r} {secret:>12} {str(secret)} %s %r" % (secret, secret)  # noqa: RUF010
    assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"


def test_no_secret_looks_like_none() -> None:
    assert (str(Secret("")), repr(Secret("")), Secret("").reveal()) == ("", "Secret('')", "")


def test_the_database_is_where_it_is_said_to_be() -> None:
    assert Settings.read({"ESPALIER_DATABASE_URL": "postgresql://u:p@h/d"}).database == "postgresql://u:p@h/d"


def test_webhooks_get_a_secret_where_a_password_is_set(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path).secret_for_webhooks() == ""
    guarded = Settings(data_dir=tmp_path / "new", basic_auth_user="a", basic_auth_pass=Secret("b"))
    made = guarded.secret_for_webhooks()
    assert len(made) > 20
    assert guarded.secret_for_webhooks() == made
    assert (tmp_path / "new" / "webhook-secret").stat().st_mode & 0o077 == 0
    assert Settings(data_dir=tmp_path, webhook_secret=Secret("mine")).secret_for_webhooks() == "mine"


def test_every_setting_has_a_name_and_says_what_it_means() -> None:
    for setting in fields(Settings):
        assert setting.metadata["names"]
        assert setting.metadata["help"]
