"""Settings of a runner's flows."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.model.caps import DEFAULT_BUDGET_MS, DEFAULT_HANDLE_SECONDS, MAX_BUDGET_MS, MAX_HANDLE_SECONDS
from sandbox.core.caps import Limits


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of every flow of a `Runner`.

    Attributes:
        tenant: used where a call names none.
        limits: of one execution, for Actions without limits of their own.
        budget_ms: wall time of one leg (reference/limits.md: 20 s).
        handle_seconds: how long a suspended flow waits.
        features: gates of the trigger contracts that are open.
        payload_may_override_claims: see `triggers.Services`.
    """

    tenant: str = "local"
    limits: Limits = field(default_factory=Limits)
    budget_ms: int = DEFAULT_BUDGET_MS
    handle_seconds: int = DEFAULT_HANDLE_SECONDS
    features: frozenset[str] = frozenset()
    payload_may_override_claims: bool = True

    def __post_init__(self) -> None:
        _check_range("budget_ms", self.budget_ms, MAX_BUDGET_MS)
        _check_range("handle_seconds", self.handle_seconds, MAX_HANDLE_SECONDS)


def _check_range(name: str, value: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= high:
        raise ValueError(f"{name} must be a whole number from 1 to {high}, not {value!r}")
