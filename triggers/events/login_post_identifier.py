"""The event of `login-post-identifier`: what is published of it, and nothing guessed beside it."""

from __future__ import annotations

from typing import ClassVar

from triggers.events.model.base import CONTACT, EXPERIMENTAL, Part, must
from triggers.events.parts.context import Event


class Identifier(Part):
    """The identifier that the user entered."""

    OPEN: ClassVar[bool] = True

    value: str = must("The identifier as it was entered.", CONTACT, state=EXPERIMENTAL)


class IdentifierAuthentication(Part):
    """The progress of the user."""

    OPEN: ClassVar[bool] = True

    identifier: Identifier = must("The identifier.", state=EXPERIMENTAL)


class LoginPostIdentifierEvent(Event):
    """A user who logs in has said who they are."""

    authentication: IdentifierAuthentication = must("The progress of the user.", state=EXPERIMENTAL)
