"""The client that a new tenant begins with.

Its secret is derived from the key ring instead of drawn: a start may end before anybody has read it, and
whoever holds the ring, and could sign tokens anyway, can see it again.
"""

from __future__ import annotations

import base64
import os
import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.admin.tenants import Credentials, create_client, create_tenant, find_tenant
from runner.config.keys import Keys
from runner.config.settings import CONFIG_FILE, ServiceSettings
from runner.http.auth.client_secrets import secret_matches
from runner.http.auth.tokens import GRANTED, PLANES, Tokens
from runner.model.errors import InputError
from runner.store.sealed.sealing import KeyRing
from runner.store.tables.models import ApiClient

_NAME: Final = "first client"
_PURPOSE: Final = "actionbox secret of a first client v1 "
_TOKEN_SECONDS: Final = 30 * 86_400
_EVENT: Final = (
    '{"event": {"user": {"email": "maya@harbor.example"}, "tenant": {"id": "main"}, '
    '"connection": {"id": "con_1", "name": "users", "strategy": "auth0"}, '
    '"request": {"ip": "203.0.113.24", "method": "POST", "geoip": {}, "body": {}}}}'
)


@dataclass(frozen=True, slots=True)
class FirstClient:
    """A tenant's first client. `token`: for both APIs, good for 30 days."""

    credentials: Credentials
    token: str = field(repr=False)


def new_tenant(
    session: Session, settings: ServiceSettings, keys: Keys, tenant: str, name: str = ""
) -> FirstClient:
    """A new tenant with a client that has all scopes. Raises `InputError` (as `create_tenant`)."""
    create_tenant(session, tenant, name)
    client_id = secrets.token_hex(16)
    secret = _secrets(keys.ring, client_id)[0]
    made = create_client(session, tenant, _NAME, client_id=client_id, secret=secret)
    return _with_token(settings, keys, made)


def first_client(session: Session, settings: ServiceSettings, keys: Keys, tenant: str) -> FirstClient:
    """The client that `tenant` began with, with a new token.

    Raises:
        InputError: `no_tenant`; `no_credentials`: its first client was revoked or logs in by other means now,
            or the key that its secret was derived from is gone.
    """
    find_tenant(session, tenant)
    rows = session.scalars(
        select(ApiClient)
        .where(ApiClient.tenant_id == tenant, ApiClient.name == _NAME, ApiClient.revoked_at.is_(None))
        .order_by(ApiClient.created_at)
    )
    for row in rows:
        for secret in _secrets(keys.ring, row.id):
            if secret_matches(secret, row.secret_digest):
                made = Credentials(tenant, row.id, secret, tuple(row.scopes))
                return _with_token(settings, keys, made)
    raise InputError(
        "no_credentials",
        f"the secret of the first client of {tenant} cannot be shown again: the client was revoked or "
        "changed, or the key that it was made from has left the key ring",
        next_step=f"Make another one with `actionbox client add {tenant}`.",
    )


def _secrets(ring: KeyRing, client_id: str) -> Sequence[str]:
    """The secret under each key, the current one first."""
    derived = ring.derive(_PURPOSE + client_id)
    return [base64.urlsafe_b64encode(item).rstrip(b"=").decode() for item in derived]


def _with_token(settings: ServiceSettings, keys: Keys, made: Credentials) -> FirstClient:
    audiences = [settings.url + plane for plane in PLANES]
    return FirstClient(
        made, Tokens(keys).issue(made.tenant, made.client_id, GRANTED, audiences, _TOKEN_SECONDS)
    )


def credential_lines(settings: ServiceSettings, client: FirstClient, ca: Path | None = None) -> list[str]:
    """Its credentials and a command that tries them, for people. `ca`: file that curl has to trust."""
    made, token = client.credentials, client.token
    trust = "" if ca is None else f" --cacert {shlex.quote(str(ca))}"
    return [
        f"tenant         {made.tenant}",
        f"client id      {made.client_id}",
        f"client secret  {made.client_secret}",
        f"token          {token}",
        "",
        "Invoke a trigger (the answer is allow until an Action is bound to it):",
        f"curl{trust} -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' "
        f"-d '{_EVENT}' {settings.url}/runtime/v1/triggers/pre-user-registration/invoke",
    ]


def command(settings: ServiceSettings, words: str) -> str:
    """The operator's command `words`, with the options by which it finds the data of these settings."""
    parts = ["actionbox", words]
    file = os.environ.get(CONFIG_FILE)
    if file:
        parts += ["--config", shlex.quote(file)]
    if settings.data_dir != ServiceSettings.model_fields["data_dir"].get_default(call_default_factory=True):
        parts += ["--data", shlex.quote(str(settings.data_dir))]
    return " ".join(parts)
