"""What an Action in a worker gives up, the parent gives up too: it makes the requests."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from sandbox.core.caps import Limits
from sandbox.egress import EgressPolicy, HttpEgress
from tests.sandbox.egress.aborted import JAVASCRIPT, PYTHON, hanging, javascript_body, python_body
from tests.workers.pools import LivePool, javascript, pool, python
from tests.workers.test_pool import logs

LIMITS = Limits(wall_ms=8_000)


@pytest.fixture(scope="module")
def live() -> Iterator[LivePool]:
    with pool(workers=1, egress=HttpEgress(EgressPolicy(allow_private=True))) as started:
        yield started


@pytest.mark.parametrize("name", JAVASCRIPT)
def test_javascript(live: LivePool, name: str) -> None:
    with hanging() as peer:
        outcome = live.run(javascript(javascript_body(JAVASCRIPT[name], peer), limits=LIMITS))
        assert outcome.failure is None, outcome.failure
        assert logs(outcome) == ["at once"]


@pytest.mark.parametrize("name", PYTHON)
def test_python(live: LivePool, name: str) -> None:
    with hanging() as peer:
        outcome = live.run(python(python_body(PYTHON[name], peer), limits=LIMITS))
        assert outcome.failure is None, outcome.failure
        assert logs(outcome) == ["at once"]


def test_what_the_system_calls_a_breakage_reaches_the_action(live: LivePool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    body = (
        f"await fetch('http://127.0.0.1:{port}/').catch((e) => console.log(e.cause.code, e.cause.rule));\n"
        f"await fetch('https://127.0.0.1:{port}/');"
    )
    outcome = live.run(javascript(body))
    assert logs(outcome) == ["ECONNREFUSED connect"]
    assert outcome.failure is not None
    assert outcome.failure.code == "egress"
    assert outcome.failure.detail["cause_code"] == "ECONNREFUSED"
