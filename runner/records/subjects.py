"""Whom a record is about. Ids of users are stored as keyed hashes, beside the sealed records."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy.exc import IntegrityError

from runner.store import KeyRing, Store
from runner.store.sealed.secrets import SecretBox
from triggers import Effects

_KIND: Final = "records"
_OWNER: Final = "tenant"
_KEY_BYTES: Final = 32
MAX_SUBJECT: Final = 1_024
"""Characters of a user's id."""
_MOST: Final = 32
"""Ids of one execution: a user may have many identities."""


def tenant_key(store: Store, ring: KeyRing, tenant: str, name: str = "subjects") -> bytes:
    """A tenant's own key of this name for keyed hashes, drawn when it is first asked for. It is sealed as
    secrets are, so a rotation of the ring does not change it. Raises `SealError`."""
    with store.read() as session:
        found = SecretBox(session, ring, tenant).values(_KIND, _OWNER).get(name)
    if found is not None:
        return base64.b64decode(found)
    drawn = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    try:
        with store.begin() as session:
            box = SecretBox(session, ring, tenant)
            present: dict[str, str | None] = dict.fromkeys(box.values(_KIND, _OWNER))
            box.replace(_KIND, _OWNER, {name: drawn, **present})
    except IntegrityError:  # another process was quicker
        pass
    with store.read() as session:
        return base64.b64decode(SecretBox(session, ring, tenant).values(_KIND, _OWNER)[name])


def subject_hash(key: bytes, user_id: str) -> str:
    """HMAC-SHA-256 in hex."""
    return hmac.new(key, user_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def subjects_of(event: Mapping[str, Any], effects: Effects) -> tuple[str, ...]:
    """Ids of the users that an execution was about: of its event, and those that its Actions named."""
    found = dict.fromkeys(item for item in _ids(event, effects) if 0 < len(item) <= MAX_SUBJECT)
    return tuple(found)[:_MOST]


def _ids(event: Mapping[str, Any], effects: Effects) -> Iterator[str]:
    message = _part(event, "message")
    for profile in (_part(event, "user"), _part(_part(message, "data"), "object")):
        yield from _text(profile, "user_id")
        yield from _identities(profile.get("identities"))
    yield from _text(_part(event, "session"), "user_id")
    for user_id in (effects.primary_user_id, getattr(_user(effects), "user_id", None)):
        if user_id is not None:
            yield user_id


def _identities(value: Any) -> Iterator[str]:
    """Of each both its own id and the id of the user that it would be alone, `PROVIDER|ID`."""
    items: Sequence[Any] = value if isinstance(value, list) else ()
    for item in items[:_MOST]:
        if isinstance(item, dict):
            for user_id in _text(item, "user_id"):
                yield user_id
                yield from (f"{provider}|{user_id}" for provider in _text(item, "provider"))


def _user(effects: Effects) -> Any:
    return effects.token_exchange.user if effects.token_exchange is not None else None


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: Mapping[str, Any], name: str) -> Iterator[str]:
    found = value.get(name)
    if isinstance(found, str):
        yield found
