"""Settings for the whole suite: generated examples are the same for everybody, but in `make fuzz`."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from runner.workers import watch
from tests.drawn import FUZZ_UNTIL, examples

if TYPE_CHECKING:
    from tests.parity.ways import Ways

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
    from runner.service.logs import configure_logs
    from tests.parity.ways import open_ways

    configure_logs("warning", "json")
    with open_ways(tmp_path_factory.mktemp("parity")) as opened:
        yield opened


# Every worker of the suite, those of servers that tests start included, proves that it imports and opens
# nothing once its rights are gone. What it reports fails the suite, whatever its test made of the failure.


def pytest_configure() -> None:
    if watch.SETTING not in os.environ:  # processes of pytest-xdist have it from their parent
        descriptor, os.environ[watch.SETTING] = tempfile.mkstemp(prefix="actionbox-watch-")
        os.close(descriptor)


def _reported() -> list[str]:
    report = Path(os.environ[watch.SETTING])
    return sorted(set(report.read_text("utf-8").splitlines())) if report.exists() else []


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput") and _reported():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _reported():
        terminalreporter.write_line(f"FAILED: {line}", red=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        Path(os.environ[watch.SETTING]).unlink(missing_ok=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A short time for fuzzing reaches other tests each time; all of xdist's processes need one order."""
    if FUZZ_UNTIL is not None:
        random.Random(FUZZ_UNTIL).shuffle(items)


def pytest_runtest_setup() -> None:
    if FUZZ_UNTIL is not None and time.time() > FUZZ_UNTIL:
        pytest.skip("the time for fuzzing is over")
