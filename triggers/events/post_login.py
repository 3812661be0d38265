"""Event of the `post-login` trigger, version 3."""

from __future__ import annotations

from triggers.events.model.base import BETA, EARLY_ACCESS, ENTERPRISE, may, must
from triggers.events.parts.context import Event, Experiment, LoginAuthentication, Prompt
from triggers.events.parts.parties import (
    Agent,
    Authorization,
    Connection,
    CustomDomain,
    LoginClient,
    Organization,
    ResourceServer,
    SecurityContext,
    Stats,
    Tenant,
)
from triggers.events.parts.request import LoginRequest
from triggers.events.parts.session import AnonymousSession, LoginSession, RefreshToken, SessionTransferToken
from triggers.events.parts.transaction import LoginTransaction
from triggers.events.parts.user import LoginUser


class PostLoginEvent(Event):
    """A user has authenticated, or exchanges a refresh token; tokens are about to be built."""

    agent: Agent | None = may("AI agent the client is linked to.", state=EARLY_ACCESS)
    anonymous_session: AnonymousSession | None = may("Session before the login.", state=BETA)
    authentication: LoginAuthentication | None = may("How the user authenticated so far.")
    authorization: Authorization | None = may("What the user may do.")
    client: LoginClient = must("Application the user logs in to.")
    connection: Connection = must("Connection the user comes from.")
    custom_domain: CustomDomain | None = may("Custom domain, unless the tenant's own domain was used.")
    experiment: Experiment | None = may(
        "Experiment the user takes part in; `null` when there is none.", state=BETA, nullable=True
    )
    organization: Organization | None = may("Organization the user logs in to.")
    prompt: Prompt | None = may("What a form gave back.")
    refresh_token: RefreshToken | None = may("Refresh token that is being exchanged.", state=ENTERPRISE)
    request: LoginRequest = must("Request behind this execution.")
    resource_server: ResourceServer | None = may("API a token is asked for.")
    security_context: SecurityContext | None = may("TLS fingerprints, where the edge supplies them.")
    session: LoginSession | None = may("The user's session.")
    session_transfer_token: SessionTransferToken | None = may(
        "Session transfer token that is being redeemed.", state=EARLY_ACCESS
    )
    stats: Stats = must("Counters of the user.")
    tenant: Tenant = must("The tenant.")
    transaction: LoginTransaction | None = may("The transaction this login belongs to.")
    user: LoginUser = must("The user.")
