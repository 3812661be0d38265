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


@dataclass(frozen=True, slots=True)
class Undocumented:
    """A trigger whose id is known and whose handlers, event and api nobody documents."""

    id: str
    versions: tuple[Version, ...]
    binding_policy: BindingPolicy | None
    note: str


_RECENT: Final = ("node18-actions", "node22")


def current(name: str, runtimes: tuple[str, ...] = _RECENT) -> Version:
    """A CURRENT version with the usual runtimes."""
    return Version(name, "CURRENT", runtimes, "node22")


def deprecated(name: str) -> Version:
    """A DEPRECATED first version with the usual runtimes."""
    return Version(name, "DEPRECATED", ("node22",), "node12")


UNDOCUMENTED: Final = (
    Undocumented(
        "password-hash-migration",
        (current("v1", ("node22",)),),
        "entity-bound",
        "listed by the Management API; its handlers, event and api are undocumented",
    ),
    Undocumented(
        "login-post-identifier",
        (),
        None,
        "named in the documented list of ids; its handlers, event and api are undocumented",
    ),
    Undocumented(
        "signup-post-identifier",
        (current("v1", ("node22",)),),
        None,
        "published as Beta typings with an empty api; its handler name is undocumented",
    ),
    Undocumented(
        "mcp-tool",
        (current("v1", ("node22",)),),
        "entity-bound",
        "seen in recorded lists only; its handlers, event and api are undocumented",
    ),
)


class UnknownTriggerError(LookupError):
    """There is no such trigger, or none that can run. `nearest` is the likeliest meant id."""

    def __init__(self, message: str, nearest: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.nearest = nearest


class UndocumentedTriggerError(UnknownTriggerError):
    """The id is known, and nothing says how such an Action would run."""


def unknown(trigger_id: object, known: tuple[str, ...]) -> UnknownTriggerError:
    """The error for an id that is not among `known`."""
    for item in UNDOCUMENTED:
        if item.id == trigger_id:
            return UndocumentedTriggerError(
                f"the trigger {item.id} cannot be run: it is {item.note}. "
                f"Triggers that can be run: {', '.join(known)}"
            )
    shown = str(trigger_id)[:80]
    nearest = next(iter(difflib.get_close_matches(shown.lower(), known, n=1, cutoff=0.5)), None)
    hint = f" Did you mean {nearest}?" if nearest else ""
    return UnknownTriggerError(
        f"there is no trigger {shown!r}.{hint} Known triggers: {', '.join(known)}", nearest
    )
