"""The identity of a process is its own, in whatever way it was made."""

from __future__ import annotations

import os

import pytest

from runner.store.database.process import lock_of, process


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_is_another_process() -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, process().encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as told:
        theirs = told.read()
    assert theirs
    assert theirs != process()
    assert lock_of(theirs) != lock_of(process())
