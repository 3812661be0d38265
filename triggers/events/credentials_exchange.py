"""Event of the `credentials-exchange` trigger, version 2."""

from __future__ import annotations

from triggers.events.model.base import EARLY_ACCESS, PLAIN, OpenMap, Part, may, must
from triggers.events.parts.context import Event
from triggers.events.parts.parties import (
    Agent,
    CertifiedClient,
    CustomDomain,
    Organization,
    ResourceServer,
    Tenant,
)
from triggers.events.parts.request import BodyRequest
from triggers.events.parts.transaction import MachineTransaction


class AccessToken(Part):
    """The access token that is being built."""

    customClaims: OpenMap = must("Claims set so far.")
    scope: list[str] = must("Scopes that will be granted.", PLAIN)


class CredentialsExchangeEvent(Event):
    """A client asks for a token of its own (client credentials)."""

    accessToken: AccessToken = must("Access token that is being built.")
    agent: Agent | None = may("AI agent the client is linked to.", state=EARLY_ACCESS)
    client: CertifiedClient = must("Client that asks.")
    custom_domain: CustomDomain | None = may("Custom domain, unless the tenant's own domain was used.")
    organization: Organization | None = may("Organization the token is for.")
    request: BodyRequest = must("Token request; its body can hold the client secret.")
    resource_server: ResourceServer = must("API the token is asked for.")
    tenant: Tenant = must("The tenant.")
    transaction: MachineTransaction = must("The exchange.")
