"""Every kind of link becomes a file here, whole, with the right credentials, or one sentence says why not."""

from __future__ import annotations

import base64
import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from espalier.errors import BadMedia
from espalier.media import download as download_module
from espalier.media import fetch as fetch_module
from espalier.media.cache import shown
from espalier.media.fetch import Fetcher
from espalier.media.guard import Guard, is_public

BODY = bytes(range(256)) * 4000
FetcherFor = Callable[..., Fetcher]
Site = Any
"""See conftest.Site."""


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "_PAUSE_S", 0.01)


def headers_of(site: Site) -> list[Mapping[str, str]]:
    return [headers for _, headers in site.asked]


def test_an_upload_is_fetched_with_the_token_once(site: Site, fetcher_for: FetcherFor) -> None:
    site.file("/data/upload/1/a.jpg", BODY)
    fetcher = fetcher_for(site.url)
    first = fetcher.fetch("/data/upload/1/a.jpg", task_id=1)
    again = fetcher.fetch(f"{site.url}/data/upload/1/a.jpg", task_id=2)
    assert first.path.read_bytes() == BODY
    assert first.digest == hashlib.sha256(BODY).hexdigest() == again.digest
    assert len(site.asked) == 1
    assert headers_of(site)[0]["Authorization"] == "Bearer secret"


def test_a_prefix_of_label_studio_is_not_repeated(site: Site, fetcher_for: FetcherFor) -> None:
    site.file("/ls/data/upload/1/a.jpg", BODY)
    fetcher = fetcher_for(f"{site.url}/ls/")
    assert fetcher.fetch("/data/upload/1/a.jpg", task_id=1).digest == fetcher.fetch(
        "/ls/data/upload/1/a.jpg", task_id=1
    ).digest  # fmt: skip


def test_the_token_stays_with_label_studio(site: Site, other_site: Site, fetcher_for: FetcherFor) -> None:
    other_site.file("/bucket/a.jpg", BODY)
    site.pages["/tasks/7/resolve/"] = lambda headers: (303, {"Location": f"{other_site.url}/bucket/a.jpg?sig=x"}, b"")
    fetcher = fetcher_for(site.url, allowed_hosts=(f"127.0.0.1:{other_site.port}",))
    file = fetcher.fetch("s3://bucket/a.jpg", task_id=7)
    assert file.path.read_bytes() == BODY
    asked = urlsplit(site.asked[0][0])
    assert base64.urlsafe_b64decode(parse_qs(asked.query)["fileuri"][0]) == b"s3://bucket/a.jpg"
    assert "Authorization" in headers_of(site)[0]
    assert all("Authorization" not in headers for headers in headers_of(other_site))
    fetcher.fetch(f"{other_site.url}/bucket/a.jpg", task_id=7)
    assert all("Authorization" not in headers for headers in headers_of(other_site))


def test_a_redirect_to_a_private_address_is_refused(site: Site, other_site: Site, fetcher_for: FetcherFor) -> None:
    other_site.file("/secrets", BODY)
    site.pages["/data/upload/a.jpg"] = lambda headers: (302, {"Location": f"{other_site.url}/secrets"}, b"")
    with pytest.raises(BadMedia, match=r"private address.*ESPALIER_ALLOWED_HOSTS"):
        fetcher_for(site.url).fetch("/data/upload/a.jpg", task_id=1)
    assert other_site.asked == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"],
)
def test_private_addresses_are_refused_whatever_their_spelling(host: str, site: Site, fetcher_for: FetcherFor) -> None:
    site.file("/a.jpg", BODY)
    with pytest.raises(BadMedia):
        fetcher_for().fetch(f"http://{host}:{site.port}/a.jpg", task_id=1)
    assert site.asked == []


