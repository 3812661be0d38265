"""Tenants and their API clients, made by the operator."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from runner.http.auth.assertions import PublicKey
from runner.http.auth.client_secrets import new_secret, secret_digest
from runner.http.auth.scopes import ALL_SCOPES
from runner.model.caps import MAX_CLIENT_KEYS
from runner.model.errors import InputError
from runner.store.tables.client_keys import ClientKeyRow
from runner.store.tables.columns import Base, now
from runner.store.tables.models import ApiClient, Tenant

_NO_DIGEST: Final = ""
"""Of no secret."""
_ID: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials of a new client, shown once; the secret is not kept. One with public keys has none ("")."""

    tenant: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]


def create_tenant(session: Session, tenant_id: str, name: str = "") -> Tenant:
    """A new tenant. Raises `InputError`: `invalid_tenant` or `tenant_exists`."""
    if not _ID.fullmatch(tenant_id):
        raise InputError(
            "invalid_tenant",
            "a tenant's id has 1 to 63 lower-case letters, digits and dashes within",
            next_step="",
        )
    if session.get(Tenant, tenant_id) is not None:
        raise InputError("tenant_exists", f"there is a tenant {tenant_id} already")
    tenant = Tenant(id=tenant_id, name=name or tenant_id)
    session.add(tenant)
    session.flush()
    return tenant


def find_tenant(session: Session, tenant_id: str) -> Tenant:
    """Raises `InputError` (`no_tenant`)."""
    tenant = session.get(Tenant, tenant_id)
    if tenant is None:
        raise InputError(
            "no_tenant", f"there is no tenant {tenant_id}", next_step="`actionbox tenant list` lists them."
        )
    return tenant


def create_client(
    session: Session,
    tenant_id: str,
    name: str,
    scopes: Sequence[str] | None = None,
    public_keys: Sequence[PublicKey] = (),
    *,
    client_id: str = "",
    secret: str = "",
) -> Credentials:
    """A new client of a tenant.

    Args:
        scopes: all when None.
        client_id, secret: drawn when they are empty.
        public_keys: it logs in with assertions that one of them verifies, and has no secret then.

    Raises:
        InputError: `no_tenant`, `unknown_scope`, `too_many_keys`.
    """
    find_tenant(session, tenant_id)
    granted = tuple(ALL_SCOPES if scopes is None else dict.fromkeys(scopes))
    unknown = [scope for scope in granted if scope not in ALL_SCOPES]
    if unknown:
        raise InputError(
            "unknown_scope", f"there is no scope {unknown[0]}", next_step=f"Scopes: {', '.join(ALL_SCOPES)}"
        )
    secret = "" if public_keys else secret or new_secret()
    client = ApiClient(
        tenant_id=tenant_id,
        id=client_id or secrets.token_hex(16),
        name=name,
        secret_digest=secret_digest(secret) if secret else _NO_DIGEST,
        scopes=list(granted),
    )
    session.add(client)
    session.flush()
    _put_keys(session, client, public_keys)
    return Credentials(tenant_id, client.id, secret, granted)


def replace_keys(session: Session, client_id: str, public_keys: Sequence[PublicKey]) -> None:
    """From now on a client logs in with these keys alone; a secret that it had is worth nothing.

    Raises:
        InputError: `no_client`, `too_many_keys`.
    """
    client = _find_client(session, client_id)
    session.execute(
        delete(ClientKeyRow).where(
            ClientKeyRow.tenant_id == client.tenant_id, ClientKeyRow.client_id == client.id
        )
    )
    client.secret_digest = _NO_DIGEST
    _put_keys(session, client, public_keys)


def _put_keys(session: Session, client: ApiClient, public_keys: Sequence[PublicKey]) -> None:
    keys = {key.thumbprint(): key for key in public_keys}
    if len(keys) > MAX_CLIENT_KEYS:
        raise InputError("too_many_keys", f"a client has at most {MAX_CLIENT_KEYS} public keys")
    for name, key in keys.items():
        jwk = dict(key.as_dict(private=False))
        session.add(ClientKeyRow(tenant_id=client.tenant_id, id=name, client_id=client.id, jwk=jwk))
    session.flush()


def _find_client(session: Session, client_id: str) -> ApiClient:
    client = session.scalar(select(ApiClient).where(ApiClient.id == client_id))
    if client is None:
        raise InputError("no_client", f"there is no client {client_id}")
    return client


def revoke_client(session: Session, client_id: str) -> None:
    """Its tokens stop working within seconds. Raises `InputError` (`no_client`)."""
    client = _find_client(session, client_id)
    client.revoked_at = client.revoked_at or now()


def any_tenant(session: Session) -> bool:
    """Whether there is one."""
    return session.scalar(select(Tenant.id).limit(1)) is not None


def remove_tenant(session: Session, tenant_id: str) -> None:
    """Everything that the tenant has, its record of executions too. Raises `InputError` (`no_tenant`)."""
    find_tenant(session, tenant_id)
    for table in reversed(Base.metadata.sorted_tables):
        if "tenant_id" in table.columns:
            session.execute(table.delete().where(table.c.tenant_id == tenant_id))
    session.execute(delete(Tenant).where(Tenant.id == tenant_id))
