from __future__ import annotations

import pytest

import sandbox
from sandbox.core.program import Language
from sandbox.python.engine import PythonEngine
from tests.policy.check import Policy


@pytest.fixture(scope="session")
def policy() -> Policy:
    engine = sandbox.open_engine(Language.PYTHON)
    assert isinstance(engine, PythonEngine)
    return Policy(engine)
