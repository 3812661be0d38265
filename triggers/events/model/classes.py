"""Classes of what a property holds: they decide what of it is shown to those who may not see the event."""

from __future__ import annotations

from enum import StrEnum


class FieldClass(StrEnum):
    """What a property of an event holds. A property without a class is denied: it is shown as if it held
    personal data of an unknown kind, and so is everything in an open object."""

    IDENTIFIER = "identifier"
    """Names a person, a session, a device or a transaction, or finds it in another system."""
    CONTACT = "contact"
    """Reaches a person: an email address, a phone number, or a name that is used to log in."""
    NETWORK = "network"
    """Tells from where and with what a person came: an address, a place, a user agent."""
    FREE_TEXT = "free_text"
    """Text that people or templates wrote about a person."""
    CREDENTIAL = "credential"
    """Proves who somebody is: a password, a token, a one-time code."""
    PLAIN = "plain"
    """Says nothing about a person: settings of the tenant, kinds, counters and times."""
