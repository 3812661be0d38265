"""Event of the `post-change-password` trigger, version 2."""

from __future__ import annotations

from triggers.events.model.base import may, must
from triggers.events.parts.context import Event
from triggers.events.parts.parties import Connection, CustomDomain, Tenant
from triggers.events.parts.request import Request
from triggers.events.parts.risk import EdgeAuthentication
from triggers.events.parts.transaction import Correlated
from triggers.events.parts.user import ChangedUser


class PostChangePasswordEvent(Event):
    """A database user's password was changed or reset."""

    authentication: EdgeAuthentication | None = may("Authentication signals so far.")
    connection: Connection = must("Connection the user lives in.")
    custom_domain: CustomDomain | None = may("Custom domain, unless the tenant's own domain was used.")
    request: Request = must("Request that changed the password.")
    tenant: Tenant = must("The tenant.")
    transaction: Correlated | None = may("The transaction.")
    user: ChangedUser = must("The user, without metadata.")
