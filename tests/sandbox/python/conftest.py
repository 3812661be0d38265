from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.python.engine import PythonEngine
from tests.sandbox.python.actions import Runner


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    engine = PythonEngine()
    yield Runner(engine)
    engine.close()
