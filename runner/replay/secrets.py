"""Secrets for a replay: those that were given, seen to be the right ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.model.errors import InputError
from runner.model.secret_names import SecretValues, flattened
from runner.replay.leg import invalid_record
from runner.replay.marks import is_value, placeholder
from runner.replay.record import FlowRecord
from runner.suspension.stores import PinnedAction


@dataclass(frozen=True, slots=True)
class GivenSecrets:
    """Values of the secrets by Action, and names of Action and secret where a placeholder stands."""

    values: tuple[dict[str, str], ...]
    placeholders: tuple[tuple[str, str], ...] = ()


def secrets_of(
    record: FlowRecord,
    provide: Callable[[PinnedAction], SecretValues] | None,
    *,
    without_secrets: bool = False,
) -> GivenSecrets:
    """The secrets that the record holds, or those that `provide` gives.

    Args:
        without_secrets: let placeholders stand for those that are missing.

    Raises:
        InputError: `missing_secrets`; `wrong_secret`: a value is not the one of that time; `invalid_record`.
    """
    if record.secrets is not None:
        _check_names(record, [set(values) for values in record.secrets])
        return GivenSecrets(tuple(dict(values) for values in record.secrets))
    if record.fingerprints is not None:
        _check_names(record, [set(values) for values in record.fingerprints])
    found, missing = [], []
    for index, pinned in enumerate(record.actions):
        given = flattened(provide(pinned)) if provide is not None and pinned.wanted else {}
        absent = [name for name in pinned.wanted if name not in given]
        if absent and not without_secrets:
            raise InputError(
                "missing_secrets",
                f"the record holds no secrets; Action {pinned.name!r} needs {', '.join(absent)}",
                next_step="Give them with --secret NAME=VALUE, or record with --record-secrets.",
            )
        missing += [(pinned.name, name) for name in absent]
        values = {name: given[name] for name in pinned.wanted if name in given}
        _check_values(record, index, values)
        found.append(values | {name: placeholder(record.tag, index, name) for name in absent})
    return GivenSecrets(tuple(found), tuple(missing))


def _check_values(record: FlowRecord, index: int, values: dict[str, str]) -> None:
    expected = {} if record.fingerprints is None else record.fingerprints[index]
    for name, value in values.items():
        if name in expected and not is_value(record.tag, name, value, expected[name]):
            raise InputError(
                "wrong_secret",
                f"secret {name} of Action {record.actions[index].name!r} is not the value that it had when "
                "the record was written",
                next_step="Give the value of that time; without it a placeholder stands for the secret.",
            )


def _check_names(record: FlowRecord, names: list[set[str]]) -> None:
    """Raises `InputError` (`invalid_record`) unless the secrets are those that the Actions want."""
    if names != [set(pinned.wanted) for pinned in record.actions]:
        raise invalid_record("its secrets are not those of its Actions")
