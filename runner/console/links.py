"""Links that sign somebody in once: printed at the first start, and by `actionbox console link`.

The token stands behind the `#` of the address, which browsers send to nobody; the page posts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from runner.admin.tenants import find_tenant
from runner.config.settings import ServiceSettings
from runner.http.auth.client_secrets import new_secret, secret_digest
from runner.http.auth.scopes import OPERATE
from runner.http.auth.sessions import SignedIn
from runner.http.auth.tokens import GRANTED
from runner.store.tables.columns import now
from runner.store.tables.console import SignInLinkRow

OPERATOR: Final = (*GRANTED, OPERATE)
"""Scopes of whoever may use the command line on the service's machine."""
LINK_MINUTES: Final = 15.0
_ACTOR: Final = "operator"


def new_link(
    session: Session,
    settings: ServiceSettings,
    tenant: str,
    *,
    actor: str = _ACTOR,
    scopes: Sequence[str] = OPERATOR,
    minutes: float = LINK_MINUTES,
) -> str:
    """The address of a link for `tenant`. Raises `InputError` (`no_tenant`)."""
    find_tenant(session, tenant)
    token = new_secret()
    session.add(
        SignInLinkRow(
            digest=secret_digest(token),
            tenant_id=tenant,
            actor=actor,
            scopes=list(scopes),
            expires_at=now() + timedelta(minutes=minutes),
        )
    )
    return f"{settings.url}/console#link={token}"


def use_link(session: Session, token: str) -> SignedIn | None:
    """Who it signs in; None when it was used, has expired, or never was. Of two at once one gets it."""
    query = delete(SignInLinkRow).where(SignInLinkRow.digest == secret_digest(token)).returning(SignInLinkRow)
    row = session.scalars(query).one_or_none()
    if row is None or row.expires_at <= now():
        return None
    return SignedIn(row.tenant_id, row.actor, "link", row.scopes)
