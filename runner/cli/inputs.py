"""Input of commands, turned into values: secrets, events, parameters, limits."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from runner.model.action import Action
from runner.model.caps import MAX_BUDGET_MS
from runner.model.errors import InputError
from runner.model.secret_names import SCOPE
from runner.project.action_files import load_action
from runner.project.dependencies import module_secrets
from runner.project.jsonfile import parse_json, read_json, read_text
from runner.suspension.stores import PinnedAction
from runner.testing.cases.model import epoch
from sandbox.core.caps import MIB, Limits
from sandbox.egress.policy.allow import AllowRule, parse_allow

_ENV_LINE: Final = re.compile(r"(?:export\s+)?([^\s=#][^=]*?)\s*=\s*(.*)")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets by name, for every Action and for single ones."""

    shared: Mapping[str, str] = field(default_factory=dict)
    by_action: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def with_defaults(self, values: Any) -> Secrets:
        """With `event.secrets` of an event file, as other tools write it, behind what was given."""
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            return self
        return Secrets({**values, **self.shared}, self.by_action)

    def of(self, action: str) -> dict[str, str]:
        return {**self.shared, **self.by_action.get(action, {})}

    def of_pinned(self, pinned: PinnedAction) -> dict[str, str | Mapping[str, str]]:
        """Of an Action in a suspended flow or a record, and of its modules."""
        modules = {name: values for name, values in self.by_action.items() if name.startswith(SCOPE)}
        return {**self.of(pinned.source.filename), **self.of(pinned.name), **modules}


def parse_pairs(values: Sequence[str], option: str, what: str) -> dict[str, str]:
    """`NAME=VALUE` arguments.

    Raises:
        InputError: `invalid_option`: without `=`, without a name, or a name twice.
    """
    pairs: dict[str, str] = {}
    for value in values:
        name, equals, content = value.partition("=")
        if not equals:
            # The argument is not echoed for secrets: it may be the value itself.
            shown = "" if what == "secret" else f" {value!r}"
            raise InputError(
                "invalid_option", f"{option}{shown} has no value", next_step=f"Write {option} NAME=VALUE."
            )
        if not name:
            raise InputError("invalid_option", f"{option} has a value but no name")
        if name in pairs:
            raise InputError("invalid_option", f"{what} {name} is given twice")
        pairs[name] = content
    return pairs


def allow_rules(options: Sequence[str]) -> tuple[AllowRule, ...] | None:
    """The rules of `--allow`; None without any, which allows every host.

    Raises:
        InputError: `invalid_option`.
    """
    try:
        return tuple(map(parse_allow, options)) or None
    except ValueError as error:
        step = "Write --allow 'GET,POST api.example.com/v1', or a part of it."
        raise InputError("invalid_option", f"--allow: {error}", next_step=step) from None


def gather_secrets(options: Sequence[str], file: Path | None) -> Secrets:
    """Secrets of `--secret` and `--secrets`; an option outranks the file.

    Raises:
        InputError: `invalid_option`, `invalid_secrets`, or as reading a file does.
    """
    given = parse_pairs(options, "--secret", "secret")
    secrets = _grouped(given)
    if file is not None:
        loaded = _secrets_file(file)
        groups = {*loaded.by_action, *secrets.by_action}
        secrets = Secrets(
            {**loaded.shared, **secrets.shared},
            {
                name: {**loaded.by_action.get(name, {}), **secrets.by_action.get(name, {})}
                for name in sorted(groups)
            },
        )
    for mapping in (secrets.shared, *secrets.by_action.values()):
        for name, value in mapping.items():
            if not value:
                raise InputError("invalid_secrets", f"secret {name} has no value")
    return secrets


def _grouped(given: Mapping[str, str]) -> Secrets:
    """`--secret` values, those named `actions:MODULE.NAME` under their module."""
    shared: dict[str, str] = {}
    modules: dict[str, dict[str, str]] = {}
    for name, value in given.items():
        module, dot, inner = name.partition(".")
        if module.startswith(SCOPE) and dot and inner:
            modules.setdefault(module, {})[inner] = value
        else:
            shared[name] = value
    return Secrets(shared, modules)


def _secrets_file(file: Path) -> Secrets:
    text = read_text(file, "secrets file")
    is_json = text.lstrip().startswith(("{", "["))
    return _json_secrets(text, str(file)) if is_json else _env_secrets(text, str(file))


