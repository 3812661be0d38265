"""Event of the `pre-user-registration` trigger, version 2."""

from __future__ import annotations

from triggers.events.model.base import BETA, may, must
from triggers.events.parts.context import Event, Experiment
from triggers.events.parts.parties import Client, Connection, CustomDomain, SecurityContext, Tenant
from triggers.events.parts.request import BodyRequest
from triggers.events.parts.risk import EdgeAuthentication
from triggers.events.parts.session import AnonymousSession
from triggers.events.parts.transaction import SignupTransaction
from triggers.events.parts.user import NewUser


class PreUserRegistrationEvent(Event):
    """A signup is about to create a user."""

    anonymous_session: AnonymousSession | None = may("Session before the signup.", state=BETA)
    authentication: EdgeAuthentication | None = may("Authentication signals so far.")
    client: Client | None = may(
        "Application the user signs up for; absent when an API call creates the user."
    )
    connection: Connection = must("Connection the user will live in.")
    custom_domain: CustomDomain | None = may("Custom domain, unless the tenant's own domain was used.")
    experiment: Experiment | None = may(
        "Experiment the user takes part in; `null` when there is none.", state=BETA, nullable=True
    )
    request: BodyRequest = must(
        "Signup request; further inputs of the signup page are in its body (`ulp-...`)."
    )
    security_context: SecurityContext | None = may("TLS fingerprints, where the edge supplies them.")
    tenant: Tenant = must("The tenant.")
    transaction: SignupTransaction | None = may("The transaction this signup belongs to.")
    user: NewUser = must("The user who is about to be created.")
