"""What is kept is whole, bounded, shared by processes, and never pulled away from under a reader."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from espalier.media.cache import LocalFile, MediaCache
from espalier.media.partial import Partial, Promise

KB = 1000


def put(cache: MediaCache, url: str, body: bytes, *, etag: str = "") -> LocalFile:
    with cache.downloading(url) as partial:
        partial.start(Promise(len(body)))
        with partial.append() as file:
            file.write(body)
        return cache.keep(url, partial, hashlib.sha256(body).hexdigest(), etag=etag)


def age(file: LocalFile, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(file.path, (then, then))


@pytest.fixture
def small(tmp_path: Path) -> MediaCache:
    return MediaCache(tmp_path, max_bytes=100 * KB, max_file_bytes=100 * KB)


def test_a_link_finds_its_content_again_from_another_process(small: MediaCache, tmp_path: Path) -> None:
    kept = put(small, "http://x/a", b"a" * KB, etag='"1"')
    again = MediaCache(tmp_path, 100 * KB, 100 * KB).find("http://x/a")
    assert again is not None
    assert again[0].path == kept.path
    assert again[0].digest == kept.digest
    assert again[1].etag == '"1"'
    assert small.find("http://x/b") is None


def test_equal_contents_lie_once(small: MediaCache) -> None:
    assert put(small, "http://x/a", b"same").path == put(small, "http://x/b", b"same").path


def test_the_longest_unused_go_first_and_only_as_many_as_needed(small: MediaCache) -> None:
    paths = []
    for number in range(9):
        file = put(small, f"http://x/{number}", bytes([number]) * 10 * KB)
        age(file, 10_000 - number)
        paths.append(file.path)
        del file
    assert small.find("http://x/0") is not None  # which counts as a use
    put(small, "http://x/new", b"n" * 30 * KB)
    assert [path.exists() for path in paths] == [True, False, False, *[True] * 6]
    assert small.find("http://x/1") is None


def test_what_is_in_use_or_was_just_used_stays(small: MediaCache) -> None:
    held = put(small, "http://x/held", b"h" * 60 * KB)
    age(held, 10_000)
    recent = put(small, "http://x/recent", b"r" * 30 * KB).path
    big = put(small, "http://x/big", b"b" * 90 * KB)
    assert held.path.exists()
    assert recent.exists()
    age(big, 10_000)
    path = held.path
    del held, big
    put(small, "http://x/next", b"n" * 30 * KB)
    assert not path.exists()


def test_a_file_that_was_tampered_with_is_not_served(small: MediaCache) -> None:
    file = put(small, "http://x/a", b"whole")
    file.path.write_bytes(b"who")
    assert small.find("http://x/a") is None
    assert not file.path.exists()


def test_a_file_that_was_deleted_is_not_served(small: MediaCache) -> None:
    put(small, "http://x/a", b"whole").path.unlink()
    assert small.find("http://x/a") is None


def test_what_is_kept_beside_a_content_is_found_and_counted(small: MediaCache) -> None:
    assert small.read_beside("ab12", "index") is None
    small.write_beside("ab12", "index", b"i" * 90 * KB)
    assert small.read_beside("ab12", "index") == b"i" * 90 * KB
    path = next(small.directory.glob("ab/*"))
    os.utime(path, (0, 0))
    put(small, "http://x/a", b"a" * 50 * KB)
    assert not path.exists()


def test_one_at_a_time_downloads_a_link(small: MediaCache) -> None:
    inside, most = [0], [0]

    def work(_: int) -> None:
        with small.downloading("http://x/a"):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.005)
            inside[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert most[0] == 1
    assert list(small.directory.glob("partial/*")) == []


def test_different_links_do_not_wait_for_each_other(small: MediaCache) -> None:
    entered = threading.Event()

    def other() -> None:
        with small.downloading("http://x/b"):
            entered.set()

    with small.downloading("http://x/a"):
        thread = threading.Thread(target=other)
        thread.start()
        assert entered.wait(5)
    thread.join()


def test_a_download_that_stopped_remembers_its_promise(tmp_path: Path) -> None:
    with Partial.locked(tmp_path, "x") as partial:
        assert partial.promise() is None
        partial.start(Promise(100, '"1"', "yesterday"))
        with partial.append() as file:
            file.write(b"12345")
    with Partial.locked(tmp_path, "x") as partial:
        assert partial.promise() == Promise(100, '"1"', "yesterday")
        assert partial.size == 5
        assert partial.digest().hexdigest() == hashlib.sha256(b"12345").hexdigest()
        partial.discard()
        assert partial.size == 0
        assert partial.promise() is None


@pytest.mark.parametrize(
    ("promise", "mark"),
    [
        (Promise(1, '"1"', "day"), '"1"'), (Promise(1, 'W/"1"', "day"), "day"), (Promise(1, 'W/"1"'), ""),
        (Promise(1), ""),
    ],
    ids=["strong tag", "weak tag and date", "weak tag", "nothing"],
)  # fmt: skip
def test_only_what_names_the_very_bytes_is_a_mark(promise: Promise, mark: str) -> None:
    assert promise.mark == mark


def test_many_processes_worth_of_threads_share_the_links(small: MediaCache) -> None:
    def work(number: int) -> bool:
        url = f"http://x/{number % 7}"
        put(small, url, bytes([number % 7]) * 100)
        found = small.find(url)
        return found is not None and found[0].path.read_bytes() == bytes([number % 7]) * 100

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(80)))
