"""A service whose log cannot be written answers as any other, and counts what was lost."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import urllib3

from tests.e2e.serving import environment
from tests.forked import Forked

HTTP = urllib3.PoolManager(retries=False, timeout=10)
_LONG = "x" * 100
Target = Callable[[], AbstractContextManager[int]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def no_reader() -> Iterator[int]:
    """A pipe that nobody reads from any more."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextmanager
def stalled_reader() -> Iterator[int]:
    """A pipe that somebody holds and does not read."""
    reading, writing = os.pipe()
    yield writing
    os.close(reading)
    os.close(writing)


@contextmanager
def full_disk() -> Iterator[int]:
    full = os.open("/dev/full", os.O_WRONLY)
    yield full
    os.close(full)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("target", [no_reader, stalled_reader, full_disk])
def test_answers_and_connections_are_as_ever(
    tmp_path: Path, target: Callable[[], AbstractContextManager[int]]
) -> None:
    port, metrics = free_port(), free_port()
    env = environment(tmp_path, ACTIONBOX_LOG_LEVEL="info", ACTIONBOX_METRICS_PORT=str(metrics))
    with target() as descriptor:
        process = Forked(["serve", "--port", str(port)], env, descriptor)
        try:
            url = f"http://127.0.0.1:{port}"
            until_ready(process, url)
            for _ in range(600):  # more than a pipe holds
                answer = HTTP.request("GET", f"{url}/api/v2/actions/triggers?{_LONG}")
                assert answer.status == 401
                assert answer.json()["statusCode"] == 401
            text = HTTP.request("GET", f"http://127.0.0.1:{metrics}/metrics").data.decode()
            found = re.search(r"^actionbox_log_lines_lost ([0-9.e+]+)$", text, re.MULTILINE)
            assert found is not None
            if target is not stalled_reader:
                assert float(found[1]) >= 600
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()


def until_ready(process: Forked, url: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline
        try:
            if HTTP.request("GET", f"{url}/ready").status == 200:
                return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.2)
