"""A database of an earlier Espalier is brought up to date with what it holds."""

from __future__ import annotations

import json
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text

import espalier.store
from espalier.store.records import Records

KEY = "10.1795197302"
MOMENT = "2026-11-20 17:00:00+00:00"
MIGRATIONS = Path(espalier.store.__file__).parent / "migrations"


def migrate(engine: Engine, revision: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)


def engine_of(url: str) -> Engine:
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


def fill(engine: Engine) -> None:
    """As the first Espalier wrote it."""
    origins = {1: None, 2: "prediction", 3: "manual"}
    with engine.begin() as connection:

        def run(statement: str, **values: object) -> None:
            connection.execute(text(statement), {"key": KEY, "at": MOMENT} | values)

        run(
            "INSERT INTO projects (key, id, title, label_config, hostname, access_token, extra_params, revision,"
            " trained_revision, served, published, position)"
            " VALUES (:key, 10, 'Cats', '', '', '', '{}', 3, 2, 'v1', 'v1', 7)"
        )
        for number, state in enumerate(("archived", "promoted", "failed")):
            run(
                "INSERT INTO versions (project_key, name, state, directory, encoder, ontology_fingerprint,"
                " data_fingerprint, metrics, created_at, message)"
                " VALUES (:key, :name, :state, '/data/v1', '{}', 'o', 'd', '{}', :at, '')",
                name=f"v{number}",
                state=state,
                at=MOMENT.replace("17:00", f"17:0{number}"),
            )
        run(
            "INSERT INTO runs (id, project_key, parameters, state, done, total, counts, version, message, created_at)"
            " VALUES ('r1', :key, '{}', 'done', 1, 1, '{}', 'v1-run1', '', :at)"
        )
        for id, origin in origins.items():
            region = {"type": "choices", "value": {"choices": ["a"]}} | ({"origin": origin} if origin else {})
            run(
                "INSERT INTO annotations (project_key, id, task_id, result, was_cancelled, ground_truth, accepted,"
                " position) VALUES (:key, :id, 1, :result, false, false, :accepted, 0)",
                id=id,
                result=json.dumps([region], separators=(",", ":")),
                accepted=origin != "manual",
            )


def test_what_an_earlier_espalier_kept_is_kept(database_url: str) -> None:
    engine = engine_of(database_url)
    migrate(engine, "0001")
    fill(engine)
    records = Records.open(database_url)
    project, version, run = records.project(KEY), records.version(KEY, "v1"), records.run("r1")
    assert project is not None
    assert version is not None
    assert run is not None
    assert (project.served, project.revision, project.training, project.cutoffs) == ("v1", 3, {}, {})
    assert (version.parameters, version.size_bytes, version.parent, version.gate) == ({}, 0, None, {})
    assert run.kind == "labeling"
    records.close()
    engine.dispose()


def test_what_was_submitted_in_the_editor_is_no_longer_called_accepted(database_url: str) -> None:
    engine = engine_of(database_url)
    migrate(engine, "0001")
    fill(engine)
    records = Records.open(database_url)
    held = {row.id: (row.accepted, row.confirmed) for row in records.annotations(KEY)}
    assert held == {1: (True, False), 2: (False, True), 3: (False, False)}
    records.close()
    migrate(engine, "0001", down=True)
    with engine.begin() as connection:
        accepted = connection.execute(text("SELECT accepted FROM annotations ORDER BY id")).scalars().all()
    assert list(map(bool, accepted)) == [True, True, False]
    engine.dispose()


def test_what_served_before_can_be_gone_back_to(database_url: str) -> None:
    engine = engine_of(database_url)
    migrate(engine, "0001")
    fill(engine)
    records = Records.open(database_url)
    history = [(row.number, row.version, row.previous, row.at.minute) for row in records.promotions(KEY)]
    assert history == [(2, "v1", "v0", 1), (1, "v0", None, 0)]
    records.close()
    engine.dispose()
