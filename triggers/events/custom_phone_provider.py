"""Event of the `custom-phone-provider` trigger, version 1."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from triggers.events.model.base import CONTACT, CREDENTIAL, FREE_TEXT, PLAIN, Part, known, may, must
from triggers.events.parts.context import Event
from triggers.events.parts.parties import (
    BrandedTenant,
    Connection,
    CustomDomain,
    ExternalClient,
    Organization,
)
from triggers.events.parts.request import Request
from triggers.events.parts.transaction import Correlated
from triggers.events.parts.user import MessagedUser

DeliveryMethod = Annotated[str, known("text", "voice")]
PhoneMessageType = Annotated[
    str, known("otp_verify", "otp_enroll", "blocked_account", "change_password", "password_breach")
]


class PhoneNotification(Part):
    """The message that is to be delivered."""

    as_text: str = must("Finished text for a text message.", FREE_TEXT)
    as_voice: str = must("Finished text for a call.", FREE_TEXT)
    code: str | None = may("One-time code, where the kind of message has one.", CREDENTIAL)
    delivery_method: DeliveryMethod = must("How it travels.", PLAIN)
    from_: Annotated[str | None, Field(alias="from")] = may("Sender.", PLAIN)
    locale: str | None = may("Locale of the texts, as `en-US` or `en_US`.", PLAIN)
    message_type: PhoneMessageType = must("Kind of message.", PLAIN)
    recipient: str = must("Phone number it goes to (E.164).", CONTACT)


class CustomPhoneProviderEvent(Event):
    """A message must be delivered to a phone."""

    client: ExternalClient = must("Application the message is about.")
    connection: Connection | None = may("Connection the user lives in.")
    custom_domain: CustomDomain | None = may("Custom domain, unless the tenant's own domain was used.")
    notification: PhoneNotification = must("The message.")
    organization: Organization | None = may("Organization of the transaction.")
    request: Request = must("Request that led to the message.")
    tenant: BrandedTenant = must("The tenant.")
    transaction: Correlated | None = may("The transaction.")
    user: MessagedUser = must("The user the message goes to.")
