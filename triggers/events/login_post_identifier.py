"""The event of `login-post-identifier`: what is published of it, and nothing guessed beside it."""

from __future__ import annotations

from typing import ClassVar

from triggers.events.model.base import EXPERIMENTAL, Part, must
from triggers.events.parts.context import Event


class Identifier(Part):
    """What the user said who they are."""

    OPEN: ClassVar[bool] = True

    value: str = must("The identifier as it was entered.", state=EXPERIMENTAL)


class IdentifierAuthentication(Part):
    """How far the user has come."""

    OPEN: ClassVar[bool] = True

    identifier: Identifier = must("The identifier.", state=EXPERIMENTAL)


class LoginPostIdentifierEvent(Event):
    """A user who logs in has said who they are."""

    authentication: IdentifierAuthentication = must("How far the user has come.", state=EXPERIMENTAL)
