"""Event of the `send-phone-message` trigger, version 2."""

from __future__ import annotations

from typing import Annotated

from triggers.events.model.base import CONTACT, CREDENTIAL, FREE_TEXT, PLAIN, Part, known, may, must
from triggers.events.parts.context import Event
from triggers.events.parts.parties import Client, CustomDomain, SecurityContext, Tenant
from triggers.events.parts.request import Request
from triggers.events.parts.transaction import Correlated
from triggers.events.parts.user import MessagedUser

MessageAction = Annotated[str, known("enrollment", "second-factor-authentication")]
MessageType = Annotated[str, known("sms", "voice")]


class MessageOptions(Part):
    """The message that is to be sent."""

    action: MessageAction = must("Why it is sent.", PLAIN)
    code: str = must("One-time code.", CREDENTIAL)
    message_type: MessageType = must("How it travels.", PLAIN)
    recipient: str = must("Phone number it goes to.", CONTACT)
    text: str = must("Finished text.", FREE_TEXT)


class SendPhoneMessageEvent(Event):
    """A code for multi-factor authentication must reach a phone."""

    client: Client | None = may("Application the user logs in to.")
    custom_domain: CustomDomain | None = may("Custom domain, unless the tenant's own domain was used.")
    message_options: MessageOptions = must("The message.")
    request: Request = must("Request behind this execution.")
    security_context: SecurityContext | None = may("TLS fingerprints, where the edge supplies them.")
    tenant: Tenant = must("The tenant.")
    transaction: Correlated | None = may("The transaction.")
    user: MessagedUser = must("The user the message goes to.")
