"""User profiles, from the two or three fields of a signup to the full profile of a login."""

from __future__ import annotations

from typing import Annotated, ClassVar

from triggers.events.model.base import (
    CONTACT,
    FREE_TEXT,
    IDENTIFIER,
    PLAIN,
    OpenMap,
    Part,
    StringMap,
    Timestamp,
    known,
    may,
    must,
)

FactorType = Annotated[
    str,
    known(
        "otp", "email", "phone", "push-notification", "webauthn-roaming", "webauthn-platform", "recovery-code"
    ),
]


class Identity(Part):
    """One linked identity of a user."""

    OPEN: ClassVar[bool] = True

    connection: str | None = may("Connection the identity lives in.", PLAIN)
    provider: str | None = may("Identity provider.", PLAIN)
    user_id: str | None = may("Id at the provider.", IDENTIFIER)
    isSocial: bool | None = may("Whether the connection is a social one.", PLAIN)
    profileData: StringMap | None = may("What the provider says about the user.")


class EnrolledFactor(Part):
    """One factor a user enrolled."""

    OPEN: ClassVar[bool] = True

    type: FactorType = must("Kind of factor.", PLAIN)
    options: OpenMap | None = may("Settings of the factor.")


class Naming(Part):
    """The names of a user."""

    email: str | None = may("Email address, unique in its connection.", CONTACT)
    family_name: str | None = may("Family name.", IDENTIFIER)
    given_name: str | None = may("Given name.", IDENTIFIER)
    name: str | None = may("Full name.", IDENTIFIER)
    nickname: str | None = may("Nickname.", IDENTIFIER)
    picture: str | None = may("URL of a picture.", FREE_TEXT)
    username: str | None = may("User name, unique in its connection.", IDENTIFIER)


class NewUser(Naming):
    """The user who is about to be created."""

    app_metadata: OpenMap | None = may("Metadata the user cannot change.")
    phone_number: str | None = may("Phone number.", CONTACT)
    user_metadata: OpenMap | None = may("Metadata the user can change.")


class Profile(Naming):
    """The user's profile."""

    OPEN: ClassVar[bool] = True

    app_metadata: OpenMap = must("Metadata the user cannot change, such as what decides about access.")
    email_verified: bool = must("Whether the email address was verified.", PLAIN)
    user_id: str = must("Unique id of the user, `<strategy>|<id>`.", IDENTIFIER)
    user_metadata: OpenMap = must("Metadata the user can change.")


class StoredProfile(Profile):
    """The user's profile."""

    created_at: Timestamp = must("When the profile was created.", PLAIN)
    last_password_reset: Timestamp | None = may(
        "When the password was last changed; database users only.", PLAIN
    )
    phone_number: str | None = may("Phone number.", CONTACT)
    phone_verified: bool | None = may("Whether the phone number was verified.", PLAIN)
    updated_at: Timestamp = must("When the profile last changed.", PLAIN)


class MessagedUser(StoredProfile):
    """The user a message goes to."""

    identities: list[Identity] | None = may("Linked identities.")


class ResetUser(StoredProfile):
    """The user whose password is being reset."""

    enrolledFactors: list[EnrolledFactor] | None = may(
        "Factors the user enrolled; absent when the list could not be had, empty when there are none."
    )
    identities: list[Identity] = must("Linked identities.")


class LoginUser(ResetUser):
    """The user who is logging in."""

    multifactor: list[str] | None = may("Names of the MFA providers the user is enrolled with.", PLAIN)


class ChangedUser(Part):
    """The user whose password was changed."""

    email: str | None = may("Email address, unique in its connection.", CONTACT)
    email_verified: bool | None = may("Whether the email address was verified.", PLAIN)
    last_password_reset: Timestamp | None = may("When the password was last changed.", PLAIN)
    phone_number: str | None = may("Phone number.", CONTACT)
    phone_verified: bool | None = may("Whether the phone number was verified.", PLAIN)
    user_id: str | None = may("Unique id of the user, `<strategy>|<id>`.", IDENTIFIER)
    username: str | None = may("User name, unique in its connection.", IDENTIFIER)
