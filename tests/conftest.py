"""Where the real data lies, if it does: a test that needs it asks for `shared`, and is skipped without it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("ESPALIER_TEST_DATA", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Call it with a path below the shared directory."""

    def find(path: str) -> Path:
        found = SHARED / path
        if not found.exists():
            pytest.skip(f"real data {path!r} is not here; set ESPALIER_TEST_DATA to the directory that holds it")
        return found

    return find


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of a GPU are no tests at all on a machine without one."""
    if Path("/dev/nvidiactl").exists():
        return
    needing = [item for item in items if item.get_closest_marker("gpu")]
    if needing:
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where the real data is, nothing may be skipped in CI: a skip there is a test that quietly went away."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if reporter and skipped and os.environ.get("CI") and SHARED.exists():
        names = ", ".join(str(report.nodeid) for report in skipped)
        reporter.write_line(f"\n{len(skipped)} skipped although the real data is here: {names}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
