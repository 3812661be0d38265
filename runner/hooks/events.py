"""Parts of events that providers have in common: neutral values for what none of them sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from runner.hooks.model import Defaults, Payload, RefusedError

UNKNOWN_TIME: Final = "1970-01-01T00:00:00.000Z"
"""Of a user whose provider does not say when it was created or changed."""
_SECRET: Final = frozenset(
    name
    for line in (
        "password hashedpassword passwordhash currentpassword newpassword updatingcredential credential",
        "secret clientsecret client_secret authorization proxy-authorization cookie set-cookie x-api-key",
        "encodedhash hash oauth_access_token oauth_refresh_token oauth_id_token access_token refresh_token",
        "oauth_token_secret password_hash password_salt",
    )
    for name in line.split()
)
"""Members that no Action gets to see and no job keeps, whatever provider sends them; in lower case."""


def without_secrets(value: Any) -> Any:
    """A copy without members whose name says that they hold a credential."""
    if isinstance(value, Mapping):
        return {key: without_secrets(item) for key, item in value.items() if str(key).lower() not in _SECRET}
    return [without_secrets(item) for item in value] if isinstance(value, list) else value


def base_event(
    provider: str, hook: str, trigger: str, tenant: str, defaults: Defaults, payload: Payload
) -> dict[str, Any]:
    """What every event has. `event.hook` is ours: who called, and its payload without credentials."""
    event: dict[str, Any] = {
        "tenant": {"id": tenant},
        "request": request_of(),
        "hook": {"provider": provider, "name": hook, "payload": without_secrets(payload)},
    }
    if trigger != "credentials-exchange":
        event["connection"] = defaults.connection.model_dump()
    if trigger not in ("post-user-registration", "post-change-password"):
        event["client"] = defaults.client.model_dump()
    return event


def request_of(ip: str = "", user_agent: str = "", language: str = "") -> dict[str, Any]:
    """`event.request` of a hook: the user's own request is not sent, but for what is given here."""
    given = {"user_agent": user_agent, "language": language}
    neutral = {"geoip": {}, "ip": ip, "method": "POST", "query": {}, "body": {}}
    return {**neutral, **{name: value for name, value in given.items() if value}}


def login_parts(protocol: str = "oidc-basic-profile") -> dict[str, Any]:
    """What `post-login` needs beside user, client and request."""
    return {
        "authentication": {"methods": []},
        "authorization": {"roles": []},
        "stats": {"logins_count": 0},
        "transaction": {"protocol": protocol, "requested_scopes": [], "acr_values": [], "ui_locales": []},
    }


def profile(user_id: str, **members: Any) -> dict[str, Any]:
    """`event.user`: what every user has, and those of `members` that are not None."""
    whole: dict[str, Any] = {
        "user_id": user_id,
        "email_verified": False,
        "created_at": UNKNOWN_TIME,
        "updated_at": UNKNOWN_TIME,
        "app_metadata": {},
        "user_metadata": {},
        "identities": [],
    }
    return whole | {name: value for name, value in members.items() if value is not None}


def phone_message(
    kind: str,
    recipient: str,
    text: str,
    locale: str,
    *,
    code: str | None = None,
    voice: str | None = None,
    method: str = "text",
) -> dict[str, Any]:
    """`event.notification` of `custom-phone-provider`. `voice`: what is read out, `text` when None."""
    message = {
        "message_type": kind,
        "delivery_method": method,
        "recipient": recipient,
        "as_text": text,
        "as_voice": text if voice is None else voice,
        "locale": locale,
    }
    return message if code is None else {**message, "code": code}


def email_message(
    kind: str, sender: str, to: str, subject: str, html: str, text: str, locale: str
) -> dict[str, Any]:
    """`event.notification` of `custom-email-provider`."""
    return {
        "message_type": kind,
        "from": sender,
        "to": to,
        "subject": subject,
        "html": html,
        "text": text,
        "locale": locale,
    }


class Reading:
    """A payload that is read with care: a member of another type than expected is a refusal, which says
    where; one that is absent, or null, is None.

        human = Reading(payload).object("user").object("human")
        human.text("email")
    """

    def __init__(self, value: Mapping[str, Any], path: str = "$") -> None:
        self._value = value
        self._path = path

    def __bool__(self) -> bool:
        return bool(self._value)

    def __contains__(self, name: str) -> bool:
        return self._value.get(name) is not None

    def value(self, name: str) -> Any:
        """Whatever is there."""
        return self._value.get(name)

    def text(self, name: str) -> str | None:
        """A string; None for an empty one, which providers send for what is not there."""
        found: str | None = self._of(name, str, "a string")
        return found or None

    def needed(self, name: str) -> str:
        """A string that must be there. Raises `RefusedError`."""
        found = self.text(name)
        if found is None:
            raise RefusedError(400, f"The payload has no {self._path}.{name}.")
        return found

    def flag(self, name: str) -> bool | None:
        found: bool | None = self._of(name, bool, "true or false")
        return found

    def number(self, name: str) -> int | float | None:
        found = self._value.get(name)
        if found is not None and (isinstance(found, bool) or not isinstance(found, int | float)):
            raise RefusedError(400, f"The payload has not a number at {self._path}.{name}.")
        return found

    def object(self, name: str) -> Reading:
        """An object; an empty one when it is absent."""
        return Reading(self.mapping(name), f"{self._path}.{name}")

    def mapping(self, name: str) -> Mapping[str, Any]:
        return self._of(name, dict, "an object") or {}

    def texts(self, name: str) -> list[str]:
        """A list of strings."""
        found = self._of(name, list, "a list") or []
        for item in found:
            if not isinstance(item, str):
                raise RefusedError(400, f"The payload has not strings alone at {self._path}.{name}.")
        return list(found)

    def objects(self, name: str) -> Sequence[Reading]:
        """A list of objects."""
        found = self._of(name, list, "a list") or []
        for index, item in enumerate(found):
            if not isinstance(item, dict):
                raise RefusedError(400, f"The payload has no object at {self._path}.{name}[{index}].")
        return [Reading(item, f"{self._path}.{name}[{index}]") for index, item in enumerate(found)]

    def _of(self, name: str, kind: type, what: str) -> Any:
        found = self._value.get(name)
        if found is not None and not isinstance(found, kind):
            raise RefusedError(400, f"The payload has not {what} at {self._path}.{name}.")
        return found
