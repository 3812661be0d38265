"""Scope strings, and `api.transaction`'s target scopes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from triggers.engine.call import Call
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft
from triggers.engine.surface import Change, Method, Parameter
from triggers.values.json_value import member, record, units

MAX_SCOPE: Final = 280
"""UTF-16 code units of one scope."""
MAX_SCOPES: Final = 1000
"""Scopes that are added, and members of a target scope set."""
SCOPE_RULES: Final = f"Trimmed; not empty, at most {MAX_SCOPE} characters, no white space inside."
_SPACE: Final = re.compile(r"[\s\ufeff]")


def scope_of(call: Call, value: str, name: str) -> str:
    """A scope string, trimmed and checked."""
    scope = value.strip().strip("\ufeff")
    if not scope:
        raise call.refusal(f"{name} must not be empty")
    if units(scope) > MAX_SCOPE:
        raise call.refusal(
            f"{name} must have at most {MAX_SCOPE} characters, not {units(scope)}", code="limit"
        )
    if _SPACE.search(scope):
        raise call.refusal(f"{name} must not contain white space")
    return scope


def current(event: Mapping[str, Any]) -> list[str]:
    """The target scopes of an event, without duplicates; the scopes to be granted when it names none, as
    the set starts from the grant."""
    there = member(event, "transaction", "target_scopes")
    if there is None:
        there = member(event, "accessToken", "scope")
    return (
        list(dict.fromkeys(item for item in there if isinstance(item, str)))
        if isinstance(there, list)
        else []
    )


def _replace(event: Mapping[str, Any], scopes: Sequence[str]) -> list[Change]:
    scopes = list(scopes)
    if isinstance(event.get("transaction"), dict):
        return [(["transaction", "target_scopes"], scopes)]
    return [(["transaction"], {**record(event, "transaction"), "target_scopes": scopes})]


def _added(event: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[Change]:
    return _replace(event, list(dict.fromkeys([*current(event), arguments["scope"]])))


def _removed(event: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[Change]:
    return _replace(event, [scope for scope in current(event) if scope != arguments["scope"]])


def _set(event: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[Change]:
    return _replace(event, arguments["scopes"])


def _cleared(event: Mapping[str, Any], _arguments: Mapping[str, Any]) -> list[Change]:
    return _replace(event, [])


def _check_one(call: Call) -> None:
    scope = call.arguments["scope"] = scope_of(call, call.arguments["scope"], "scope")
    if call.path == "transaction.addTargetScope":
        there = current(call.event)
        if scope not in there and len(there) >= MAX_SCOPES:
            raise call.refusal(f"there are already {MAX_SCOPES} target scopes", code="limit")


def _check_all(call: Call) -> None:
    scopes = [scope_of(call, item, f"scopes[{index}]") for index, item in enumerate(call.arguments["scopes"])]
    call.arguments["scopes"] = list(dict.fromkeys(scopes))
    if len(call.arguments["scopes"]) > MAX_SCOPES:
        raise call.refusal(f"scopes must have at most {MAX_SCOPES} entries", code="limit")


def _apply(draft: Draft, _command: RecordedCommand) -> None:
    draft.members["target_scopes"] = tuple(current(draft.event))


_SCOPE: Final = Parameter("scope", str, SCOPE_RULES)


def target_scopes(gate: str | None) -> tuple[Method, ...]:
    """The four target scope methods. They change `event.transaction.target_scopes` at once."""
    note = "Scopes outside the client grant vanish after all Actions; the platform intersects them."

    def method(name: str, doc: str, parameters: tuple[Parameter, ...], run: Any, change: Any) -> Method:
        return Method(
            f"transaction.{name}",
            "live",
            "void",
            f"{doc} {note}",
            parameters=parameters,
            source="pkg" if gate else "docs",
            gate=gate,
            decided="At most 1000 members, counted over the whole set. Without "
            "event.transaction.target_scopes the set starts from event.accessToken.scope, if that is there.",
            run=run,
            change=change,
            apply=_apply,
        )

    return (
        method("addTargetScope", "Add to the target scope set.", (_SCOPE,), _check_one, _added),
        method("removeTargetScope", "Take from the target scope set.", (_SCOPE,), _check_one, _removed),
        method(
            "setTargetScopes",
            "Replace the target scope set; an empty array clears it.",
            (Parameter("scopes", list[str], "The new set; duplicates collapse."),),
            _check_all,
            _set,
        ),
        method("clearTargetScopes", "Empty the target scope set.", (), None, _cleared),
    )
