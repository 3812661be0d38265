"""Runs one hostile Action the way a platform would, and says what must hold whatever it did.

The oracles of the threat model: a typed end of the expected class, no fault of ours, nothing of the host in
any text that a tenant or user sees, and another tenant's Action on the same process that is exact.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from runner.flow.programs import ProgramCache
from runner.flow.runner import Runner
from runner.model.action import Action
from runner.model.outcome import Decision, FlowOutcome
from sandbox.core.caps import MIB, Limits
from sandbox.core.program import Language, Source
from sandbox.egress import NoEgress
from sandbox.egress.model import Egress
from tests.flow.actions import javascript, python
from triggers import get_trigger

LIMITS: Final = Limits(wall_ms=200, memory_bytes=64 * MIB)
PATIENT: Final = Limits(wall_ms=120_000, memory_bytes=64 * MIB)
"""For attacks that must end by another cap than time, on a machine that is busy."""
CEILING_SECONDS: Final = 300.0
"""Only what never ends takes longer; `make bench` measures how late stops are."""

OURS: Final = (
    str(Path(__file__).parents[2]),
    str(Path.home()),
    sys.prefix,
    sys.base_prefix,
    "site-packages",
    "Traceback (most recent call last)",
    "wasmtime",
    "aiohttp",
    "asyncio/",
    "<frozen",
)
"""What no tenant and no user may read."""

_PROGRAMS: Final = ProgramCache()
_CANARIES: Final = (
    javascript(
        "let s = 0; for (let i = 0; i < 100; i++) s += i * i;"
        "console.log('canary', s, { a: [1, 'x'] }); api.idToken.setCustomClaim('sum', s);",
        name="canary",
    ),
    python(
        "s = sum(i * i for i in range(100))\nprint('canary', s, {'a': [1, 'x']})\n"
        "api.id_token.set_custom_claim('sum', s)",
        name="canary",
    ),
)
_SUNG: Final = ("canary 328350 { a: [ 1, 'x' ] }", "canary 328350 {'a': [1, 'x']}")


def source(text: str, language: Language, filename: str | None = None, **options: Any) -> Action:
    """An Action of exactly this text."""
    name = filename or ("attack.py" if language is Language.PYTHON else "attack.js")
    return Action("attack", Source(language, name, text), **options)


def attack(
    action: Action,
    *,
    trigger: str = "post-login",
    event: dict[str, Any] | None = None,
    limits: Limits = LIMITS,
    egress: Egress | None = None,
) -> FlowOutcome:
    """Run `action` as a flow of its own, and check all that must hold after any attack."""
    outcome = run(action, trigger=trigger, event=event, limits=limits, egress=egress)
    check_text(outcome)
    assert outcome.failure is None or outcome.failure.code != "internal", outcome.failure
    if outcome.decision is Decision.FAILED:
        assert outcome.actions[0].commands == (), "a failed execution commits nothing"
    canary()
    return outcome


def run(
    action: Action,
    *,
    trigger: str = "post-login",
    event: dict[str, Any] | None = None,
    limits: Limits = LIMITS,
    egress: Egress | None = None,
) -> FlowOutcome:
    """Run `action` under `limits`, within the ceiling."""
    runner = Runner(egress=egress or NoEgress(), programs=_PROGRAMS)
    began = time.monotonic()
    given = event or get_trigger(trigger).example_event
    outcome = runner.run(trigger, given, [replace(action, limits=limits)], tenant="mallory")
    assert time.monotonic() - began < CEILING_SECONDS
    return outcome


def ended(outcome: FlowOutcome, codes: Collection[str] | str) -> FlowOutcome:
    """The attack failed with one of `codes`."""
    wanted = {codes} if isinstance(codes, str) else set(codes)
    assert outcome.failure is not None, "the attack was expected to fail"
    assert str(outcome.failure.code) in wanted, outcome.failure
    assert outcome.failure.message
    assert outcome.failure.next_step
    return outcome


def check_text(outcome: FlowOutcome) -> None:
    """Nothing of the host stands in what the platform is given."""
    text = outcome.to_json()
    assert len(text) < 4 * MIB
    for mark in OURS:
        assert mark not in text, f"{mark!r} reached the outcome"


def printed(outcome: FlowOutcome) -> list[str]:
    """What the attack logged."""
    return [line.text for line in outcome.actions[0].logs]


def commands(outcome: FlowOutcome) -> list[tuple[str, list[Any]]]:
    """What the attack recorded."""
    return [(item.path, list(item.arguments)) for item in outcome.actions[0].commands]


def canary() -> None:
    """Actions of another tenant on this process give exactly what they always give."""
    runner = Runner(egress=NoEgress(), programs=_PROGRAMS)
    for action, line in zip(_CANARIES, _SUNG, strict=True):
        outcome = runner.run(
            "post-login", get_trigger("post-login").example_event, [action], tenant="bystander"
        )
        assert outcome.failure is None, outcome.failure
        assert printed(outcome) == [line]
        assert commands(outcome) == [("idToken.setCustomClaim", ["sum", 328350])]
        assert outcome.effects.decision == "allow"
