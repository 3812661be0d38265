from __future__ import annotations

from collections.abc import Iterator

import pytest

import sandbox
from sandbox.core.program import Language
from sandbox.python.engine import PythonEngine
from tests.sandbox.python.actions import Runner


@pytest.fixture(scope="session")
def runner() -> Runner:
    engine = sandbox.open_engine(Language.PYTHON)
    assert isinstance(engine, PythonEngine)
    return Runner(engine)


@pytest.fixture(scope="session")
def open_runner() -> Iterator[Runner]:
    """Runs Actions without the policy: nothing but the WebAssembly instance holds them."""
    engine = PythonEngine(policy=False, pool_size=1)
    yield Runner(engine)
    engine.close()
