"""`api.user`: metadata and ids of the user profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from triggers.engine.call import Call
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft
from triggers.engine.surface import Change, Method, Parameter, Returns
from triggers.values.arguments import FILLED, text
from triggers.values.json_value import member, record, shown, size

MAX_METADATA_BYTES: Final = 32 * 1024
"""UTF-8 bytes of the JSON of what one flow writes to user_metadata, and as much to app_metadata."""
FORBIDDEN_APP_METADATA: Final = frozenset(
    "__tenant _id blocked clientID created_at email_verified email globalClientID "  # noqa: SIM905
    "global_client_id identities lastIP lastLogin loginsCount metadata multifactor_last_modified "
    "multifactor updated_at user_id".split()
)

_Kind = Literal["user", "app"]
_METHODS: Final[dict[_Kind, str]] = {"user": "user.setUserMetadata", "app": "user.setAppMetadata"}


def _check(call: Call, kind: _Kind) -> None:
    key = call.arguments["key"]
    there = member(call.event, "user", f"{kind}_metadata")
    if there is not None and not isinstance(there, dict):
        raise call.refusal(f"the stored {kind}_metadata is not an object", code="not_allowed")
    if kind == "app" and key in FORBIDDEN_APP_METADATA:
        raise call.refusal(f"key must not be {shown(key)}: the name is reserved in app_metadata")
    _check_names(call, key, call.arguments.get("value"))
    _check_size(call, kind)


def _check_names(call: Call, key: str, value: Any) -> None:
    for name in (key, *_names(value)):
        if "." in name or "$" in name:
            raise call.refusal(f'field names must not contain "." or "$", as {shown(name)} does')


def _names(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(name for item in value.values() for name in _names(item))]
    return [name for item in value for name in _names(item)] if isinstance(value, list) else []


def _check_size(call: Call, kind: _Kind) -> None:
    sizes = call.memory.get(f"{kind}_metadata")
    if sizes is None:
        earlier = [command.arguments for command in call.earlier(_METHODS[kind])]
        sizes = call.memory[f"{kind}_metadata"] = {}
        for item in earlier:
            _measure(sizes, item)
    if "value" not in call.arguments:
        sizes.pop(call.arguments["key"], None)
        return
    total = sum({**sizes, call.arguments["key"]: _bytes(call.arguments)}.values())
    if total > MAX_METADATA_BYTES:
        raise call.refusal(
            f"the {kind}_metadata written in this flow would take {total} bytes; the limit is "
            f"{MAX_METADATA_BYTES}",
            code="limit",
        )
    _measure(sizes, call.arguments)


def _measure(sizes: dict[str, int], arguments: Mapping[str, Any]) -> None:
    if "value" in arguments:
        sizes[arguments["key"]] = _bytes(arguments)
    else:
        sizes.pop(arguments["key"], None)


def _bytes(arguments: Mapping[str, Any]) -> int:
    return size(arguments["key"]) + size(arguments["value"]) + 2


def _later(kind: _Kind) -> Any:
    place = ["user", f"{kind}_metadata"]

    def later(
        event: Mapping[str, Any], arguments: Mapping[str, Any], stored: Mapping[str, Any]
    ) -> list[Change]:
        key, there = arguments["key"], record(event, *place)
        value = arguments.get("value")
        stays = value is not None
        if "value" not in arguments:
            before = member(stored, *place)
            if not isinstance(before, dict):
                return []  # nothing is pending
            value, stays = before.get(key), key in before
        if stays:
            return [(place, {**there, key: value})]
        return [(place, {name: item for name, item in there.items() if name != key})]

    return later


def _apply(kind: _Kind) -> Any:
    def apply(draft: Draft, command: RecordedCommand) -> None:
        key = command.arguments["key"]
        if "value" in command.arguments:
            draft.metadata.append((command.action, kind, key, command.arguments["value"]))
        else:
            draft.metadata = [entry for entry in draft.metadata if entry[1:3] != (kind, key)]

    return apply


def _method(kind: _Kind, returns: Returns, *, visible: bool) -> Method:
    return Method(
        _METHODS[kind],
        "command",
        returns,
        f"Write one top-level key of {kind}_metadata; all writes of the flow become one profile update."
        + (" Later Actions see it in their event." if visible else ""),
        parameters=(
            Parameter("key", FILLED, 'Name of the key; not empty, no "." and no "$".'),
            Parameter(
                "value",
                Any,
                "Any JSON value; null removes the key. undefined, or no value at all, takes back what this "
                "flow was going to write for the key: the stored value stays.",
                required=False,
                nullable=True,
            ),
        ),
        decided="Reserved app_metadata keys and field names with `.` or `$`, nested ones included, "
        "throw at the "
        "call (the service fails the write). A flow writes at most 32 KiB of JSON to each; the call that "
        "passes it throws. The last call per key wins; what a redirect or form has handed over cannot be "
        "taken back. In Python, None removes the key, and leaving the value out takes it back.",
        run=lambda call: _check(call, kind),
        later=_later(kind) if visible else None,
        apply=_apply(kind),
    )


def metadata(returns: Returns, *, visible: bool) -> tuple[Method, Method]:
    """`setAppMetadata` and `setUserMetadata`; `visible`: later Actions of the flow see the changes."""
    return _method("app", returns, visible=visible), _method("user", returns, visible=visible)


def passwordless(draft: Draft) -> None:
    """Warns that metadata of passwordless users is not written."""
    if draft.metadata and member(draft.event, "connection", "strategy") in ("email", "sms"):
        draft.warn("metadata is not written for users of passwordless connections")


def _check_primary(call: Call) -> None:
    for command in call.earlier("authentication.setPrimaryUser"):
        raise call.refusal(
            f"the primary user is already set, by Action {command.action + 1} of this flow",
            code="not_allowed",
        )


def _apply_primary(draft: Draft, command: RecordedCommand) -> None:
    draft.primary_user = (command.action, command.arguments["primary_user_id"])


SET_PRIMARY_USER: Final = Method(
    "authentication.setPrimaryUser",
    "command",
    "void",
    "Make another user the subject of the login; the authenticating identity must be a secondary identity of "
    "that user. Once per transaction.",
    parameters=(Parameter("primary_user_id", text(128, minimum=1), "Id of the user; 1 to 128 characters."),),
    decided="The user metadata that the same Action writes is lost, with a warning in the effects; its app "
    "metadata is kept, as the reference speaks of user metadata only.",
    run=_check_primary,
    apply=_apply_primary,
)


def _apply_user_id(draft: Draft, command: RecordedCommand) -> None:
    draft.members["user_id"] = command.arguments["user_id"]


SET_USER_ID: Final = Method(
    "user.setUserId",
    "command",
    "api",
    "Choose the id part of the new user's user_id.",
    parameters=(
        Parameter(
            "user_id",
            text(255, minimum=1, pattern=r"^[a-zA-Z0-9@._+-]{1,255}$"),
            "1 to 255 of the characters a-z, A-Z, 0-9 and @ . _ + -.",
        ),
    ),
    source="pkg",
    decided="The last call wins.",
    apply=_apply_user_id,
)
