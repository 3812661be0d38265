"""`api.authentication` of custom-token-exchange: whose token it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from triggers.api.access import DENY_EXCHANGE, REJECT_SUBJECT_TOKEN
from triggers.engine.call import Call
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft
from triggers.engine.effects import UserByConnection, UserById
from triggers.engine.surface import Method, Option, Options, Parameter
from triggers.values.arguments import Scalar, at_most, text
from triggers.values.json_value import shown, units
from triggers.values.refusals import CommitError

MAX_ATTRIBUTES: Final = 24
MAX_ACTORS: Final = 5
"""Levels of an actor chain, and custom properties of one level."""
MAX_ACTOR_TEXT: Final = 64


_Short = Annotated[str, Field(min_length=1, max_length=150), at_most(150)]
_Long = Annotated[str, Field(min_length=1, max_length=300), at_most(300)]


class UserAttributes(TypedDict):
    """The user's profile; further attributes are allowed. `user_id` is the id inside the connection."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    user_id: Annotated[str, Field(min_length=1, max_length=255), at_most(255)]
    email: NotRequired[str]
    email_verified: NotRequired[bool]
    family_name: NotRequired[_Short]
    given_name: NotRequired[_Short]
    name: NotRequired[_Long]
    nickname: NotRequired[_Long]
    phone_number: NotRequired[str]
    phone_verified: NotRequired[bool]
    picture: NotRequired[str]
    username: NotRequired[Annotated[str, Field(min_length=1, max_length=128), at_most(128)]]
    verify_email: NotRequired[bool]


class Actor(TypedDict):
    """The party that acts for the subject; custom properties are allowed beside `sub` and `act`."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    sub: Annotated[str, Field(min_length=1, max_length=512), at_most(512)]
    act: NotRequired[Actor]


_SET_USER: Final = ("authentication.setUserById", "authentication.setUserByConnection")


def _first_user(call: Call) -> None:
    """At most one of the two calls, and once: otherwise the exchange fails whatever the Action does."""
    for command in call.own:
        if command.path in _SET_USER:
            raise call.refusal(
                f"the user was already set with api.{command.path}; call exactly one of setUserById and "
                "setUserByConnection, once",
                code="aborted",
                aborts=True,
            )


def _by_connection(call: Call) -> None:
    attributes = call.arguments["user_attributes"]
    if len(attributes) > MAX_ATTRIBUTES:
        raise call.refusal(
            f"user_attributes must have at most {MAX_ATTRIBUTES} keys, not {len(attributes)}", code="limit"
        )
    _first_user(call)


def _actor(call: Call) -> None:
    if any(command.path == call.path for command in call.own):
        raise call.refusal("an actor was already set", code="not_allowed")
    actor, where = call.arguments["actor"], "actor"
    for _level in range(MAX_ACTORS):
        _check_actor(call, actor, where)
        if "act" not in actor:
            return
        actor, where = actor["act"], f"{where}.act"
    raise call.refusal(f"actor must have at most {MAX_ACTORS} levels", code="limit")


def _check_actor(call: Call, actor: dict[str, Any], where: str) -> None:
    custom = {key: value for key, value in actor.items() if key not in ("sub", "act")}
    if len(custom) > MAX_ACTORS:
        raise call.refusal(
            f"{where} must have at most {MAX_ACTORS} custom properties, not {len(custom)}", code="limit"
        )
    for key, value in custom.items():
        if units(key) > MAX_ACTOR_TEXT:
            raise call.refusal(
                f"{where} has a property name of over {MAX_ACTOR_TEXT} characters: {shown(key)}"
            )
        if not isinstance(value, Scalar):
            raise call.refusal(
                f"{where}.{key} must be a string, a number or true or false, not {shown(value)}"
            )
        if isinstance(value, str) and units(value) > MAX_ACTOR_TEXT:
            raise call.refusal(
                f"{where}.{key} must have at most {MAX_ACTOR_TEXT} characters, not {units(value)}"
            )


def one_user(own: Sequence[RecordedCommand], denied: bool) -> None:
    """An exchange that is not refused needs a user.

    Raises:
        CommitError: none was set.
    """
    if not denied and not any(command.path in _SET_USER for command in own):
        raise CommitError(
            "the Action neither set a user nor refused the exchange; call exactly one of "
            "api.authentication.setUserById and api.authentication.setUserByConnection, or api.access.deny",
            _SET_USER[0],
        )


def _apply_id(draft: Draft, command: RecordedCommand) -> None:
    draft.user = UserById(user_id=command.arguments["user_id"])


def _apply_connection(draft: Draft, command: RecordedCommand) -> None:
    draft.user = UserByConnection(
        connection=command.arguments["connection_name"],
        attributes=command.arguments["user_attributes"],
        creation_behavior=command.arguments["options"]["creationBehavior"],
        update_behavior=command.arguments["options"]["updateBehavior"],
    )


_ONE: Final = (
    "A second call of either throws, and the execution fails even when the Action catches it; an "
    "Action that calls "
    "neither and does not refuse fails."
)

EXCHANGE: Final = (
    DENY_EXCHANGE,
    REJECT_SUBJECT_TOKEN,
    Method(
        "authentication.setUserById",
        "command",
        "void",
        "An existing user becomes the subject.",
        parameters=(Parameter("user_id", text(512, minimum=1), "Id of the user; 1 to 512 characters."),),
        decided=_ONE,
        run=_first_user,
        apply=_apply_id,
    ),
    Method(
        "authentication.setUserByConnection",
        "command",
        "void",
        "A user of a connection becomes the subject; it is created or updated as the options say.",
        parameters=(
            Parameter(
                "connection_name", text(512, minimum=1), "Name of the connection; 1 to 512 characters."
            ),
            Parameter(
                "user_attributes",
                UserAttributes,
                f"The profile, at most {MAX_ATTRIBUTES} keys; user_id is the id inside the connection.",
            ),
        ),
        options=Options(
            (
                Option(
                    "creationBehavior",
                    Literal["create_if_not_exists", "none"],
                    "Whether to create a user that does not exist.",
                    required=True,
                ),
                Option(
                    "updateBehavior",
                    Literal["replace", "none"],
                    "Whether to update a user that exists.",
                    required=True,
                ),
            ),
            required=True,
            closed=True,
        ),
        decided=_ONE,
        run=_by_connection,
        apply=_apply_connection,
    ),
    Method(
        "authentication.setOrganization",
        "command",
        "void",
        "The organization that the token is for.",
        parameters=(
            Parameter("organization_id_or_name", text(50, minimum=1), "Id or name; 1 to 50 characters."),
        ),
        decided="The last call wins.",
        apply=lambda draft, command: setattr(
            draft, "organization", command.arguments["organization_id_or_name"]
        ),
    ),
    Method(
        "authentication.setActor",
        "command",
        "void",
        f"Who acts for the subject (the act claim), at most {MAX_ACTORS} levels of at most "
        f"{MAX_ACTORS} custom "
        "properties each. Once, and with a setUser call. With an actor no refresh token is issued and "
        "multi-factor authentication is impossible.",
        parameters=(Parameter("actor", Actor, "The actor and, in act, the one that acts for it."),),
        run=_actor,
        apply=lambda draft, command: setattr(draft, "actor", command.arguments["actor"]),
    ),
)
