"""Event of the `password-reset-post-challenge` trigger, version 1."""

from __future__ import annotations

from triggers.events.model.base import may, must
from triggers.events.parts.context import Event, Prompt, ResetAuthentication
from triggers.events.parts.parties import (
    Authorization,
    Client,
    Connection,
    CustomDomain,
    Organization,
    Stats,
    Tenant,
)
from triggers.events.parts.request import QueryRequest
from triggers.events.parts.transaction import ResetTransaction
from triggers.events.parts.user import ResetUser


class PasswordResetPostChallengeEvent(Event):
    """A user passed the first challenge of a password reset; the new password is not set yet."""

    authentication: ResetAuthentication = must("How the user authenticated so far.")
    authorization: Authorization = must("What the user may do.")
    client: Client = must("Application the reset was started from.")
    connection: Connection = must("Connection the user lives in.")
    custom_domain: CustomDomain | None = may("Custom domain, unless the tenant's own domain was used.")
    organization: Organization | None = may("Organization of the transaction.")
    prompt: Prompt | None = may("What a form gave back.")
    request: QueryRequest = must("Request behind this execution.")
    stats: Stats = must("Counters of the user.")
    tenant: Tenant = must("The tenant.")
    transaction: ResetTransaction = must("The transaction the reset belongs to.")
    user: ResetUser = must("The user.")
