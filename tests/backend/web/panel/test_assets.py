"""What the pages load: kept for ever under its state, small, and never a file from elsewhere."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest

from espalier.web.panel import assets

SCRIPTS = sorted(path for path in assets.STATIC.iterdir() if path.suffix == ".js")
MOST_BYTES = 60_000


def test_an_asset_is_kept_for_ever_only_under_the_state_that_it_has(backend: Any) -> None:
    client = backend().client
    assert "immutable" in client.get(f"/panel/static/{assets.digest()}/style.css").headers["Cache-Control"]
    assert client.get("/panel/static/old/style.css").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_module_and_all_that_it_imports_are_small(path: Any) -> None:
    at_once = reached(path.name, r"from \"\./([\w-]+\.js)\"")
    assert sum((assets.STATIC / name).stat().st_size for name in at_once) < MOST_BYTES
    ever = reached(path.name, r"[\"(]\./([\w-]+\.js)\"")
    assert ever >= at_once
    assert sum(len(gzip.compress((assets.STATIC / name).read_bytes())) for name in ever) < MOST_BYTES, "as sent"


def reached(name: str, importing: str) -> set[str]:
    """The modules that a page loads, by what an import looks like."""
    seen, waiting = {"theme.js", "page.js"}, [name, "page.js"]
    while waiting:
        one = waiting.pop()
        seen.add(one)
        waiting += {*re.findall(importing, (assets.STATIC / one).read_text())} - seen
    return seen


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_no_module_reads_text_as_markup_or_code(path: Any) -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", path.read_text()
    )


def test_plotly_comes_packed_from_its_package(backend: Any) -> None:
    address = f"/panel/plotly/{assets.plotly_version()}.js"
    packed = backend().client.get(address, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert b"plotly.js" in gzip.decompress(packed.data)[:200]
    assert len(packed.data) < 2_000_000


def test_a_page_names_all_modules_that_it_imports_at_once(backend: Any) -> None:
    modules = assets.modules("page.js", "review.js")
    assert {"page.js", "review.js", "review_grid.js", "pictures.js", "job.js"} <= set(modules)
    assert len(set(modules)) == len(modules)
    assert "training_start.js" not in assets.modules("training.js"), "that one comes when somebody starts a training"
    made = backend()
    made.records.put_project("1.1795197302", title="Weather", label_config="<View></View>")
    page = made.client.get("/panel/review?project=1").get_data(as_text=True)
    named = tuple(re.findall(r'rel="modulepreload" href="/panel/static/\w+/([\w.]+)"', page))
    assert named == modules
    assert "modulepreload" not in made.client.get("/panel/sign-in").get_data(as_text=True)
