"""What the template of Kratos sends, as parts of events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runner.hooks.events import UNKNOWN_TIME, Reading, profile, request_of

PROVIDER: Final = "kratos"
USER_METADATA: Final = "user_metadata"
"""The key of `metadata_public` that is `user_metadata`; the others are `app_metadata`."""
_NO_TIME: Final = "0001-"
_METHODS: Final = {
    "password": "pwd",
    "oidc": "federated",
    "saml": "federated",
    "passkey": "passkey",
    "webauthn": "passkey",
    "code": "email",
    "code_recovery": "email",
    "link_recovery": "email",
}
"""Names of first factors; every method of the second level is `mfa`."""
_FACTORS: Final = {"totp": "otp", "lookup_secret": "recovery-code", "webauthn": "webauthn-roaming"}


def metadata_of(identity: Reading) -> tuple[dict[str, Any], dict[str, Any]]:
    """`app_metadata` and `user_metadata`."""
    public = dict(identity.mapping("metadata_public"))
    user = dict(identity.object("metadata_public").mapping(USER_METADATA))
    public.pop(USER_METADATA, None)
    return public, user


def new_user(identity: Reading) -> dict[str, Any]:
    """Of an identity that is not stored yet."""
    app, user = metadata_of(identity)
    found = {name: value for name, value in _traits(identity).items() if not name.endswith("_verified")}
    return {**found, "app_metadata": app, "user_metadata": user}


def changed_user(identity: Reading) -> dict[str, Any]:
    """Of an identity whose password has changed."""
    names = ("email", "email_verified", "phone_number", "phone_verified", "username")
    traits = _traits(identity)
    found = {name: traits[name] for name in names if name in traits}
    at = _time(identity, "updated_at")
    return {"user_id": identity.needed("id"), **found, **({"last_password_reset": at} if at else {})}


def stored_user(identity: Reading, user_id: str | None = None) -> dict[str, Any]:
    """The whole profile. `user_id`: for an identity without one."""
    app, user = metadata_of(identity)
    return profile(
        identity.text("id") or user_id or identity.needed("id"),
        **_traits(identity),
        created_at=_time(identity, "created_at"),
        updated_at=_time(identity, "updated_at"),
        app_metadata=app,
        user_metadata=user,
    )


def organization(identity: Reading) -> dict[str, Any]:
    """`organization` of an event, or nothing."""
    found = identity.text("organization_id")
    if found is None:
        return {}
    return {"organization": {"id": found, "name": found, "display_name": found, "metadata": {}}}


def request(given: Reading) -> dict[str, Any]:
    """`event.request`: of the device that Kratos has seen, or of the headers that it lets through."""
    headers = given.object("request_headers")
    devices = given.object("session").objects("devices")
    device = devices[-1] if devices else Reading({})
    languages = _first(headers, "Accept-Language").split(",")[0].split(";")[0].strip()
    return request_of(
        ip=device.text("ip_address") or _first(headers, "True-Client-Ip"),
        user_agent=_first(headers, "User-Agent") or device.text("user_agent") or "",
        language="" if languages == "*" else languages,
    )


def methods(given: Reading) -> list[dict[str, Any]]:
    """`event.authentication.methods`."""
    found = []
    for item in given.object("session").objects("authentication_methods"):
        method = item.needed("method")
        at = _time(item, "completed_at") or UNKNOWN_TIME
        if item.text("aal") == "aal2":
            found.append({"name": "mfa", "timestamp": at, "type": _FACTORS.get(method, method)})
        else:
            found.append({"name": _METHODS.get(method, method), "timestamp": at})
    return found


def connection(given: Reading) -> dict[str, Any]:
    """`id`, `name` and `strategy` of an upstream provider that the user came from, or nothing."""
    for item in given.object("session").objects("authentication_methods"):
        name = item.text("provider")
        if name is not None:
            return {"id": name, "name": name, "strategy": item.needed("method")}
    return {}


def client(given: Reading) -> dict[str, Any]:
    """`client_id` and `name` of the OAuth 2.0 client that a login is for, as far as they are known."""
    found = given.object("flow").object("oauth2_login_request").object("client")
    named = {"client_id": found.text("client_id"), "name": found.text("client_name")}
    return {name: value for name, value in named.items() if value is not None}


def _traits(identity: Reading) -> dict[str, Any]:
    """Traits are of each installation's own schema: those of the common names are used where they have the
    common types, and are no reason to refuse where they have not. Addresses are first of all the ones that
    Kratos can verify."""
    traits = identity.mapping("traits")
    name = traits.get("name")
    parts: Mapping[str, Any] = name if isinstance(name, dict) else {}
    given = _text(traits, "given_name", "first_name") or _text(parts, "first", "given", "first_name")
    family = _text(traits, "family_name", "last_name") or _text(parts, "last", "family", "last_name")
    email, email_verified = _address(identity, "email", _text(traits, "email"))
    phone, phone_verified = _address(identity, "sms", _text(traits, "phone", "phone_number"))
    found = {
        "email": email,
        "email_verified": email_verified,
        "name": _text(traits, "name") or " ".join(part for part in (given, family) if part) or None,
        "given_name": given,
        "family_name": family,
        "nickname": _text(traits, "nickname"),
        "picture": _text(traits, "picture"),
        "username": _text(traits, "username"),
        "phone_number": phone,
        "phone_verified": None if phone is None else phone_verified,
    }
    return {name: value for name, value in found.items() if value is not None}


def _address(identity: Reading, via: str, trait: str | None) -> tuple[str | None, bool]:
    """An address, and whether Kratos has verified that very one."""
    listed = [item for item in identity.objects("verifiable_addresses") if item.text("via") == via]
    address = trait or next((item.needed("value") for item in listed), None)
    # Kratos keeps addresses in lower case.
    same = [item for item in listed if address and (item.text("value") or "").lower() == address.lower()]
    return address, any(item.flag("verified") for item in same)


def _text(found: Mapping[str, Any], *names: str) -> str | None:
    return next((found[name] for name in names if isinstance(found.get(name), str) and found[name]), None)


def _time(found: Reading, name: str) -> str | None:
    """A time that is not Go's zero."""
    text = found.text(name)
    return None if text is None or text.startswith(_NO_TIME) else text


def _first(headers: Reading, name: str) -> str:
    return next(iter(headers.texts(name)), "")
