"""What does Espalier's app cost Label Studio's pages? Prints a table; run it on a quiet machine.

    python -m bench.labelstudio [--requests 300]

Two Label Studios from the same environment and copies of the same data, one with the app on and one without, are asked
for the same page in turns, so that what disturbs one disturbs the other: its projects, and a task opened in the label
editor, as HTML. What counts is the median of the differences within the pairs. The environment is
ESPALIER_LABEL_STUDIO_VENV, or .venv-labelstudio.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.serving import free_port
from espalier.demo.installation import install, keep_template, template
from espalier.demo.label_studio import LabelStudioServer
from espalier.demo.pictures import IMAGE_CONFIG

ROOT = Path(__file__).resolve().parents[1]
MOST_MS, MOST_BYTES = 20.0, 30_000
WARM = 10


@contextmanager
def pair(home: Path) -> Iterator[tuple[LabelStudioServer, LabelStudioServer]]:
    """Without the app, and with it, for an Espalier that does not run: no page of Label Studio waits for one."""
    environment = Path(os.environ.get("ESPALIER_LABEL_STUDIO_VENV", ROOT / ".venv-labelstudio"))
    program = install(environment, lambda sentence: print(sentence, file=sys.stderr))
    migrated = template(environment)
    if not migrated.exists():
        LabelStudioServer(program, home / "template", free_port(), "a-long-password").start().stop()
        migrated = keep_template(environment, home / "template")
    started: list[LabelStudioServer] = []
    try:
        for name, app in (("off", False), ("on", True)):
            shutil.copytree(migrated, home / name / "data")
            one = LabelStudioServer(
                program, home / name / "data", free_port(), "a-long-password", "bench@example.org", app=app
            )
            started.append(one.start())
        yield started[0], started[1]
    finally:
        for one in started:
            one.stop()


def with_task(server: LabelStudioServer) -> str:
    """The page of one task in the label editor."""
    project = server.call("POST", "/api/projects/", json={"title": "Measured", "label_config": IMAGE_CONFIG})["id"]
    path = f"/api/projects/{project}/import?return_task_ids=true"
    task = server.call("POST", path, json=[{"data": {"image": "/static/images/logo.png"}}])["task_ids"][0]
    return f"/projects/{project}/data?task={task}"


def seconds(server: LabelStudioServer, path: str) -> float:
    start = time.perf_counter()
    server.session.get(server.url + path, timeout=60).raise_for_status()
    return time.perf_counter() - start


def measured(off: tuple[LabelStudioServer, str], on: tuple[LabelStudioServer, str], requests: int) -> list[list[float]]:
    """Milliseconds of the pairs: off, on. Which comes first changes every time."""
    pairs = []
    for at in range(WARM + requests):
        order = (off, on) if at % 2 else (on, off)
        took = {one[0].app: seconds(*one) * 1e3 for one in order}
        pairs.append([took[False], took[True]])
    return pairs[WARM:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=300)
    given = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {given.requests} pairs of requests a page\n")
    with tempfile.TemporaryDirectory() as directory, pair(Path(directory)) as (off, on):
        print("| page | app off, median ms | app on | added, median of the pairs | limit |\n|---|---|---|---|---|")
        for words, pages in {"projects": ("/projects/",) * 2, "a task": (with_task(off), with_task(on))}.items():
            pairs = measured((off, pages[0]), (on, pages[1]), given.requests)
            without, with_it = (statistics.median(column) for column in zip(*pairs, strict=True))
            added = statistics.median(b - a for a, b in pairs)
            print(f"| {words} | {without:.2f} | {with_it:.2f} | {added:+.2f} ms | under {MOST_MS:.0f} ms |", flush=True)
        page = on.session.get(on.url + pages[1], timeout=60).text
        found = re.search(r'src="(/espalier/[^"]+)"', page)
        if found is None:
            raise SystemExit(f"the app does not run inside Label Studio; its log is {on.log}")
        script = on.session.get(on.url + found[1], timeout=60).content
        packed = len(gzip.compress(script))
        print("\n| | bytes | limit |\n|---|---|---|")
        print(f"| script | {len(script):,} ({packed:,} packed) | under {MOST_BYTES:,} |")
        print(f"| scripts of ours in a page | {page.count('/espalier/')} | 1 |")


if __name__ == "__main__":
    main()
