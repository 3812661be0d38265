"""Runs what may take seconds beside the calling thread, which waits no longer than its deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from sandbox.core.caps import MAX_HEAVY_COMPUTATIONS
from sandbox.core.pace import TooLateError, slow
from sandbox.hostcrypto.errors import CryptoError

_slots: Final = threading.BoundedSemaphore(MAX_HEAVY_COMPUTATIONS)


def within(deadline: float, work: Callable[[], Any]) -> Any:
    """Run `work` and return or raise what it does.

    Work that is not done by then goes on unwatched until it ends by itself (caps bound it to a few
    seconds). It holds its place until then: a flood of abandoned work queues behind itself.

    Args:
        deadline: in `time.monotonic()` seconds.

    Raises:
        CryptoError: the deadline passed.
    """
    try:
        with slow() as over:  # what may take seconds shall not slow down what takes a millisecond
            return _within(deadline, work, over)
    except TooLateError:
        raise _late() from None


def _within(deadline: float, work: Callable[[], Any], over: Callable[[], None]) -> Any:
    left = deadline - time.monotonic()
    if left <= 0 or not _slots.acquire(timeout=left):
        over()
        raise _late()
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            failure.append(error)
        finally:
            _slots.release()
            over()

    worker = threading.Thread(target=run, name="hostcrypto", daemon=True)
    worker.start()
    worker.join(max(0.0, deadline - time.monotonic()))
    if failure:
        raise failure[0]
    if not outcome:
        raise _late()
    return outcome[0]


def _late() -> CryptoError:
    return CryptoError("The execution's time ran out during this computation")
