"""An Action as a flow runs it, and loading one from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from runner.model.caps import MAX_SECRET_NAME, MAX_SECRET_VALUE, MAX_SECRETS
from runner.model.errors import ActionError
from runner.model.secret_names import SCOPE, SecretValues, apart, together
from runner.model.source_size import check_size
from runner.project.allowlist import declared_rules
from runner.project.dependencies import module_secrets, with_dependencies
from sandbox.core.caps import MAX_SOURCE_BYTES, Limits
from sandbox.core.program import Language, Source
from sandbox.egress.allow import AllowRule

EXTENSIONS: Final = {
    ".js": Language.JAVASCRIPT,
    ".cjs": Language.JAVASCRIPT,
    ".mjs": Language.JAVASCRIPT,
    ".ts": Language.JAVASCRIPT,
    ".mts": Language.JAVASCRIPT,
    ".cts": Language.JAVASCRIPT,
    ".py": Language.PYTHON,
}


class FailPolicy(StrEnum):
    """What a flow does when an Action fails (design section 8)."""

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


def load_action(
    path: str | Path,
    *,
    name: str | None = None,
    secrets: SecretValues | None = None,
    configuration: Mapping[str, Any] | None = None,
    fail_policy: FailPolicy | None = None,
    last_good: str | Path | None = None,
    limits: Limits | None = None,
    allow: tuple[AllowRule, ...] | None = None,
) -> Action:
    """The Action in a file.

    Args:
        name: its stem unless given.
        secrets: values by name; those of a shared module by name under `actions:MODULE`.
        last_good: the file of the version before.
        allow: the only hosts that it may reach; left out, those that are declared beside it, if any
            (`runner.project.allowlist`).

    Raises:
        ActionError: `not_found`, `is_folder`, `not_a_file`, `unreadable`, `unknown_language`, `too_large`,
            `not_utf8`, `dependency`, `invalid_package_json`, `invalid_pyproject`, or what `Action` raises.
    """
    source = load_source(path)
    own, modules = apart(secrets or {})
    return Action(
        name=name or Path(path).stem,
        source=source,
        secrets=own,
        configuration=dict(configuration or {}),
        fail_policy=fail_policy,
        last_good=load_source(last_good) if last_good is not None else None,
        limits=limits,
        module_secrets=module_secrets(source, modules),
        allow=declared_rules(Path(path), source.language) if allow is None else allow,
    )


def load_source(path: str | Path) -> Source:
    """The source in a file, its language by extension. Raises `ActionError` as `load_action` does."""
    path = Path(path)
    raw = _read(path)
    language = _language(path)
    check_size(path, len(raw))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ActionError(
            "not_utf8",
            f"{path} is not UTF-8 text: byte {raw[error.start]:#04x} at offset {error.start}",
            next_step="Save the file as UTF-8.",
            source=str(path),
        ) from None
    return with_dependencies(path, Source(language=language, filename=path.name, text=text))


def _read(path: Path) -> bytes:
    """At most one byte more than the cap, so that a huge file is noticed and not loaded."""
    try:
        if path.is_dir():
            raise ActionError("is_folder", f"{path} is a folder, not an Action file", source=str(path))
        if path.exists() and not path.is_file():
            raise ActionError("not_a_file", f"{path} is not a regular file", source=str(path))
        with path.open("rb") as file:
            return file.read(MAX_SOURCE_BYTES + 1)
    except FileNotFoundError:
        raise ActionError(
            "not_found",
            f"there is no Action file {path}",
            next_step="Check the path; `actionbox new` writes a first Action.",
            source=str(path),
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ActionError("unreadable", f"{path} cannot be read: {reason}", source=str(path)) from None


def _language(path: Path) -> Language:
    language = EXTENSIONS.get(path.suffix.lower())
    if language is not None:
        return language
    known = ", ".join(EXTENSIONS)
    raise ActionError(
        "unknown_language",
        f"the language of {path} is unknown: it ends in none of {known}",
        next_step=f"Name the file with one of {known}.",
        source=str(path),
    )


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
