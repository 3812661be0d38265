"""Event of the `custom-token-exchange` trigger, version 1."""

from __future__ import annotations

from triggers.events.model.base import PACKAGE_SAMPLE, may, must
from triggers.events.parts.context import Event
from triggers.events.parts.parties import CertifiedClient, CustomDomain, Organization, ResourceServer, Tenant
from triggers.events.parts.request import BodyRequest
from triggers.events.parts.transaction import ExchangeTransaction


class CustomTokenExchangeEvent(Event):
    """A client wants to exchange a token that only this Action can judge."""

    client: CertifiedClient = must("Client that asks.")
    custom_domain: CustomDomain | None = may("Custom domain of the request.", state=PACKAGE_SAMPLE)
    organization: Organization | None = may("Organization the token is for.")
    request: BodyRequest = must("Token request.")
    resource_server: ResourceServer = must("API the token is asked for.")
    tenant: Tenant = must("The tenant.")
    transaction: ExchangeTransaction = must("The exchange.")
