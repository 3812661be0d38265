"""Event of the `post-user-registration` trigger, version 2."""

from __future__ import annotations

from triggers.events.model.base import BETA, may, must
from triggers.events.parts.context import Event, Experiment
from triggers.events.parts.parties import Connection, CustomDomain, SecurityContext, Tenant
from triggers.events.parts.request import Request
from triggers.events.parts.risk import EdgeAuthentication
from triggers.events.parts.transaction import SignupTransaction
from triggers.events.parts.user import StoredProfile


class PostUserRegistrationEvent(Event):
    """A user was created."""

    authentication: EdgeAuthentication | None = may("Authentication signals so far.")
    connection: Connection = must("Connection the user lives in.")
    custom_domain: CustomDomain | None = may("Custom domain, unless the tenant's own domain was used.")
    experiment: Experiment | None = may(
        "Experiment the user takes part in; `null` when there is none.", state=BETA, nullable=True
    )
    request: Request | None = may("Request that created the user; absent for imports and API calls.")
    security_context: SecurityContext | None = may("TLS fingerprints, where the edge supplies them.")
    tenant: Tenant = must("The tenant.")
    transaction: SignupTransaction | None = may("The transaction the signup belonged to.")
    user: StoredProfile = must("The new user.")
