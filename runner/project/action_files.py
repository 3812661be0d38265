"""Load Actions from files, with what is declared beside them: packages, modules, allow-lists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from runner.model.action import Action, FailPolicy
from runner.model.errors import ActionError
from runner.model.secret_names import SecretValues, apart
from runner.model.source_size import check_size
from runner.project.allowlist import declared_rules
from runner.project.dependencies import module_secrets, with_dependencies
from sandbox.core.caps import MAX_SOURCE_BYTES, Limits
from sandbox.core.program import Language, Source
from sandbox.egress.policy.allow import AllowRule

EXTENSIONS: Final = {
    ".js": Language.JAVASCRIPT,
    ".cjs": Language.JAVASCRIPT,
    ".mjs": Language.JAVASCRIPT,
    ".ts": Language.JAVASCRIPT,
    ".mts": Language.JAVASCRIPT,
    ".cts": Language.JAVASCRIPT,
    ".py": Language.PYTHON,
}


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