def test_a_name_is_resolved_once_and_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server may answer public first and private afterwards: what was checked is what is connected to."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **_: [(2, 1, 6, "", (address, port)) for address in next(answers)]
    )
    guard = Guard([])
    assert guard.addresses("rebind.example", 80) == ["93.184.216.34"]
    with pytest.raises(BadMedia):
        guard.addresses("rebind.example", 80)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("100.64.0.1", False), ("192.168.1.1", False),
        ("172.16.0.1", False), ("fe80::1%eth0", False), ("fd00::1", False), ("0.0.0.0", False), ("224.0.0.1", False),
        ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False), ("::ffff:10.0.0.1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_redirects_end(site: Site, fetcher_for: FetcherFor) -> None:
    site.pages["/data/loop"] = lambda headers: (302, {"Location": "/data/loop"}, b"")
    with pytest.raises(BadMedia, match="redirected more than 5 times"):
        fetcher_for(site.url).fetch("/data/loop", task_id=1)


def test_a_broken_connection_is_taken_up_where_it_broke(site: Site, fetcher_for: FetcherFor) -> None:
    site.file("/data/upload/a.mp4", BODY)
    site.break_after = 300_000
    file = fetcher_for(site.url).fetch("/data/upload/a.mp4", task_id=1)
    assert file.path.read_bytes() == BODY
    second = headers_of(site)[1]
    assert 200_000 < int(second["Range"].removeprefix("bytes=").rstrip("-")) <= 300_000
    assert second["If-Range"] == '"one"'


def test_a_server_without_ranges_is_asked_for_the_whole_again(site: Site, fetcher_for: FetcherFor) -> None:
    site.file("/data/upload/a.mp4", BODY, ranges=False)
    site.break_after = 300_000
    assert fetcher_for(site.url).fetch("/data/upload/a.mp4", task_id=1).path.read_bytes() == BODY


def test_a_file_that_changed_meanwhile_is_not_stitched_together(site: Site, fetcher_for: FetcherFor) -> None:
    new = BODY[::-1]

    def changing(headers: Mapping[str, str]) -> Any:
        if len(site.asked) == 1:
            return 206, {"ETag": '"one"', "Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"}, BODY
        start = int(headers["Range"].removeprefix("bytes=").rstrip("-")) if headers.get("If-Range") == '"two"' else 0
        return 200, {"ETag": '"two"'}, new[start:]

    site.pages["/data/upload/a.mp4"] = changing
    site.break_after = 300_000
    assert fetcher_for(site.url).fetch("/data/upload/a.mp4", task_id=1).path.read_bytes() == new


def test_a_range_of_another_file_is_thrown_away(site: Site, fetcher_for: FetcherFor) -> None:
    """Some servers answer ranges without looking at If-Range."""
    new = BODY[::-1] + b"more"

    def careless(headers: Mapping[str, str]) -> Any:
        body, tag = (BODY, '"one"') if len(site.asked) == 1 else (new, '"two"')
        start = int(headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        return 206, {"ETag": tag, "Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}, body[start:]

    site.pages["/data/upload/a.mp4"] = careless
    site.break_after = 300_000
    assert fetcher_for(site.url).fetch("/data/upload/a.mp4", task_id=1).path.read_bytes() == new


def test_capped_ranges_are_put_together(site: Site, fetcher_for: FetcherFor) -> None:
    site.file("/tasks/3/resolve/", BODY, most=100_000)
    file = fetcher_for(site.url).fetch("gs://bucket/a.mp4", task_id=3)
    assert file.path.read_bytes() == BODY
    assert len(site.asked) == 11


def test_capped_ranges_without_a_tag_are_put_together(site: Site, fetcher_for: FetcherFor) -> None:
    site.file("/tasks/3/resolve/", BODY, most=300_000, etag="")
    assert fetcher_for(site.url).fetch("gs://bucket/a.mp4", task_id=3).path.read_bytes() == BODY


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "LABEL_STUDIO_API_KEY"), (403, "LABEL_STUDIO_API_KEY"), (404, "no storage of this project covers"),
        (500, "Label Studio answered 500"), (424, "Label Studio answered 424"),
    ],
)  # fmt: skip
def test_refusals_of_label_studio_say_what_to_do(status: int, words: str, site: Site, fetcher_for: FetcherFor) -> None:
    site.pages["/data/upload/a.jpg"] = lambda headers: (status, {}, b"{}")
    with pytest.raises(BadMedia) as refused:
        fetcher_for(site.url).fetch("/data/upload/a.jpg", task_id=1)
    assert words in str(refused.value)
    assert "/data/upload/a.jpg" in str(refused.value)


def test_a_redirect_to_the_login_page_says_so(site: Site, fetcher_for: FetcherFor) -> None:
    site.pages["/data/upload/a.jpg"] = lambda headers: (302, {"Location": "/user/login/?next=/data"}, b"")
    with pytest.raises(BadMedia, match="Personal Access Token"):
        fetcher_for(site.url).fetch("/data/upload/a.jpg", task_id=1)


def test_a_web_page_is_not_kept_as_a_file(site: Site, fetcher_for: FetcherFor) -> None:
    site.file("/a.jpg", b"<!DOCTYPE html><html><body>Please log in</body></html>", kind="text/html")
    fetcher = fetcher_for(allowed_hosts=("127.0.0.1",))
    with pytest.raises(BadMedia, match="HTML page, not a file: it probably needs a login"):
        fetcher.fetch(f"{site.url}/a.jpg", task_id=1)
    site.file("/a.jpg", BODY)
    assert fetcher.fetch(f"{site.url}/a.jpg", task_id=1).path.read_bytes() == BODY


