"""Shared by the tests of the runner: a runner without network, and Actions from a few lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runner.flow.programs import ProgramCache
from runner.flow.runner import Runner
from runner.model.action import Action
from sandbox.egress import NoEgress
from tests.flow.actions import javascript, python
from triggers import get_trigger

PROGRAMS = ProgramCache()
"""One cache for all tests: most sources occur once, but the engines need not warm up again."""


@pytest.fixture
def runner() -> Runner:
    return Runner(egress=NoEgress(), programs=PROGRAMS)


@pytest.fixture
def event() -> dict[str, Any]:
    """A complete post-login event."""
    return get_trigger("post-login").example_event


@pytest.fixture(params=["javascript", "python"])
def claim(request: pytest.FixtureRequest) -> Callable[[str, Any], Action]:
    """Makes an Action that sets one ID token claim, in either language."""

    def make(name: str, value: int) -> Action:
        if request.param == "python":
            return python(f"api.id_token.set_custom_claim({name!r}, {value})", name=name)
        return javascript(f"api.idToken.setCustomClaim({name!r}, {value});", name=name)

    return make
