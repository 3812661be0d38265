"""Settings for the whole suite: generated examples are the same for everybody, but in `make fuzz`."""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from runner.workers.child import late_imports
from tests.drawn import FUZZ_UNTIL, examples
from tests.forked_workers import fork_workers, template

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.parity.ways import Ways

pytest_plugins = ["tests.flow.fixtures", "tests.serving.fixtures"]

_HERE = Path(__file__).parent

# Machines that run the suite are shared and slow at times: what is too slow for hypothesis is no fault.
settings.register_profile(
    "actionbox",
    examples(60),
    deadline=None,
    derandomize=FUZZ_UNTIL is None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("actionbox")


@pytest.fixture(scope="session")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    """The three ways to run flows, with one server and one worker for all tests of a process."""
    from runner.server.logs import configure_logs
    from tests.parity.ways import open_ways

    configure_logs("warning", "json")
    with open_ways(tmp_path_factory.mktemp("parity")) as opened:
        yield opened


@pytest.fixture(scope="session", autouse=True)
def _workers_are_forked() -> None:
    fork_workers(template())


@pytest.fixture(scope="session", autouse=True)
def databases_are_not_used_on_event_loops() -> Iterator[None]:
    """What waits for a database, or for others that write to it, holds up every login of the loop."""
    from runner.store import Store

    def off_loops(use: Callable[..., AbstractContextManager[Session]]) -> Any:
        @functools.wraps(use)
        def checked(self: Store, **options: Any) -> AbstractContextManager[Session]:
            name = inspect.currentframe().f_back.f_globals["__name__"]
            if name.startswith("runner.") and asyncio._get_running_loop() is not None:
                raise AssertionError(f"{name} uses the database on an event loop")
            return use(self, **options)

        return checked

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "begin", off_loops(Store.begin))
        patch.setattr(Store, "read", off_loops(Store.read))
        yield


# Every worker of the suite, those of servers that tests start included, proves that it imports and opens
# nothing once its rights are gone. What it reports fails the suite, whatever its test made of the failure.


def pytest_configure() -> None:
    if late_imports.SETTING not in os.environ:  # processes of pytest-xdist have it from their parent
        descriptor, os.environ[late_imports.SETTING] = tempfile.mkstemp(prefix="actionbox-watch-")
        os.close(descriptor)


def _reported() -> list[str]:
    report = Path(os.environ[late_imports.SETTING])
    return sorted(set(report.read_text("utf-8").splitlines())) if report.exists() else []


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput") and _reported():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _reported():
        terminalreporter.write_line(f"FAILED: {line}", red=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        Path(os.environ[late_imports.SETTING]).unlink(missing_ok=True)


_LONG = (
    "adversarial/test_every_member.py",
    "console/test_in_browser.py",
    "dev",
    "drills",
    "e2e",
    "jobs",
    "management",
    "packages",
    "parity",
    "tools",
)
"""Tests that take seconds each: begun last, they would keep one process busy while others wait."""


def _is_long(path: Path) -> bool:
    place = path.relative_to(_HERE)
    return place.parts[0] in _LONG or place.as_posix() in _LONG


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A short time for fuzzing reaches other tests each time; all of xdist's processes need one order."""
    if FUZZ_UNTIL is not None:
        random.Random(FUZZ_UNTIL).shuffle(items)
    else:
        items[:] = _dealt(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def _dealt(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """xdist gives each process an equal share, in order, and to one that has done its own the later half of
    another's. So long tests come first in each share, whole modules together."""
    shares: list[list[pytest.Item]] = [[] for _ in range(processes)]
    modules = [list(found) for _, found in itertools.groupby(items, key=lambda item: item.path)]
    long = [found for found in modules if _is_long(found[0].path)]
    for index, module in enumerate(long):
        shares[index % processes] += module
    short = [item for found in modules if not _is_long(found[0].path) for item in found]
    for index, share in enumerate(shares):
        left = sum(map(len, shares[index:])) + len(short)
        room = max(left // (processes - index) - len(share), 0)
        share += short[:room]
        del short[:room]
    return [item for share in shares for item in share] + short


def pytest_runtest_setup() -> None:
    if FUZZ_UNTIL is not None and time.time() > FUZZ_UNTIL:
        pytest.skip("the time for fuzzing is over")
