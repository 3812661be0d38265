"""Event of the `custom-email-provider` trigger, version 1."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from triggers.events.model.base import CONTACT, FREE_TEXT, PLAIN, Part, known, may, must
from triggers.events.parts.context import Event
from triggers.events.parts.parties import (
    BrandedTenant,
    Connection,
    CustomDomain,
    ExternalClient,
    Organization,
)
from triggers.events.parts.request import EmailRequest
from triggers.events.parts.transaction import Correlated
from triggers.events.parts.user import Profile

EmailType = Annotated[
    str,
    known(
        "verify_email",
        "verify_email_by_code",
        "reset_email",
        "reset_email_by_code",
        "welcome_email",
        "verification_code",
        "mfa_oob_code",
        "enrollment_email",
        "blocked_account",
        "stolen_credentials",
        "try_provider_configuration_email",
        "organization_invitation",
    ),
]


class EmailNotification(Part):
    """The email that is to be delivered."""

    from_: Annotated[str, Field(alias="from")] = must("Sender.", PLAIN)
    html: str = must("Finished HTML body.", FREE_TEXT)
    locale: str = must("Locale of the texts, as `en-US` or `en_US`.", PLAIN)
    message_type: EmailType = must("Kind of message.", PLAIN)
    subject: str = must("Subject line.", FREE_TEXT)
    text: str = must("Finished plain text body.", FREE_TEXT)
    to: str = must("Address it goes to.", CONTACT)


class CustomEmailProviderEvent(Event):
    """An email must be delivered."""

    client: ExternalClient = must("Application the email is about.")
    connection: Connection | None = may("Connection the user lives in.")
    custom_domain: CustomDomain | None = may("Custom domain, unless the tenant's own domain was used.")
    notification: EmailNotification = must("The email.")
    organization: Organization | None = may("Organization of the transaction.")
    request: EmailRequest = must("Request that led to the email.")
    tenant: BrandedTenant = must("The tenant.")
    transaction: Correlated | None = may("The transaction.")
    user: Profile = must("The user the email goes to.")
