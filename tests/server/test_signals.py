"""SIGTERM ends a process in order, and is not forgotten where its exception cannot leave."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI

from runner.server.serve import _Server
from runner.server.signals import in_order


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


class _Dying:
    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


def test_it_ends_with_status_0() -> None:
    with pytest.raises(SystemExit) as ended, in_order() as told:
        os.kill(os.getpid(), signal.SIGTERM)
    assert ended.value.code == 0
    assert told.is_set()
    os.kill(os.getpid(), signal.SIGTERM)  # it is ending already


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_is_known_although_its_exception_was_swallowed() -> None:
    with in_order() as told:
        assert not told.is_set()
        dying = _Dying()
        del dying
        assert told.is_set()


def test_a_server_that_takes_the_signals_over_ends_for_an_earlier_one() -> None:
    app, told = FastAPI(), threading.Event()
    app.state.start_error = None
    told.set()
    ready: list[bool] = []
    server = _Server(app, uvicorn.Config(app, port=0, log_config=None), lambda: ready.append(True), told)
    try:
        asyncio.run(asyncio.wait_for(server.serve(), 20))
    finally:
        gc.unfreeze()
    assert ready, "it has started, and ends in order"
