"""`api.session` and `api.refreshToken`: revoking, expiry, cookie mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from triggers.engine.call import Call
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft
from triggers.engine.effects import Denial, Revocation
from triggers.engine.surface import Change, Method, Option, Options, Parameter
from triggers.values.arguments import Number, text
from triggers.values.json_value import member, record


def _needs_session(call: Call) -> None:
    if not isinstance(member(call.event, "session", "id"), str) or not member(call.event, "session", "id"):
        raise call.refusal("there is no session to revoke: event.session.id is missing", code="not_allowed")


def _revoke_session(draft: Draft, command: RecordedCommand) -> None:
    reason = command.arguments["reason"]
    preserve = command.arguments.get("options", {}).get("preserveRefreshTokens", False)
    draft.session.revoke = draft.session.revoke or Revocation(reason=reason, preserve_refresh_tokens=preserve)
    draft.deny(Denial(kind="session_revoked", code="access_denied", reason=reason, action=command.action))


REVOKE_SESSION: Final = Method(
    "session.revoke",
    "command",
    "void",
    "Revoke the session, and its refresh tokens unless preserved, and refuse the login; no later "
    "Action runs.",
    parameters=(Parameter("reason", str, "Why.", message=True),),
    options=Options(
        (Option("preserveRefreshTokens", bool, "Keep the refresh tokens of the session.", default=False),),
        closed=True,
    ),
    decided="Throws without event.session.id. Of several calls the first stands.",
    run=_needs_session,
    apply=_revoke_session,
    denies=True,
)


def _needs_exchange(call: Call) -> None:
    if member(call.event, "transaction", "protocol") != "oauth2-refresh-token":
        raise call.refusal(
            "only a refresh-token exchange can revoke its token: event.transaction.protocol must be "
            "oauth2-refresh-token",
            code="not_allowed",
        )


def _revoke_token(draft: Draft, command: RecordedCommand) -> None:
    reason = command.arguments["reason"]
    draft.refresh_token.revoke = draft.refresh_token.revoke or Revocation(reason=reason)
    draft.deny(
        Denial(kind="refresh_token_revoked", code="access_denied", reason=reason, action=command.action)
    )


REVOKE_REFRESH_TOKEN: Final = Method(
    "refreshToken.revoke",
    "command",
    "void",
    "Revoke the refresh token and refuse the exchange (HTTP 403 access_denied); no later Action "
    "runs. Only in "
    "a refresh-token exchange.",
    parameters=(Parameter("reason", text(1024), "Why; at most 1024 characters.", message=True),),
    decided="Throws in any other flow. Of several calls the first stands.",
    run=_needs_exchange,
    apply=_revoke_token,
    denies=True,
)


def require_offline(call: Call) -> None:
    """Online refresh tokens refuse most of `api.refreshToken` (reference/trigger-post-login.md); decided: all
    but revoking them."""
    if member(call.event, "refresh_token", "access") == "online":
        raise call.refusal("not for an online refresh token: it ends with its session", code="not_allowed")


ONLINE: Final = "Throws for an online token (event.refresh_token.access)."


def _expiry(owner: Literal["session", "refreshToken"], name: str, argument: str, doc: str) -> Method:
    target: Literal["expires_at", "idle_expires_at"] = (
        "expires_at" if name == "setExpiresAt" else "idle_expires_at"
    )

    def run(call: Call) -> None:
        if owner == "refreshToken":
            require_offline(call)
        if not call.arguments[argument]:
            raise call.refusal(f"{argument} must be a finite number other than 0")

    def apply(draft: Draft, command: RecordedCommand) -> None:
        lifetime = draft.session if owner == "session" else draft.refresh_token
        there = getattr(lifetime, target)
        value = command.arguments[argument]
        setattr(lifetime, target, value if there is None else min(there, value))

    return Method(
        f"{owner}.{name}",
        "command",
        "void",
        doc,
        parameters=(Parameter(argument, Number, "Milliseconds since 1970; finite and not 0."),),
        decided="Clamping to the tenant's settings is the platform's."
        + (f" {ONLINE}" if owner == "refreshToken" else ""),
        run=run,
        apply=apply,
    )


EXPIRY: Final = {
    "session": (
        _expiry(
            "session", "setExpiresAt", "absolute", "End the session at this time; the earliest call wins."
        ),
        _expiry(
            "session",
            "setIdleExpiresAt",
            "inactivity",
            "End the session when it is idle until this time; for this interaction only, the "
            "earliest call wins.",
        ),
    ),
    "refreshToken": (
        _expiry(
            "refreshToken",
            "setExpiresAt",
            "absolute",
            "Shorten the life of the refresh token; the earliest call wins.",
        ),
        _expiry(
            "refreshToken",
            "setIdleExpiresAt",
            "inactivity",
            "Shorten the idle life of the refresh token, for this exchange; the earliest call wins.",
        ),
    ),
}


def _cookie(event: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[Change]:
    if not record(event, "session"):  # an empty object is no session, see api/stored.py
        return []
    return [(["session", "cookie"], {**record(event, "session", "cookie"), "mode": arguments["mode"]})]


def _apply_cookie(draft: Draft, command: RecordedCommand) -> None:
    if record(draft.event, "session"):
        draft.session.cookie_mode = command.arguments["mode"]


SET_COOKIE_MODE: Final = Method(
    "session.setCookieMode",
    "live",
    "void",
    "Make the session cookie outlive the browser or not; the last call wins. Nothing happens without "
    "a session.",
    parameters=(Parameter("mode", Literal["persistent", "non-persistent"], "The new mode."),),
    change=_cookie,
    apply=_apply_cookie,
)