def test_too_large_a_file_is_refused_by_its_header_and_by_its_bytes(site: Site, fetcher_for: FetcherFor) -> None:
    fetcher = fetcher_for(site.url)
    fetcher.cache.max_file_bytes = 500_000
    site.file("/data/upload/told.mp4", BODY)
    with pytest.raises(BadMedia, match="ESPALIER_MAX_FILE_MB"):
        fetcher.fetch("/data/upload/told.mp4", task_id=1)

    chunk = b"%x\r\n" % len(BODY) + BODY + b"\r\n"
    site.pages["/data/upload/untold.mp4"] = lambda headers: (
        200, {"Transfer-Encoding": "chunked", "Content-Length": ""}, chunk * 3 + b"0\r\n\r\n",
    )  # fmt: skip
    with pytest.raises(BadMedia):
        fetcher.fetch("/data/upload/untold.mp4", task_id=1)
    assert not [path for path in fetcher.cache.directory.glob("partial/*.part") if path.stat().st_size > 1_000_000]


def test_silence_is_not_waited_for_forever(fetcher_for: FetcherFor, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        fetcher = fetcher_for(allowed_hosts=("127.0.0.1",))
        fetcher._web._timeouts_s = (0.2, 0.2)
        started = time.perf_counter()
        with pytest.raises(BadMedia, match="did not answer in time; tried 4 times"):
            fetcher.fetch(f"http://127.0.0.1:{port}/a.jpg", task_id=1)
        assert time.perf_counter() - started < 30


def test_a_link_is_asked_again_after_a_while(
    site: Site, fetcher_for: FetcherFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.file("/a.jpg", BODY)
    fetcher = fetcher_for(allowed_hosts=("127.0.0.1",))
    url = f"{site.url}/a.jpg"
    first = fetcher.fetch(url, task_id=1)
    fetcher.fetch(url, task_id=1)
    assert len(site.asked) == 1
    monkeypatch.setattr(fetch_module, "_FRESH_S", -1.0)
    assert fetcher.fetch(url, task_id=1).digest == first.digest
    assert headers_of(site)[-1]["If-None-Match"] == '"one"'
    site.file("/a.jpg", BODY + b"!", etag='"two"')
    assert fetcher.fetch(url, task_id=1).path.read_bytes() == BODY + b"!"
    site.pages.clear()  # gone: what was fetched still serves
    assert fetcher.fetch(url, task_id=1).path.read_bytes() == BODY + b"!"


def test_local_files_are_read_in_place_where_the_root_is_known(
    tmp_path: Path, site: Site, fetcher_for: FetcherFor
) -> None:
    root = tmp_path / "files"
    (root / "set one").mkdir(parents=True)
    (root / "set one" / "a.jpg").write_bytes(BODY)
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    site.file("/data/local-files/", b"from label studio")
    fetcher = fetcher_for(site.url, local_files_root=root)
    file = fetcher.fetch("/data/local-files/?d=set%20one/a.jpg", task_id=1)
    assert file.path == root / "set one" / "a.jpg"
    assert site.asked == []
    for value in ("?d=../secret.jpg", "?d=link.jpg", f"?d={tmp_path}/secret.jpg", "?d=elsewhere.jpg", ""):
        got = fetcher.fetch(f"/data/local-files/{value}", task_id=1)
        assert got.path.read_bytes() == b"from label studio"  # which knows who may read what


def test_paths_are_read_inside_the_media_roots_only(tmp_path: Path, fetcher_for: FetcherFor) -> None:
    root = tmp_path / "media"
    root.mkdir()
    (root / "a b.jpg").write_bytes(BODY)
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "inner.jpg").symlink_to(root / "a b.jpg")
    fetcher = fetcher_for(media_roots=(root,))
    for value in (f"{root}/a b.jpg", f"file://{root}/a%20b.jpg", "a b.jpg", f"{root}/inner.jpg"):
        assert fetcher.fetch(value, task_id=1).path.read_bytes() == BODY
    for value in (
        f"file://{tmp_path}/secret.jpg",
        "../secret.jpg",
        f"file://{root}/link.jpg",
        "file:///etc/passwd",
        "x",
    ):
        with pytest.raises(BadMedia, match="ESPALIER_MEDIA_ROOTS"):
            fetcher.fetch(value, task_id=1)
    with pytest.raises(BadMedia, match="LABEL_STUDIO_URL"):
        fetcher.fetch(f"{root}/../secret.jpg", task_id=1)


def test_a_local_file_is_hashed_once_until_it_changes(
    tmp_path: Path, fetcher_for: FetcherFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(BODY)
    first = fetcher_for(media_roots=(tmp_path,)).fetch(str(path), task_id=1)
    monkeypatch.setattr("espalier.media.cache.digest_of", lambda path: "changed")
    assert fetcher_for(media_roots=(tmp_path,)).fetch(str(path), task_id=1).digest == first.digest
    path.write_bytes(BODY + b"!")
    assert fetcher_for(media_roots=(tmp_path,)).fetch(str(path), task_id=1).digest == "changed"


def test_inline_data_is_kept_once(fetcher_for: FetcherFor) -> None:
    fetcher = fetcher_for()
    value = "data:image/png;base64," + base64.b64encode(BODY).decode()
    assert fetcher.fetch(value, task_id=1).path == fetcher.fetch(value, task_id=2).path
    assert fetcher.fetch(value, task_id=1).path.read_bytes() == BODY
    with pytest.raises(BadMedia, match="a data: link: is not valid base64"):
        fetcher.fetch("data:image/png;base64,A", task_id=1)


def test_cloud_links_need_a_task_and_label_studio(site: Site, fetcher_for: FetcherFor) -> None:
    with pytest.raises(BadMedia, match="through a task only"):
        fetcher_for(site.url).fetch("s3://bucket/a.jpg", task_id=None)
    with pytest.raises(BadMedia, match="LABEL_STUDIO_URL"):
        fetcher_for().fetch("s3://bucket/a.jpg", task_id=1)


def test_signatures_are_not_shown() -> None:
    assert shown("https://bucket.example/a.jpg?X-Amz-Signature=abc") == "'https://bucket.example/a.jpg'"


def test_an_empty_file_is_fetched_as_such(site: Site, fetcher_for: FetcherFor) -> None:
    site.file("/data/upload/empty.jpg", b"")
    assert fetcher_for(site.url).fetch("/data/upload/empty.jpg", task_id=1).path.read_bytes() == b""


CHILD = """
import sys
from pathlib import Path
from espalier.media.cache import MediaCache
from espalier.media.fetch import Fetcher
from espalier.settings import Settings
cache = MediaCache(Path(sys.argv[1]), 10**9, 10**9)
fetcher = Fetcher(cache, settings=Settings(), label_studio_url=sys.argv[2], authorize=lambda url: {})
print(fetcher.fetch("/data/upload/a.mp4", task_id=1).digest)
"""


def child(fetcher: Fetcher, site: Site) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(fetcher.cache.directory), site.url], stdout=subprocess.PIPE, text=True
    )


