"""Sessions, refresh tokens and what passes between them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from triggers.events.model.base import (
    EARLY_ACCESS,
    IDENTIFIER,
    NETWORK,
    PACKAGE_SAMPLE,
    PLAIN,
    OpenMap,
    Part,
    StringMap,
    Timestamp,
    known,
    may,
    must,
)
from triggers.events.parts.request import TransferRequest

CookieMode = Annotated[str, known("persistent", "non-persistent")]
TokenAccess = Annotated[str, known("online", "offline")]


class Device(Part):
    """The device at its first and its latest use."""

    initial_asn: str | None = may("Autonomous system at first.", NETWORK)
    initial_ip: str | None = may("Address at first.", NETWORK)
    initial_user_agent: str | None = may("User agent at first.", NETWORK)
    last_asn: str | None = may("Autonomous system lately.", NETWORK)
    last_ip: str | None = may("Address lately.", NETWORK)
    last_user_agent: str | None = may("User agent lately.", NETWORK)


class ParentToken(Part):
    """The refresh token that something was born from."""

    id: str | None = may("Its id.", IDENTIFIER)


class ParentTokenWithMetadata(ParentToken):
    """The refresh token that a session was born from."""

    metadata: StringMap | None = may("Its metadata.")


class TokenTransfer(Part):
    """The origin of a refresh token, if a session was handed over."""

    parent_refresh_token: ParentToken | None = may("Refresh token at the origin.")


class SessionTransfer(Part):
    """The origin of a session, if a native application handed it over."""

    parent_refresh_token: ParentTokenWithMetadata | None = may("Refresh token at the origin.")


class SessionActor(Part):
    """The party that acts in the place of the user."""

    OPEN: ClassVar[bool] = True

    sub: str = must("Subject of the actor.", IDENTIFIER)


class SessionClient(Part):
    """A client that takes part in a session."""

    client_id: str = must("Client id.", PLAIN)


class Cookie(Part):
    """The session's cookie."""

    mode: CookieMode = must(
        "Whether it outlives the browser; follows `api.session.setCookieMode` at once.", PLAIN
    )


class Session(Part):
    """The user's session."""

    id: str = must("Session id.", IDENTIFIER)
    actor: SessionActor | None = may("Who acts in the place of the user; delegated sessions only.")
    authenticated_at: Timestamp | None = may("When the user last authenticated.", PLAIN)
    clients: list[SessionClient] | None = may("Clients that take part.")
    cookie: Cookie | None = may("The session's cookie.")
    created_at: Timestamp | None = may("When it was created.", PLAIN)
    device: Device | None = may("The device.")
    expires_at: Timestamp | None = may("When it ends for good.", PLAIN)
    idle_expires_at: Timestamp | None = may("When it ends if it is not used.", PLAIN)
    last_interacted_at: Timestamp | None = may("When it was last used.", PLAIN)
    metadata: StringMap | None = may(
        "Metadata of the session; follows `api.session.setMetadata` and its kin at once.", state=EARLY_ACCESS
    )
    session_transfer: SessionTransfer | None = may("Where the session came from.", state=EARLY_ACCESS)
    updated_at: Timestamp | None = may("When it last changed.", PLAIN)
    user_id: str | None = may("Whose session it is.", IDENTIFIER)


class _OrEmpty:
    """Accepts `{}` as well: some flows without a browser carry an empty session (post-login, notes)."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_empty_or_whole, handler(source))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), {"type": "object", "maxProperties": 0}]}


def _empty_or_whole(value: Any, validate: core_schema.ValidatorFunctionWrapHandler) -> Any:
    return Session.model_construct() if value == {} else validate(value)


LoginSession = Annotated[Session, _OrEmpty]


class TokenResourceServer(Part):
    """An API a refresh token is good for."""

    audience: str = must("Identifier of the API.", PLAIN)
    scopes: str = must("Scopes, separated by spaces.", PLAIN)


class RefreshToken(Part):
    """The refresh token that is being exchanged."""

    id: str = must("Its id (`rt_...`).", IDENTIFIER)
    access: TokenAccess | None = may(
        "Whether it works without a session; online tokens refuse most of `api.refreshToken`.",
        PLAIN,
        state=PACKAGE_SAMPLE,
    )
    client_id: str | None = may("Client it was issued to.", PLAIN)
    created_at: Timestamp = must("When it was created.", PLAIN)
    device: Device | None = may("The device.")
    expires_at: Timestamp | None = may("When it ends for good.", PLAIN)
    idle_expires_at: Timestamp | None = may("When it ends if it is not used.", PLAIN)
    last_exchanged_at: Timestamp | None = may("When it was last exchanged.", PLAIN)
    metadata: StringMap | None = may(
        "Its metadata; follows `api.refreshToken.setMetadata` and its kin at once."
    )
    resource_servers: list[TokenResourceServer] | None = may("APIs it is good for.")
    rotating: bool | None = may("Whether each exchange gives a new one.", PLAIN)
    session_id: str | None = may("Session it belongs to.", IDENTIFIER)
    session_transfer: TokenTransfer | None = may("Where it came from, if a session was handed over.")
    user_id: str | None = may("Whose token it is.", IDENTIFIER)


class SessionTransferToken(Part):
    """The token with which a native application hands its session to a browser."""

    client_id: str = must("Client that had it issued.", PLAIN)
    request: TransferRequest = must("Request that issued it.")
    scope: list[str] = must("Scopes asked for when it was issued.", PLAIN)


class AnonymousSession(Part):
    """The session of a visitor who had not logged in. What it holds is not verified."""

    user_id: str | None = may("Id of the visitor (`anon@...`).", IDENTIFIER)
    session_id: str | None = may("Id of the session.", IDENTIFIER)
    created_at: Timestamp | None = may("When it was created.", PLAIN)
    expires_at: Timestamp | None = may("When it ends.", PLAIN, state=PACKAGE_SAMPLE)
    metadata: OpenMap | None = may("What the application noted, such as a language or an order.")
