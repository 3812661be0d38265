"""The event of `signup-post-identifier`: what is published of it, and nothing guessed beside it."""

from __future__ import annotations

from typing import ClassVar

from triggers.events.model.base import BETA, NETWORK, PLAIN, OpenMap, Part, StringMap, may, must
from triggers.events.parts.context import Event
from triggers.events.parts.parties import Client, Connection, ResourceServer, SecurityContext, Tenant
from triggers.events.parts.request import Request
from triggers.events.parts.transaction import SignupTransaction


class InitialOrganization(Part):
    """The organization that was found before the trigger."""

    OPEN: ClassVar[bool] = True

    id: str = must("Organization id (`org_...`).", PLAIN, state=BETA)
    display_name: str | None = may("Name to show to people.", PLAIN, state=BETA)
    metadata: StringMap | None = may("Metadata of the organization.", state=BETA)
    name: str | None = may("Name used in URLs and claims.", PLAIN, state=BETA)


class IdentifierRequest(Request):
    """The HTTP request behind this execution."""

    asn: str | None = may("Number of the autonomous system the caller is in.", NETWORK)
    query: OpenMap = must("Parameters of the query string.")


class SignupPostIdentifierEvent(Event):
    """A user who signs up has given an identifier."""

    client: Client = must("Application the user signs up for.", state=BETA)
    initial_connection: Connection = must("Connection that was found before the trigger.", state=BETA)
    initial_organization: InitialOrganization | None = may(
        "Organization that was found before the trigger.", state=BETA
    )
    request: IdentifierRequest = must("Request behind this execution.", state=BETA)
    resource_server: ResourceServer | None = may("API a token is asked for.", state=BETA)
    security_context: SecurityContext | None = may(
        "TLS fingerprints, where the edge supplies them.", state=BETA
    )
    tenant: Tenant = must("The tenant.", state=BETA)
    transaction: SignupTransaction = must("The transaction this signup belongs to.", state=BETA)
