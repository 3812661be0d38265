"""Event of the `post-credential-validation` trigger, version 1."""

from __future__ import annotations

from typing import Annotated, ClassVar

from triggers.events.model.base import (
    CONTACT,
    IDENTIFIER,
    NETWORK,
    PLAIN,
    OpenMap,
    Part,
    ScalarMap,
    Timestamp,
    filled,
    known,
    may,
    must,
)
from triggers.events.parts.context import Event
from triggers.events.parts.parties import Client, Connection, Tenant
from triggers.events.parts.request import Request
from triggers.events.parts.transaction import Correlated
from triggers.events.parts.user import Identity, Naming

CredentialMethod = Annotated[str, known("pwd", "passkey", "email", "sms")]


class Credential(Part):
    """The credential that was submitted, without the credential itself."""

    identifier: str = must(
        "Who the caller claims to be: an email address, a user name or a phone number; for a passkey the id "
        "of its credential.",
        CONTACT,
    )
    valid: bool = must("Whether the credential passed.", PLAIN)


class ValidatedMethod(Part):
    """The way in which the user tried to authenticate."""

    name: CredentialMethod = must("Method of authentication.", PLAIN)
    timestamp: Timestamp | None = may("When the credential was checked.", PLAIN)


class ValidatedAuthentication(Part):
    """The user's attempt to authenticate."""

    methods: list[ValidatedMethod] = must("The method whose credential was checked.")


class ValidatedRequest(Request):
    """The HTTP request that submitted the credential."""

    OPEN: ClassVar[bool] = True

    asn: str | None = may("Number of the autonomous system the caller is in.", NETWORK)
    body: OpenMap | None = may("Parameters of the request body, without the credential.")
    query: OpenMap | None = may("Parameters of the query string.")


class ValidatedUser(Naming):
    """The user whom the identifier names."""

    OPEN: ClassVar[bool] = True

    app_metadata: OpenMap | None = may("Metadata the user cannot change.")
    created_at: Timestamp | None = may("When the profile was created.", PLAIN)
    email_verified: bool | None = may("Whether the email address was verified.", PLAIN)
    identities: list[Identity] | None = may("Linked identities.")
    last_password_reset: Timestamp | None = may("When the password was last changed.", PLAIN)
    phone_number: str | None = may("Phone number.", CONTACT)
    phone_verified: bool | None = may("Whether the phone number was verified.", PLAIN)
    updated_at: Timestamp | None = may("When the profile last changed.", PLAIN)
    user_id: str = must("Unique id of the user, `<strategy>|<id>`.", IDENTIFIER)
    user_metadata: OpenMap | None = may("Metadata the user can change.")


class ValidationTransaction(Correlated):
    """The transaction this login belongs to."""

    OPEN: ClassVar[bool] = True

    metadata: ScalarMap | None = filled(
        "What Actions share in this transaction, post-login's too; follows `api.transaction.setMetadata` "
        "at once."
    )


class PostCredentialValidationEvent(Event):
    """A credential of a database connection was checked; nothing is answered yet."""

    authentication: ValidatedAuthentication | None = may("The user's attempt to authenticate.")
    client: Client | None = may("Application the user logs in to.")
    connection: Connection = must("Database connection that checked the credential.")
    credential: Credential = must("What came of the check.")
    request: ValidatedRequest = must("Request that submitted the credential.")
    tenant: Tenant | None = may("The tenant.")
    transaction: ValidationTransaction | None = filled("The transaction this login belongs to.")
    user: ValidatedUser | None = may(
        "The user; absent when the credential is invalid and names nobody, so read it with `?.`."
    )
