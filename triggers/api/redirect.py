"""`api.redirect`: sending the user elsewhere and the tokens that go there and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from triggers.engine.call import Call
from triggers.engine.surface import Method, Option, Options, Parameter, Returns
from triggers.values import session_tokens
from triggers.values.arguments import FILLED, Number, QueryText
from triggers.values.json_value import member, record, shown
from triggers.values.urls import UrlError, with_query

DEFAULT_LIFETIME: Final = 900
"""Seconds that an outgoing token lives."""
_NON_INTERACTIVE: Final = frozenset(
    {"oauth2-resource-owner", "oauth2-refresh-token", "oauth2-password", "oauth2-webauthn"}
)


_NO_BROWSER: Final = _NON_INTERACTIVE | {
    "oauth2-access-token",
    "oauth2-resource-owner-jwt-bearer",
    "oauth2-token-exchange",
    "oidc-ciba",
    "wstrust-usernamemixed",
}
"""Protocols that ask for tokens where no browser is (reference/behaviour.md section 7: other
non-interactive grants)."""


def can_redirect(event: Mapping[str, Any]) -> bool:
    """The answer of `api.redirect.canRedirect`: the package's list."""
    return _interactive(event, _NON_INTERACTIVE)


def has_browser(event: Mapping[str, Any]) -> bool:
    """Whether the user can be sent somewhere in this flow."""
    return _interactive(event, _NO_BROWSER)


def _interactive(event: Mapping[str, Any], without: frozenset[str]) -> bool:
    if member(event, "request", "query", "prompt") == "none":
        return False
    return member(event, "transaction", "protocol") not in without


def final_url(call: Call) -> None:
    """Parses `url` and puts `options.query` into it; the recorded command carries the result."""
    try:
        url = with_query(call.arguments["url"], call.arguments.get("options", {}).get("query", {}))
    except UrlError as error:
        raise call.refusal(f"url {error}", name="TypeError") from None
    call.arguments.clear()
    call.arguments["url"] = url


def _encode(call: Call) -> str:
    options = call.arguments["options"]
    lifetime = options.get("expiresInSeconds", DEFAULT_LIFETIME)
    if not 0 < lifetime <= session_tokens.MAX_LIFETIME:
        raise call.refusal(f"options.expiresInSeconds must be from 1 to {session_tokens.MAX_LIFETIME}")
    issued = int(call.services.clock())
    claims = {
        "iat": issued,
        "iss": member(call.event, "request", "hostname"),
        "sub": member(call.event, "user", "user_id"),
        "exp": issued + int(lifetime),
        "ip": member(call.event, "request", "ip"),
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    fixed = {"iss", "sub", "iat", "exp"} & options["payload"].keys()
    if fixed and not call.services.payload_may_override_claims:
        raise call.refusal(f"options.payload must not carry {', '.join(sorted(fixed))}", code="not_allowed")
    try:
        token = session_tokens.sign({**claims, **options["payload"]}, options["secret"])
    except session_tokens.TokenError as error:
        raise call.refusal(str(error)) from None
    call.services.note_issued(token)
    return token


def _validate(call: Call) -> dict[str, Any]:
    options = call.arguments["options"]
    name = options.get("tokenParameterName", "session_token")
    parameters = {**record(call.event, "request", "query"), **record(call.event, "request", "body")}
    token = parameters.get(name)
    if not isinstance(token, str) or not token:
        raise call.refusal(f"the request has no parameter {shown(name)}", code="invalid_token")
    try:
        return session_tokens.verify(
            token,
            options["secret"],
            session_tokens.Expected(
                now=call.services.clock(),
                state=call.redirect_state or parameters.get("state"),
                subject=member(call.event, "user", "user_id"),
                issuer=call.services.redirect_issuer,
            ),
        )
    except session_tokens.TokenError as error:
        raise call.refusal(str(error), code="invalid_token") from None


def send_user_to(returns: Returns) -> Method:
    """`redirect.sendUserTo(url, options?)`."""
    return Method(
        "redirect.sendUserTo",
        "command",
        returns,
        "Suspend the flow after this Action and send the user to a URL; the engine adds `state`. The same "
        "Action goes on in its continue handler.",
        parameters=(Parameter("url", str, "Absolute URL."),),
        options=Options(
            (
                Option(
                    "query",
                    dict[str, QueryText],
                    "Query parameters to set, in place of those of the same name.",
                ),
            )
        ),
        decided="Schemes that execute or read something in the browser (javascript:, data:, file: and the "
        "like) are refused. "
        "Numbers, booleans, null and arrays of them in query become the text that JavaScript makes of "
        "them. Of several calls in one Action the last wins. Where no redirect is possible the "
        "flow ends with interaction_required. Not together with a form or multi-factor steps.",
        run=final_url,
        suspends="redirect",
    )


ENCODE_TOKEN: Final = Method(
    "redirect.encodeToken",
    "query",
    "value",
    "Make a signed token (HS256) for the site the user is sent to, with iat, iss (the host name of the "
    "request), sub (the user id), exp, ip and then the payload, which overrides them.",
    options=Options(
        (
            Option(
                "secret",
                FILLED,
                "Key shared with the site; not empty, 32 bytes or more are advised.",
                required=True,
                sensitive=True,
            ),
            Option("payload", dict[str, Any], "Claims to add; they are readable by anyone.", required=True),
            Option("expiresInSeconds", Number, "Lifetime of the token.", default=DEFAULT_LIFETIME),
        ),
        required=True,
    ),
    value=str,
    decided="Secrets of any length but zero are taken, as the service does; PEM and SSH keys are "
    "not. The lifetime must be "
    "positive and at "
    "most 100 years; fractions are cut.",
    run=_encode,
)

VALIDATE_TOKEN: Final = Method(
    "redirect.validateToken",
    "query",
    "value",
    "Check the token that the user came back with and return its payload. Throws when the parameter is "
    "missing, the signature (HS256) is wrong, the token expired, or state or sub are not those of this flow.",
    options=Options(
        (
            Option("secret", FILLED, "Key shared with the site; not empty.", required=True, sensitive=True),
            Option(
                "tokenParameterName",
                FILLED,
                "Parameter that carries the token; the body is read before the query.",
                default="session_token",
            ),
        ),
        required=True,
    ),
    value=dict[str, Any],
    decided="exp, state and sub are mandatory. iss is compared only when the platform sets an "
    "issuer, because "
    "documentation and package disagree on it. alg other than HS256 and any crit header are refused. There "
    "is no leeway for clocks.",
    run=_validate,
)

CAN_REDIRECT: Final = Method(
    "redirect.canRedirect",
    "query",
    "value",
    "Whether the user can be sent somewhere: not with prompt=none and not in grants without a browser.",
    value=bool,
    source="pkg",
    run=lambda call: can_redirect(call.event),
)

SET_RESULT_URL: Final = Method(
    "transaction.setResultUrl",
    "command",
    "void",
    "Where the user goes after the password was reset.",
    parameters=(Parameter("url", str, "Absolute URL."),),
    options=Options((Option("query", dict[str, QueryText], "Query parameters to set on the URL."),)),
    decided="Same rules for URLs as api.redirect.sendUserTo. The last call wins.",
    run=final_url,
    apply=lambda draft, command: draft.members.update(result_url=command.arguments["url"]),
)
