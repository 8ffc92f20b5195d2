"""A small Label Studio that misbehaves, over real sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, Response, redirect, request
from werkzeug.serving import make_server

from espalier.errors import BadSetting, LabelStudioDown, LabelStudioRefused
from espalier.labelstudio.transport import Transport


@pytest.fixture
def site() -> Iterator[tuple[Flask, str]]:
    app = Flask("misbehaving")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield app, f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def personal_token() -> str:
    return "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2ln"


def impatient(url: str, token: str = "") -> Transport:
    return Transport(url, token, pause=lambda _: None)


def failing(app: Flask, path: str, statuses: list[int], methods: tuple[str, ...] = ("GET",)) -> list[str]:
    """Answers with these statuses in turn, and with 200 from then on; the list fills with what was asked."""
    asked: list[str] = []

    def view() -> tuple[dict[str, str], int]:
        asked.append(request.method)
        return {"detail": "busy"}, statuses[len(asked) - 1] if len(asked) <= len(statuses) else 200

    app.add_url_rule(path, path, view_func=view, methods=list(methods))
    return asked


def test_overload_is_asked_again(site: tuple[Flask, str]) -> None:
    app, url = site
    asked = failing(app, "/api/x", [503, 429])
    assert impatient(url).json("GET", "/api/x") == {"detail": "busy"}
    assert len(asked) == 3


def test_overload_ends_as_down_and_a_post_is_not_sent_twice(site: tuple[Flask, str]) -> None:
    app, url = site
    gets, posts = failing(app, "/api/get", [503] * 9), failing(app, "/api/post", [503] * 9, ("POST",))
    with pytest.raises(LabelStudioDown, match="could not look: it answered 503 busy"):
        impatient(url).json("GET", "/api/get", doing="look")
    with pytest.raises(LabelStudioDown):
        impatient(url).json("POST", "/api/post", body={})
    assert (len(gets), len(posts)) == (4, 1)


def test_nobody_there(unused_port: int) -> None:
    with pytest.raises(LabelStudioDown, match=r"connection refused.*is it running"):
        impatient(f"http://127.0.0.1:{unused_port}").json("POST", "/api/x", body={})


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
    return port


def test_the_token_goes_to_no_other_address(site: tuple[Flask, str]) -> None:
    app, url = site
    elsewhere = failing(app, "/elsewhere", [])
    other = url.replace("127.0.0.1", "localhost")
    app.add_url_rule("/moved", view_func=lambda: redirect(f"{other}/elsewhere?token=x"))
    with pytest.raises(LabelStudioRefused, match="redirects to http://localhost/elsewhere; the token is sent to no"):
        impatient(url, "legacy").json("GET", "/moved")
    assert elsewhere == []


def personal_site(app: Flask, *, good: Callable[[int], bool]) -> list[str]:
    """Access tokens access1, access2...; `good(n)` says whether the nth is taken."""
    traded: list[str] = []

    def trade() -> dict[str, str]:
        traded.append(request.get_json()["refresh"])
        return {"access": f"access{len(traded)}"}

    def whoami() -> Response | tuple[dict[str, str], int]:
        number = int(request.headers["Authorization"].removeprefix("Bearer access"))
        return ({"email": "a@b.c"}, 200) if good(number) else ({"detail": "Token is expired"}, 401)

    app.add_url_rule("/api/token/refresh", view_func=trade, methods=["POST"])
    app.add_url_rule("/who", view_func=whoami)
    return traded


def test_an_access_token_that_ran_out_early_is_replaced(site: tuple[Flask, str]) -> None:
    app, url = site
    traded = personal_site(app, good=lambda number: number > 1)
    transport = impatient(url, personal_token())
    assert transport.json("GET", "/who") == {"email": "a@b.c"}
    assert transport.json("GET", "/who") == {"email": "a@b.c"}
    assert len(traded) == 2


def test_a_token_that_is_never_taken_is_refused_after_two_trades(site: tuple[Flask, str]) -> None:
    app, url = site
    traded = personal_site(app, good=lambda number: False)
    with pytest.raises(LabelStudioRefused, match=r"does not accept the personal token.*expired") as caught:
        impatient(url, personal_token()).json("GET", "/who")
    assert len(traded) == 2
    assert caught.value.status == 401
    assert personal_token() not in str(caught.value)


@pytest.mark.parametrize(
    ("token", "status", "detail", "says"),
    [
        (
            "3f",
            401,
            "legacy token authentication has been disabled for this organization",
            "legacy tokens are disabled",
        ),
        ("3f", 401, "Invalid token.", "does not accept the legacy token .Invalid token."),
        ("", 401, "Authentication credentials were not provided.", "wants a token to look"),
        ("3f", 403, "You do not have permission", "the token's user may not look"),
        ("3f", 404, "No Project matches", "refused to look: 404 No Project matches"),
    ],
)
def test_refusals_say_what_to_do(site: tuple[Flask, str], token: str, status: int, detail: str, says: str) -> None:
    app, url = site
    app.add_url_rule("/x", view_func=lambda: ({"detail": detail}, status))
    with pytest.raises(LabelStudioRefused, match=says) as caught:
        impatient(url, token).json("GET", "/x", doing="look")
    assert caught.value.status == status
    if status == 401:
        assert "set LABEL_STUDIO_API_KEY" in str(caught.value)


def test_something_that_is_no_label_studio(site: tuple[Flask, str]) -> None:
    app, url = site
    app.add_url_rule("/x", view_func=lambda: "<html>")
    with pytest.raises(LabelStudioDown, match="is LABEL_STUDIO_URL the address of Label Studio itself"):
        impatient(url).json("GET", "/x")


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://x", "http://", "http://user:pw@host"])
def test_an_address_that_cannot_be_one_is_refused_at_once(url: str) -> None:
    with pytest.raises(BadSetting, match="LABEL_STUDIO_URL") as caught:
        Transport(url, "")
    assert "pw" not in str(caught.value)


def test_a_path_prefix_is_kept(site: tuple[Flask, str]) -> None:
    app, url = site
    app.add_url_rule("/studio/api/x", view_func=lambda: {"here": True})
    assert impatient(f"{url}/studio/").json("GET", "/api/x") == {"here": True}
