"""Every trigger id that is known, with its versions and runtimes (reference/triggers.md section 1)."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final, Literal

Status = Literal["CURRENT", "DEPRECATED"]
BindingPolicy = Literal["trigger-bound", "entity-bound"]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a trigger as the Management API lists it.

    Attributes:
        name: such as `v3`.
        status: only CURRENT versions run here.
        runtimes, default_runtime: values the API knows.
        compatible: (trigger id, version) pairs whose Actions this version also takes.
    """

    name: str
    status: Status
    runtimes: tuple[str, ...]
    default_runtime: str
    compatible: tuple[tuple[str, str], ...] = ()


_RECENT: Final = ("node18-actions", "node22")


def current(name: str, runtimes: tuple[str, ...] = _RECENT) -> Version:
    """A CURRENT version with the usual runtimes."""
    return Version(name, "CURRENT", runtimes, "node22")


def deprecated(name: str) -> Version:
    """A DEPRECATED first version with the usual runtimes."""
    return Version(name, "DEPRECATED", ("node22",), "node12")


class UnknownTriggerError(LookupError):
    """There is no such trigger, or none that can run. `nearest` is the likeliest meant id."""

    def __init__(self, message: str, nearest: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.nearest = nearest


def unknown(trigger_id: object, known: tuple[str, ...]) -> UnknownTriggerError:
    """The error for an id that is not among `known`."""
    shown = str(trigger_id)[:80]
    nearest = next(iter(difflib.get_close_matches(shown.lower(), known, n=1, cutoff=0.5)), None)
    hint = f" Did you mean {nearest}?" if nearest else ""
    return UnknownTriggerError(
        f"there is no trigger {shown!r}.{hint} Known triggers: {', '.join(known)}", nearest
    )
