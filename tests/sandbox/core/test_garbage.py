"""What is there when a process begins to serve costs collections nothing."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from sandbox.core.garbage import settle


class _Node:
    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_there_stays_and_what_comes_later_is_collected() -> None:
    garbage, kept = weakref.ref(_Node()), _Node()
    settle()
    assert garbage() is None, "it was garbage before"
    assert gc.get_freeze_count() > 10_000
    assert not any(item is kept for item in gc.get_objects()), "collections do not look at it"
    later = weakref.ref(_Node())
    gc.collect()
    assert later() is None
