"""The client and the web process against a real Label Studio."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pytest
from werkzeug.serving import make_server

from espalier.errors import LabelStudioRefused
from espalier.jobs import valkey
from espalier.jobs.queue import Queues
from espalier.labelstudio.client import LabelStudio
from espalier.labelstudio.webhooks import SECRET_HEADER
from espalier.labelstudio.wire import inputs_digest, project_key
from espalier.settings import Secret, Settings
from espalier.store.records import Records
from espalier.store.rows import ModelVersion, Prediction
from espalier.web.app import create_app

CONFIG = """<View><Image name="img" value="$image"/>
<Choices name="cls" toName="img" choice="multiple"><Choice value="Animal"><Choice value="Cat"/></Choice>
<Choice value="Plant"/></Choices></View>"""


def choose(*choices: object) -> list[dict[str, Any]]:
    return [{"from_name": "cls", "to_name": "img", "type": "choices", "id": "r1", "value": {"choices": list(choices)}}]


def images(count: int) -> list[dict[str, Any]]:
    return [{"data": {"image": f"https://example.invalid/{number}.jpg"}} for number in range(count)]


def rows(task_ids: list[int], version: str, *choices: object) -> list[dict[str, Any]]:
    return [
        {"task": task_id, "result": choose(*choices), "score": 0.5, "model_version": version} for task_id in task_ids
    ]


@pytest.fixture(scope="module")
def client(label_studio: Any) -> LabelStudio:
    return LabelStudio(label_studio.url, label_studio.token)


def test_a_personal_token_works_and_is_refreshed(label_studio: Any, client: LabelStudio) -> None:
    assert client.token_kind == "personal"
    assert client.whoami()["email"] == label_studio.email
    assert client.version() == "1.23.2"
    header = client.authorization()
    assert header["Authorization"].startswith("Bearer ")
    assert label_studio.token not in header["Authorization"]


def test_a_legacy_token_is_refused_in_words(label_studio: Any) -> None:
    """The one that /setup sends is such a one."""
    client = LabelStudio(label_studio.url, label_studio.request("GET", "/api/current-user/token")["token"])
    assert client.token_kind == "legacy"
    with pytest.raises(LabelStudioRefused, match="legacy tokens are disabled in the Label Studio at"):
        client.whoami()
    label_studio.request("POST", "/api/jwt/settings", {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True})
    try:
        assert client.whoami()["email"] == label_studio.email
    finally:
        off = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": False}
        label_studio.request("POST", "/api/jwt/settings", off)


def test_wrong_and_missing_tokens_are_refused_in_words(label_studio: Any) -> None:
    forged = label_studio.token[:-4] + "AAAA"
    for token, says in (
        ("0123456789abcdef", "does not accept the legacy token"),
        ("", "wants a token"),
        (forged, "does not know this Personal Access Token"),
    ):
        with pytest.raises(LabelStudioRefused, match=says) as caught:
            LabelStudio(label_studio.url, token).whoami()
        assert "LABEL_STUDIO_API_KEY" in str(caught.value)
        assert not token or token not in str(caught.value)


def test_tasks_come_in_pages_with_everything_on_them(label_studio: Any, client: LabelStudio) -> None:
    project = label_studio.project(CONFIG)
    ids = label_studio.import_tasks(project["id"], images(23))
    made = label_studio.annotate(ids[4], choose("Plant"), ground_truth=True)
    label_studio.annotate(ids[5], [], was_cancelled=True)
    read = list(client.tasks(project["id"], page_size=7))
    assert [task["id"] for task in read] == sorted(ids)
    assert read[0]["data"] == {"image": "https://example.invalid/0.jpg"}
    (annotation,) = read[4]["annotations"]
    assert (annotation["id"], annotation["result"], annotation["ground_truth"]) == (
        made["id"],
        made["result"],
        True,
    )
    assert [task["id"] for task in client.tasks(project["id"], [ids[9], ids[2], 999_999])] == [ids[2], ids[9]]
    assert project["id"] in {listed["id"] for listed in client.projects()}
    assert client.project(project["id"])["title"] == project["title"]
    with pytest.raises(LabelStudioRefused, match="refused to show project 999999: 404"):
        client.project(999_999)


def test_predictions_are_stored_once_whatever_their_shape(label_studio: Any, client: LabelStudio) -> None:
    """The bulk door silently drops nested choices, and refuses all for one task that is gone."""
    project = label_studio.project(CONFIG)["id"]
    ids = label_studio.import_tasks(project, images(9))
    plain, nested, gone = ids[:4], ids[4:8], ids[8]
    label_studio.request("DELETE", f"/api/tasks/{gone}/")
    refused: list[str] = []
    stored: list[int] = []
    every = rows(plain, "v1", "Plant") + rows(nested, "v1", ["Animal", "Cat"]) + rows([gone], "v1", "Plant")

    def push() -> int:
        return client.import_predictions(
            project, every, refused=lambda row, why: refused.append(why), stored=stored.append
        )

    assert push() == 8
    assert stored == [9]
    assert refused == [f"project {project} has no task {gone} any more"]
    assert client.model_versions(project) == {"v1": 8}
    assert push() == 0, "a push that is repeated stores nothing twice"
    assert client.import_predictions(project, rows(ids[:2], "v10", "Plant")) == 2, "v1 is not v10"
    assert client.import_predictions(project, rows(ids[:3], "v10", "Plant")) == 1
    (one, other) = client.predictions_of(ids[0])
    assert {one["model_version"], other["model_version"]} == {"v1", "v10"}
    assert [p["result"] for p in client.predictions_of(nested[0])] == [choose(["Animal", "Cat"])]
    client.delete_prediction(one["id"])
    client.delete_prediction(one["id"])
    assert len(client.predictions_of(ids[0])) == 1


def test_versions_are_chosen_and_deleted(label_studio: Any, client: LabelStudio) -> None:
    project = label_studio.project(CONFIG)["id"]
    ids = label_studio.import_tasks(project, images(3))
    client.import_predictions(project, rows(ids, "v1", "Plant") + rows(ids[:2], "v2", "Animal"))
    client.set_model_version(project, "v2")
    assert client.project(project)["model_version"] == "v2"
    with pytest.raises(LabelStudioRefused, match="refused to choose model version 'nope'"):
        client.set_model_version(project, "nope")
    assert client.delete_version(project, "v1") == 3
    assert client.model_versions(project) == {"v2": 2}
    assert client.delete_version(project, "v1") == 0


@dataclass
class Backend:
    url: str
    records: Records
    queues: Queues
    settings: Settings

    def waiting(self) -> set[str]:
        jobs = [*self.queues.training.get_jobs(), *self.queues.prediction.get_jobs()]
        return {str(job.func_name).rpartition(".")[2] for job in jobs}


@pytest.fixture
def backend(label_studio: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Backend]]:
    """Call it with settings: the web process on a port of its own, without workers."""
    data = tmp_path_factory.mktemp("b")
    start = "import sys, pathlib; from espalier.jobs import valkey; valkey.embedded_url(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", start, str(data)], check=True)
    running: list[Callable[[], None]] = []

    def build(**changes: Any) -> Backend:
        settings = Settings(
            data_dir=data,
            label_studio_url=label_studio.url,
            label_studio_api_key=Secret(label_studio.token),
            predict_deadline_s=0.1,
            **changes,
        )
        records, queues = Records.open(settings.database), Queues.open(settings)
        server = make_server("127.0.0.1", 0, create_app(settings, records, queues), threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()

        def stop() -> None:
            server.shutdown()
            thread.join()
            server.server_close()
            records.close()
            queues.redis.close()

        running.append(stop)
        return Backend(f"http://127.0.0.1:{server.port}", records, queues, settings)

    yield build
    for stop in running:
        stop()
    valkey.stop(data)


def test_connecting_introduces_the_project_and_events_are_mirrored(
    label_studio: Any, client: LabelStudio, backend: Callable[..., Backend]
) -> None:
    espalier = backend()
    project = label_studio.project(CONFIG, "Zoo")
    key = project_key(project)
    connected = label_studio.connect(project["id"], espalier.url)
    assert connected["state"] == "CO"
    known = espalier.records.project(key)
    assert known is not None
    assert (known.id, known.hostname, known.label_config) == (project["id"], label_studio.url, project["label_config"])
    assert espalier.waiting() == {"connect"}
    assert [hook["url"] for hook in client.webhooks(project["id"])] == [f"{espalier.url}/webhook"]

    ids = label_studio.import_tasks(project["id"], images(4))
    assert [task.id for task in espalier.records.tasks(key)] == ids

    first = label_studio.annotate(ids[0], choose("Plant"))
    (row,) = espalier.records.annotations(key)
    assert (row.id, row.task_id, row.result, row.accepted) == (first["id"], ids[0], choose("Plant"), False)
    assert "train" in espalier.waiting()

    label_studio.request("PATCH", f"/api/annotations/{first['id']}/", {"result": choose("Animal")})
    assert [row.result for row in espalier.records.annotations(key)] == [choose("Animal")]

    skipped = label_studio.annotate(ids[1], [], was_cancelled=True)
    assert [row.was_cancelled for row in espalier.records.annotations(key)] == [False, True]

    client.import_predictions(project["id"], rows(ids[2:], "v1", "Plant"))
    label_studio.action(project["id"], "predictions_to_annotations", ids[2:], model_version="v1")
    accepted = espalier.records.annotations(key, ids[2:])
    assert [(row.task_id, row.accepted) for row in accepted] == [(ids[2], True), (ids[3], True)]

    label_studio.request("DELETE", f"/api/annotations/{skipped['id']}/")
    assert {row.task_id for row in espalier.records.annotations(key)} == {ids[0], ids[2], ids[3]}

    label_studio.action(project["id"], "delete_tasks", ids[2:3])
    assert {row.task_id for row in espalier.records.annotations(key)} == {ids[0], ids[3]}
    assert [task.id for task in espalier.records.tasks(key)] == [ids[0], ids[1], ids[3]]

    revision = espalier.records.project(key).revision  # type: ignore[union-attr]
    richer = CONFIG.replace('<Choice value="Plant"/>', '<Choice value="Plant"/><Choice value="Tree"/>')
    label_studio.request("PATCH", f"/api/projects/{project['id']}/", {"title": "Garden", "label_config": richer})
    again = espalier.records.project(key)
    assert again is not None
    assert (again.title, "Tree" in again.label_config, again.revision) == ("Garden", True, revision + 1)

    # What the API says is what the events said: the mirror needs no correction.
    espalier.records.reconcile(key, client.tasks(project["id"]))
    settled = espalier.records.project(key)
    assert settled is not None
    assert settled.revision == again.revision


def test_start_training_and_versions(label_studio: Any, backend: Callable[..., Backend]) -> None:
    espalier = backend()
    project = label_studio.project(CONFIG)
    connected = label_studio.connect(project["id"], espalier.url)
    label_studio.request("POST", f"/api/ml/{connected['id']}/train", {})
    assert "train" in espalier.waiting()
    assert label_studio.request("GET", f"/api/ml/{connected['id']}/versions") == {"versions": ["untrained"]}


def test_retrieved_predictions_are_those_that_are_known(
    label_studio: Any, client: LabelStudio, backend: Callable[..., Backend]
) -> None:
    """Two of three are ready: Label Studio stores these under our version, and the third comes through the API."""
    espalier = backend()
    project = label_studio.project(CONFIG)
    key = project_key(project)
    ids = label_studio.import_tasks(project["id"], images(3))
    moment = datetime.now(timezone.utc)
    label_studio.connect(project["id"], espalier.url)
    espalier.records.add_version(ModelVersion(key, "v7", "promoted", "", {}, "", "", {}, moment))
    espalier.records.serve(key, "v7")
    known = [task for task in client.tasks(project["id"]) if task["id"] != ids[1]]
    espalier.records.put_predictions(
        Prediction(key, task["id"], "v7", inputs_digest(task), choose("Plant"), 0.75) for task in known
    )
    label_studio.action(project["id"], "retrieve_tasks_predictions", ids)
    assert client.model_versions(project["id"]) == {"v7": 2}
    (stored,) = client.predictions_of(ids[0])
    assert (stored["score"], stored["result"][0]["value"]) == (0.75, {"choices": ["Plant"]})
    assert {"predict", "push"} <= espalier.waiting()


def test_events_carry_the_secret_once_the_webhook_has_it(
    label_studio: Any, client: LabelStudio, backend: Callable[..., Backend]
) -> None:
    espalier = backend(basic_auth_user="ann", basic_auth_pass=Secret("password"))
    project = label_studio.project(CONFIG)
    number, key = project["id"], project_key(project)
    (task,) = label_studio.import_tasks(number, images(1))
    auth = {"auth_method": "BASIC_AUTH", "basic_auth_user": "ann", "basic_auth_pass": "password"}
    label_studio.connect(number, espalier.url, **auth)
    assert espalier.records.project(key) is not None

    label_studio.annotate(task, choose("Plant"))
    assert espalier.records.annotations(key) == [], "without the secret, events are not believed"

    # A backend that was removed leaves its webhook behind; and somebody made ours twice.
    secret = espalier.settings.secret_for_webhooks()
    foreign = {"project": number, "url": "http://127.0.0.1:1/webhook", "send_payload": True}
    stale = {**foreign, "url": "http://127.0.0.1:2/webhook", "headers": {SECRET_HEADER: "old"}}
    for hook in (foreign, stale, {**foreign, "url": f"{espalier.url}/webhook", "send_for_all_actions": True}):
        label_studio.request("POST", "/api/webhooks/", hook)
    (ours,) = client.secure_webhooks(number, secret)
    assert ours["headers"] == {SECRET_HEADER: secret}
    assert client.secure_webhooks(number, secret) == [ours]
    assert {hook["url"] for hook in client.webhooks(number)} == {foreign["url"], f"{espalier.url}/webhook"}
    assert [hook["headers"] for hook in client.webhooks(number) if hook["url"] == foreign["url"]] == [{}]

    label_studio.annotate(task, choose("Animal"))
    assert [row.result for row in espalier.records.annotations(key)] == [choose("Animal")]

    label_studio.request("DELETE", f"/api/webhooks/{ours['id']}/")
    (made,) = client.secure_webhooks(number, secret)
    assert (made["url"], made["headers"]) == (f"{espalier.url}/webhook", {SECRET_HEADER: secret})


def test_wrong_basic_auth_is_shown_by_label_studio(label_studio: Any, backend: Callable[..., Backend]) -> None:
    espalier = backend(basic_auth_user="ann", basic_auth_pass=Secret("password"))
    project = label_studio.project(CONFIG)
    body = {"project": project["id"], "url": espalier.url, "title": "Espalier"}
    wrong = {"auth_method": "BASIC_AUTH", "basic_auth_user": "ann", "basic_auth_pass": "no"}
    answer = label_studio.request("POST", "/api/ml", {**body, **wrong}, status=400)
    assert "authentication parameters were either not provided or are incorrect" in str(answer)
