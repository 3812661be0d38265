"""What every sandbox test leaves behind is closed here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.ports import BEGUN


@pytest.fixture(autouse=True)
def _ended_ports() -> Iterator[None]:
    yield
    while BEGUN:
        BEGUN.pop().end()