def _json_secrets(text: str, name: str) -> Secrets:
    data = parse_json(text, "secrets file", name)
    if not isinstance(data, dict):
        raise _bad_secrets(name, "must be a JSON object of names and values")
    _refuse_duplicates(text, name)
    shared: dict[str, str] = {}
    by_action: dict[str, dict[str, str]] = {}
    for key, value in data.items():
        if isinstance(value, str):
            shared[key] = value
        elif isinstance(value, dict):
            by_action[key] = _strings(value, name, f"$.{key}")
        else:
            raise _bad_secrets(name, f"the value of {key!r} must be a string (or an object, for one Action)")
    return Secrets(shared, by_action)


def _strings(value: Mapping[str, Any], name: str, path: str) -> dict[str, str]:
    for key, item in value.items():
        if not isinstance(item, str):
            raise _bad_secrets(name, f"{path}.{key} must be a string")
    return dict(value)


def _refuse_duplicates(text: str, name: str) -> None:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in items:
            if key in seen:
                raise _bad_secrets(name, f"{key!r} is given twice")
            seen[key] = value
        return seen

    json.loads(text, object_pairs_hook=pairs)


def _env_secrets(text: str, name: str) -> Secrets:
    shared: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        content = raw.strip()
        if not content or content.startswith("#"):
            continue
        found = _ENV_LINE.fullmatch(content)
        if found is None:
            raise _bad_secrets(name, f"line {number} is not NAME=VALUE (the file may also be a JSON object)")
        key, value = found[1], _unquoted(found[2])
        if key in shared:
            raise _bad_secrets(name, f"line {number}: {key!r} is given twice")
        shared[key] = value
    return Secrets(shared)


def _unquoted(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def _bad_secrets(name: str, problem: str) -> InputError:
    return InputError("invalid_secrets", f"secrets file {name} cannot be used: {problem}", source=name)


def load_actions(files: Iterable[Path], secrets: Secrets) -> list[Action]:
    """The Actions with their secrets; per-Action secrets go by stem or by file name.

    Raises:
        ActionError: as `load_action` does.
        InputError: `invalid_secrets`: secrets for an Action that is not in the flow.
    """
    actions = [load_action(file) for file in files]
    names = {action.name for action in actions} | {action.source.filename for action in actions}
    names |= {f"{SCOPE}{name}" for action in actions for name in module_secrets(action.source, {})}
    for name in secrets.by_action:
        if name not in names:
            raise InputError(
                "invalid_secrets",
                f"there are secrets for {name!r}, but no such Action",
                next_step=f"The Actions here are {', '.join(sorted(action.name for action in actions))}.",
            )
    return [
        replace(
            action,
            secrets={**secrets.of(action.source.filename), **secrets.of(action.name)},
            module_secrets=module_secrets(action.source, secrets.by_action),
        )
        for action in actions
    ]


def read_object(path: Path, what: str) -> dict[str, Any]:
    """A JSON object in a file, or on standard input for `-`. Raises `InputError`."""
    value = read_json(path, what)
    if not isinstance(value, dict):
        found = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
        raise InputError(
            "not_an_object", f"{what} {path} must be a JSON object, not {found.get(type(value), 'a number')}"
        )
    return value


def parse_clock(text: str | None) -> float | None:
    """Epoch seconds of `--clock`. Raises `InputError` (`invalid_option`)."""
    try:
        moment = epoch(text)
    except ValueError as error:
        raise InputError("invalid_option", f"--clock {text!r} {error}") from None
    return None if moment is None else float(moment)


def limits_of(timeout: float | None, memory: int | None) -> tuple[Limits, int]:
    """Limits of one Action and the budget of a leg in ms, from `--timeout` (s) and `--memory` (MB).

    Raises:
        InputError: `invalid_option`.
    """
    limits = Limits()
    if timeout is not None:
        if not math.isfinite(timeout) or not 0.001 <= timeout <= MAX_BUDGET_MS / 1000:
            raise InputError(
                "invalid_option",
                f"--timeout must be from 0.001 to {MAX_BUDGET_MS // 1000} seconds, not {timeout}",
            )
        limits = replace(limits, wall_ms=max(1, round(timeout * 1000)))
    if memory is not None:
        try:
            limits = replace(limits, memory_bytes=memory * MIB)
        except ValueError:
            raise InputError(
                "invalid_option", f"--memory must be from 32 to 2048 megabytes, not {memory}"
            ) from None
    return limits, limits.wall_ms
