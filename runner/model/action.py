"""An Action as a flow runs it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from runner.model.caps import MAX_SECRET_NAME, MAX_SECRET_VALUE, MAX_SECRETS
from runner.model.errors import ActionError
from runner.model.secret_names import SCOPE, together
from sandbox.core.caps import Limits
from sandbox.core.program import Language, Source
from sandbox.egress.policy.allow import AllowRule


class FailPolicy(StrEnum):
    """The reaction of a flow to an Action that fails (design section 8)."""

    CLOSED = "closed"
    """The flow fails. The default of blocking triggers."""
    OPEN = "open"
    """The Action is skipped and the flow goes on. Never chosen by default."""
    LAST_GOOD = "last_good"
    """The version before this one runs once instead; when it fails as well, the flow fails."""


@dataclass(frozen=True, slots=True)
class Action:
    """One version of a tenant's Action with what it needs to run.

    Attributes:
        name: shown in outcomes and failures.
        source: language, file name and text.
        secrets: `event.secrets` of this Action only.
        configuration: `event.configuration`.
        fail_policy: None takes the trigger's default.
        last_good: the version to fall back to, for `FailPolicy.LAST_GOOD`.
        limits: of one execution; None takes the runner's.
        module_secrets: `actions.secrets` of the shared modules it uses, by name of the module.
        allow: the only hosts that it may reach, within what the runner's egress allows; None for all those.

    Raises:
        ActionError: `invalid_secrets` or `missing_last_good`.
    """

    name: str
    source: Source
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    configuration: Mapping[str, Any] = field(default_factory=dict, repr=False)
    fail_policy: FailPolicy | None = None
    last_good: Source | None = None
    limits: Limits | None = None
    module_secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    allow: tuple[AllowRule, ...] | None = None

    def __post_init__(self) -> None:
        _check_secrets(self.name, self.secrets)
        for module, values in self.module_secrets.items():
            _check_secrets(f"{self.name}, module {SCOPE}{module}", values)
        if self.fail_policy is FailPolicy.LAST_GOOD and self.last_good is None:
            raise ActionError(
                "missing_last_good",
                f"Action {self.name!r} has the fail policy last_good but no earlier version",
                next_step="Give `last_good`, or choose another fail policy.",
            )

    @property
    def language(self) -> Language:
        return self.source.language

    @property
    def every_secret(self) -> dict[str, str]:
        """Its own secrets and those of its modules, see `runner.model.secret_names`."""
        return together(self.secrets, self.module_secrets)

    @property
    def digest(self) -> str:
        """Identifies the version, see `source_digest`."""
        return source_digest(self.source)


@lru_cache(maxsize=1024)
def source_digest(source: Source) -> str:
    """SHA-256 over language, file extension (it tells dialects apart) and text, in hex."""
    kind = f"{source.language.value}\0{Path(source.filename).suffix.lower()}\0"
    if source.dependencies is not None:
        kind += f"{source.dependencies.digest}\0"
    return hashlib.sha256((kind + source.text).encode("utf-8", "surrogatepass")).hexdigest()


def with_unique_names(actions: Sequence[Action]) -> tuple[Action, ...]:
    """A name that occurs again gets a number, so that outcomes and secrets name one Action each."""
    seen: dict[str, int] = {}
    named = []
    for action in actions:
        count = seen[action.name] = seen.get(action.name, 0) + 1
        named.append(action if count == 1 else replace(action, name=f"{action.name}#{count}"))
    return tuple(named)


def _check_secrets(action: str, secrets: Mapping[str, str]) -> None:
    if len(secrets) > MAX_SECRETS:
        raise ActionError(
            "invalid_secrets", f"Action {action!r} has {len(secrets)} secrets; the most is {MAX_SECRETS}"
        )
    for name, value in secrets.items():
        if not isinstance(name, str) or not 0 < len(name) <= MAX_SECRET_NAME:
            raise ActionError("invalid_secrets", f"a secret's name has 1 to {MAX_SECRET_NAME} characters")
        if not isinstance(value, str):
            raise ActionError("invalid_secrets", f"the value of secret {name!r} must be a string")
        if len(value) > MAX_SECRET_VALUE:
            raise ActionError(
                "invalid_secrets",
                f"the value of secret {name!r} is longer than {MAX_SECRET_VALUE} characters",
            )