def test_two_processes_download_a_file_once(site: Site, fetcher_for: FetcherFor) -> None:
    site.file("/data/upload/a.mp4", BODY)
    with child(fetcher_for(site.url), site) as one, child(fetcher_for(site.url), site) as two:
        digests = {one.communicate()[0].strip(), two.communicate()[0].strip()}
    assert digests == {hashlib.sha256(BODY).hexdigest()}
    assert len(site.asked) == 1


def test_a_killed_download_goes_on_where_it_was(site: Site, fetcher_for: FetcherFor) -> None:
    fetcher = fetcher_for(site.url)

    def dripping(headers: Mapping[str, str]) -> Any:
        if "Range" in headers and headers["Range"] != "bytes=0-":
            start = int(headers["Range"].removeprefix("bytes=").rstrip("-"))
            return 206, {"ETag": '"one"', "Content-Range": f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"}, BODY[start:]
        return 200, {"ETag": '"one"', "Content-Length": str(len(BODY))}, BODY[:600_000]  # and then nothing more comes

    site.pages["/data/upload/a.mp4"] = dripping
    with child(fetcher, site) as process:
        for _ in range(500):
            parts = list(fetcher.cache.directory.glob("partial/*.part"))
            if parts and parts[0].stat().st_size >= 262_144:
                break
            time.sleep(0.02)
        process.kill()
    have = next(fetcher.cache.directory.glob("partial/*.part")).stat().st_size
    assert 0 < have < len(BODY)
    assert fetcher.fetch("/data/upload/a.mp4", task_id=1).path.read_bytes() == BODY
    assert headers_of(site)[-1]["Range"] == f"bytes={have}-"
    assert list(fetcher.cache.directory.glob("partial/*")) == []
