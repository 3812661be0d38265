"""Rules for the custom claims that reach a token (reference/limits.md, custom claims)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from triggers.engine.effects import DroppedClaim
from triggers.values.json_value import member

MAX_CLAIMS_BYTES: Final = 100 * 1024
"""UTF-8 bytes of the JSON of all custom claims of one token."""

RESTRICTED: Final = frozenset(
    "acr act active amr at_hash ath attest aud auth_time authorization_details azp c_hash "  # noqa: SIM905
    "client_id cnf cty dest entitlements events exp groups gty htm htu iat internalService iss jcard "
    "jku jti jwe jwk kid may_act mky nbf nonce object_id org_id org_name orig origid permissions "
    "roles rph s_hash sid "
    "sip_callid sip_cseq_num sip_date sip_from_tag sip_via_branch sub sub_jwk toe txn typ uuid vot vtm "
    "x5t#S256 scope".split()
)
"""Names that are left out; `scope` throws at once in post-login and is left out elsewhere."""

_RESERVED_HOSTS: Final = ("auth0.com", "webtask.io", "webtask.run")
_NAMESPACED: Final = re.compile(r"(?:https?://|urn:)", re.IGNORECASE)


def sort_out(
    token: Literal["id", "access"], claims: Mapping[str, Any], event: Mapping[str, Any]
) -> tuple[dict[str, Any], list[DroppedClaim]]:
    """The claims that reach the token, and those that do not, with the reason."""
    kept, dropped = {}, []
    for name, value in claims.items():
        reason = reason_against(token, name, event)
        if reason is None:
            kept[name] = value
        else:
            dropped.append(DroppedClaim(token=token, name=name, reason=reason))
    return kept, dropped


def reason_against(token: Literal["id", "access"], name: str, event: Mapping[str, Any]) -> str | None:
    """The reason why a claim of this name is left out, None when it is not. Names are compared exactly."""
    if name in RESTRICTED:
        return (
            f"{name} is a restricted claim name; put it under a namespace such as https://app.example/{name}"
        )
    if _NAMESPACED.match(name):
        return _reserved_namespace(name)
    if token == "access" and _is_own_api(event):  # noqa: S105 - a kind of token, not one
        return "access tokens for an API of the platform itself carry namespaced claims only"
    return None


def _reserved_namespace(name: str) -> str | None:
    if name.lower().startswith("urn:"):
        reserved = re.match(r"urn:auth0(?::|$)", name, re.IGNORECASE)
        return "the namespace urn:auth0 is reserved" if reserved else None
    try:
        # browsers undo percent signs and full-width forms, so look-alikes count too
        host = normalize("NFKC", unquote(urlsplit(name).hostname or "")).lower().rstrip(".")
    except ValueError:
        return "the namespace is not a valid URL"
    taken = next((item for item in _RESERVED_HOSTS if host == item or host.endswith("." + item)), None)
    return f"the namespace {taken} is reserved" if taken else None


def _is_own_api(event: Mapping[str, Any]) -> bool:
    """Whether the audience is an API of the platform other than /userinfo."""
    audience = member(event, "resource_server", "identifier")
    if not isinstance(audience, str):
        return False
    try:
        parts = urlsplit(audience)
        host = parts.hostname
    except ValueError:
        return False
    own = {member(event, "request", "hostname"), member(event, "custom_domain", "domain")}
    mine = host is not None and (host in own or host.endswith(".auth0.com"))
    return mine and parts.path.rstrip("/") != "/userinfo"
