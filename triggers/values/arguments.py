"""Annotations shared by surfaces: arguments and answers as guests see them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import AfterValidator, BeforeValidator, Field
from typing_extensions import TypedDict

from triggers.values.json_value import units
from triggers.values.refusals import numbered

Number = int | float
"""A JavaScript number."""
Scalar = str | int | float | bool


def at_most(maximum: int) -> AfterValidator:
    """Counts characters as JavaScript does: UTF-16 code units."""

    def measured(value: str) -> str:
        if units(value) > maximum:
            raise ValueError(f"must have at most {numbered(maximum, 'character')}, not {units(value)}")
        return value

    return AfterValidator(measured)


def text(maximum: int, minimum: int = 0, pattern: str | None = None) -> Any:
    """A string of `minimum` to `maximum` characters."""
    return Annotated[str, Field(min_length=minimum, max_length=maximum, pattern=pattern), at_most(maximum)]


def _as_text(value: Any) -> Any:
    """JavaScript's `String` of numbers, booleans, null and arrays of them; anything else is left
    to be refused."""
    if value is None:
        return "null"
    if isinstance(value, list) and all(item is None or isinstance(item, Scalar) for item in value):
        return ",".join("" if item is None else _as_text(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


QueryText = Annotated[str, BeforeValidator(_as_text)]
"""A query value: a string, and as URLs take them also a number, a boolean, null or an array of those."""

FILLED: Final = Annotated[str, Field(min_length=1)]
"""A string that is not empty."""


class CacheValue(TypedDict):
    """A cached value and when it expires (milliseconds since 1970)."""

    value: str
    expires_at: Number


class CacheSuccess(TypedDict):
    """The record was written."""

    type: Literal["success"]
    record: CacheValue


class CacheDeleted(TypedDict):
    """The record was removed."""

    type: Literal["success"]


class CacheError(TypedDict):
    """A limit stood in the way; nothing was changed."""

    type: Literal["error"]
    code: Literal[
        "MaxSideEffectsExceeded",
        "CacheKeySizeExceeded",
        "CacheValueSizeExceeded",
        "CacheSizeExceeded",
        "ItemAlreadyExpired",
        "InvalidExpiry",
        "FailedToSetCacheRecord",
        "FailedToDeleteCacheRecord",
        "CacheKeyDoesNotExist",
    ]


class Group(TypedDict):
    """A group that the user is a member of. Times are ISO 8601."""

    id: str
    name: str
    external_id: NotRequired[str]
    connection_id: NotRequired[str]
    tenant_name: str
    created_at: str
    updated_at: str
    membership_created_at: str
    assignment: str


class GroupPage(TypedDict):
    """One page; `next` goes into `from` of the next call."""

    groups: list[Group]
    next: NotRequired[str]


class GroupMatch(TypedDict):
    """A group that matched by id or name."""

    id: str
    name: str
    group_type: Literal["connection", "organization", "tenant"]


class Membership(TypedDict):
    """Whether the user is a member, and of which groups of that id or name."""

    is_member: bool
    matches: NotRequired[list[GroupMatch]]


class Memberships(TypedDict):
    """By the ids or names asked for."""

    memberships: dict[str, Membership]
    errors: NotRequired[dict[str, str]]


class Role(TypedDict):
    """A role; `type` says how the user got it."""

    id: str
    name: str
    type: str


class RolePage(TypedDict):
    """One page; `next` goes into `from` of the next call."""

    roles: list[Role]
    next: NotRequired[str]


class Roles(TypedDict):
    """Those of the roles asked for that the user has."""

    roles: list[Role]


class PhoneOptions(TypedDict):
    """The way to reach the phone."""

    preferredMethod: NotRequired[Literal["sms", "voice", "both"]]


class PushOptions(TypedDict):
    """Whether a one-time password may stand in for the push."""

    otpFallback: NotRequired[bool]


class PlainChallenge(TypedDict):
    """A factor without options of its own."""

    type: Literal["otp", "email", "webauthn-platform", "webauthn-roaming", "recovery-code"]
    options: NotRequired[dict[str, Any]]


class PhoneFactor(TypedDict):
    """A text message or a voice call."""

    type: Literal["phone"]
    options: NotRequired[PhoneOptions]


class PushChallenge(TypedDict):
    """A push notification."""

    type: Literal["push", "push-notification"]
    options: NotRequired[PushOptions]


class PlainEnrollment(TypedDict):
    """A factor without options of its own."""

    type: Literal[
        "otp", "webauthn-platform", "webauthn-roaming", "recovery-code", "push", "push-notification"
    ]
    options: NotRequired[dict[str, Any]]


ChallengeFactor = Annotated[PlainChallenge | PhoneFactor | PushChallenge, Field(discriminator="type")]
EnrollFactor = Annotated[PlainEnrollment | PhoneFactor, Field(discriminator="type")]


class DuoOptions(TypedDict):
    """The Duo account to use instead of the tenant's."""

    host: str
    ikey: str
    skey: str
    username: NotRequired[str]
