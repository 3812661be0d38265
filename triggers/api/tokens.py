"""`api.idToken` and `api.accessToken`: claims and scopes."""

from __future__ import annotations

from typing import Any, Final, Literal

from triggers.api.scopes import MAX_SCOPES, SCOPE_RULES, scope_of
from triggers.engine.call import Call
from triggers.engine.claims import MAX_CLAIMS_BYTES
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft
from triggers.engine.surface import Method, Parameter
from triggers.values.arguments import FILLED
from triggers.values.json_value import size

_Token = Literal["id", "access"]
_PATHS: Final[dict[_Token, str]] = {"id": "idToken.setCustomClaim", "access": "accessToken.setCustomClaim"}

_WORDS: Final[dict[_Token, str]] = {"id": "ID", "access": "access"}


def _claim_limits(call: Call, token: _Token) -> None:
    """The claims of one token stay under the cap, over all Actions of the flow."""
    sizes = call.memory.get(token)
    if sizes is None:
        sizes = call.memory[token] = {}
        for command in call.earlier(_PATHS[token]):
            _measure(sizes, command.arguments)
    before = sizes.get(call.arguments["key"], 0)
    _measure(sizes, call.arguments)
    total = sum(sizes.values())
    if total > MAX_CLAIMS_BYTES:
        sizes[call.arguments["key"]] = before
        raise call.refusal(
            f"the custom claims of the token would take {total} bytes; the limit is {MAX_CLAIMS_BYTES}",
            code="limit",
        )


def _measure(sizes: dict[str, int], arguments: dict[str, Any]) -> None:
    key = arguments["key"]
    # name and value with the colon and the comma or brace that JSON puts around them
    sizes[key] = size(key) + size(arguments["value"]) + 2 if "value" in arguments else 0


def _apply_claim(token: _Token) -> Any:
    def apply(draft: Draft, command: RecordedCommand) -> None:
        claims = draft.claims[token]
        if "value" in command.arguments:
            claims[command.arguments["key"]] = command.arguments["value"]
        else:
            claims.pop(command.arguments["key"], None)

    return apply


def set_custom_claim(token: _Token, *, scope_throws: bool) -> Method:
    """`idToken.setCustomClaim` or `accessToken.setCustomClaim`."""

    def run(call: Call) -> None:
        if scope_throws and call.arguments["key"] == "scope":
            raise call.refusal('key must not be "scope"; use api.accessToken.addScope and removeScope')
        _claim_limits(call, token)

    return Method(
        _PATHS[token],
        "command",
        "api",
        f"Add a claim to the {_WORDS[token]} token. Restricted names are left out when the token is built.",
        parameters=(
            Parameter("key", FILLED, "Name of the claim; not empty."),
            Parameter(
                "value",
                Any,
                "Any JSON value. undefined takes an earlier value of the claim back.",
                required=False,
                nullable=True,
            ),
        ),
        decided="An empty name and one that is not a string throw. The last call per name wins. All "
        "claims of a token together take at most 100 KiB of "
        "JSON; the "
        "call that passes it throws.",
        run=run,
        apply=_apply_claim(token),
    )


def _scope(call: Call) -> None:
    scope = call.arguments["scope"] = scope_of(call, call.arguments["scope"], "scope")
    if call.path == "accessToken.addScope":
        added = call.memory.setdefault("scopes", None)
        if added is None:
            earlier = call.earlier("accessToken.addScope")
            added = call.memory["scopes"] = {command.arguments["scope"] for command in earlier}
        if len(added | {scope}) > MAX_SCOPES:
            raise call.refusal(f"more than {MAX_SCOPES} scopes were added", code="limit")
        added.add(scope)


def _apply_scope(draft: Draft, command: RecordedCommand) -> None:
    scope = command.arguments["scope"]
    draft.scopes.pop(scope, None)
    draft.scopes[scope] = command.path == "accessToken.addScope"


def _scope_method(name: Literal["addScope", "removeScope"], doc: str) -> Method:
    return Method(
        f"accessToken.{name}",
        "command",
        "void",
        doc,
        parameters=(Parameter("scope", str, SCOPE_RULES),),
        source="pkg",
        run=_scope,
        apply=_apply_scope,
    )


SCOPES: Final = (
    _scope_method("addScope", "Add a scope to the access token. The last call per scope wins."),
    _scope_method("removeScope", "Take a scope from the access token. The last call per scope wins."),
)
