"""The secrets of an Action and of the shared modules it uses, under one name each.

People give a module's secrets as they stand in a secrets file: under `actions:MODULE`, an object of names
and values. Where all values of an Action are looked at together (redaction, records, a resume that misses
some) such a secret is called `actions:MODULE.NAME`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SCOPE: Final = "actions:"

SecretValues = Mapping[str, str | Mapping[str, str]]
"""Values by name, those of a module by name under `actions:MODULE`."""


def together(secrets: Mapping[str, str], module_secrets: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """All values of one Action by their single names."""
    named = {
        f"{SCOPE}{module}.{name}": value
        for module, values in module_secrets.items()
        for name, value in values.items()
    }
    return {**secrets, **named}


def flattened(values: SecretValues) -> dict[str, str]:
    """The secrets that a person or a provider gave, by single names."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, str):
            flat[name] = value
        else:
            flat.update({f"{name}.{inner}": text for inner, text in value.items()})
    return flat


def apart(values: SecretValues) -> tuple[dict[str, str], dict[str, Mapping[str, str]]]:
    """Secrets given by name, and those given under the name of a module or an Action."""
    plain: dict[str, str] = {}
    grouped: dict[str, Mapping[str, str]] = {}
    for name, value in values.items():
        if isinstance(value, str):
            plain[name] = value
        else:
            grouped[name] = value
    return plain, grouped
