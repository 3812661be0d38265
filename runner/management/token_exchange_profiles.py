"""Token exchange profiles: which Action validates subject tokens of a type
(reference/management-api.md section 8, reference/trigger-custom-token-exchange.md)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from fastapi import Response
from pydantic import AfterValidator, Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from runner.http.answer_types import Instant, Uuid, closed, moment
from runner.http.auth.caller import needs
from runner.http.cursor_pagination import Next, WantedCursorPage
from runner.http.described import refusals
from runner.http.errors import ApiError
from runner.http.validation import shown
from runner.management.actions.references import attachable
from runner.management.base.context import (
    Caller,
    answer,
    check_room,
    find_named,
    management_router,
    no_content,
    note,
)
from runner.management.base.schemas import Body
from runner.model.caps import (
    MAX_PROFILE_NAME,
    MAX_PROFILES,
    MAX_SUBJECT_TOKEN_TYPE,
    MIN_PROFILE_NAME,
    MIN_SUBJECT_TOKEN_TYPE,
)
from runner.store.generations import bump
from runner.store.tables.columns import named_id, now
from runner.store.tables.entities import TokenExchangeProfileRow
from triggers.values.subject_types import check_subject_token_type

router: Final = management_router("Token exchange profiles")
TRIGGER: Final = "custom-token-exchange"
WHAT: Final = "token exchange profile"
_KIND: Final = "tep"


def _own(text: str) -> str:
    check_subject_token_type(text)
    return text


ProfileName = Annotated[str, Field(min_length=MIN_PROFILE_NAME, max_length=MAX_PROFILE_NAME)]
SubjectTokenType = Annotated[
    str,
    Field(min_length=MIN_SUBJECT_TOKEN_TYPE, max_length=MAX_SUBJECT_TOKEN_TYPE),
    AfterValidator(_own),
]


class CreateProfile(Body):
    """POST /token-exchange-profiles."""

    name: ProfileName
    subject_token_type: SubjectTokenType
    action_id: Annotated[str, Field(min_length=1, max_length=36)]
    type: Literal["custom_authentication"]


class UpdateProfile(Body):
    """PATCH /token-exchange-profiles/{id}. `action_id` and `type` stay what they are."""

    name: ProfileName = "unset"
    subject_token_type: SubjectTokenType = ""


@closed
class Profile(TypedDict):
    """A profile: the Action that validates subject tokens of a type."""

    id: Annotated[str, Field(pattern="^tep_")]
    name: str
    subject_token_type: str
    action_id: Uuid
    type: Literal["custom_authentication"]
    created_at: Instant
    updated_at: Instant


@closed
class ProfileList(TypedDict):
    """Profiles in the order of their creation."""

    token_exchange_profiles: list[Profile]
    next: NotRequired[Next]


@router.get("/token-exchange-profiles", summary="List token exchange profiles", response_model=ProfileList)
def list_profiles(
    caller: Annotated[Caller, needs("read:token_exchange_profiles")], wanted: WantedCursorPage
) -> Response:
    """In the order of their creation; `next` while there are more."""
    query = select(TokenExchangeProfileRow).where(TokenExchangeProfileRow.tenant_id == caller.tenant)
    with caller.service.store.read() as session:
        rows, following = wanted.fetch(
            session, query, TokenExchangeProfileRow.created_at, TokenExchangeProfileRow.id
        )
    found: dict[str, Any] = {"token_exchange_profiles": [_view(row) for row in rows]}
    return answer(found if following is None else {**found, "next": following})


@router.post(
    "/token-exchange-profiles",
    summary="Create a token exchange profile",
    status_code=201,
    response_model=Profile,
    responses=refusals(409),
)
def create_profile(
    caller: Annotated[Caller, needs("create:token_exchange_profiles")], body: CreateProfile
) -> Response:
    """From now on the Action validates subject tokens of this type."""
    with caller.service.store.begin() as session:
        check_room(session, TokenExchangeProfileRow, caller.tenant, MAX_PROFILES, "token exchange profiles")
        action = attachable(session, caller.tenant, body.action_id, TRIGGER, "$.action_id")
        row = TokenExchangeProfileRow(
            tenant_id=caller.tenant,
            id=named_id(_KIND),
            name=body.name,
            subject_token_type=body.subject_token_type,
            type=body.type,
            action_id=action.id,
            created_at=now(),
            updated_at=now(),
        )
        session.add(row)
        _flush(session, body.subject_token_type)
        bump(session, caller.tenant, TRIGGER)
        note(caller, session, "token_exchange_profile.create", row.id)
        return answer(_view(row), 201)


@router.get(
    "/token-exchange-profiles/{profile_id}",
    summary="Get a token exchange profile",
    response_model=Profile,
)
def get_profile(
    caller: Annotated[Caller, needs("read:token_exchange_profiles")], profile_id: str
) -> Response:
    with caller.service.store.read() as session:
        return answer(_view(find_named(session, TokenExchangeProfileRow, caller.tenant, profile_id, WHAT)))


@router.patch(
    "/token-exchange-profiles/{profile_id}",
    summary="Change a token exchange profile",
    status_code=204,
    responses=refusals(409),
)
def update_profile(
    caller: Annotated[Caller, needs("update:token_exchange_profiles")], profile_id: str, body: UpdateProfile
) -> Response:
    """Its name, its subject token type, or both."""
    with caller.service.store.begin() as session:
        row = find_named(session, TokenExchangeProfileRow, caller.tenant, profile_id, WHAT, lock=True)
        for name in body.model_fields_set:
            setattr(row, name, getattr(body, name))
        row.updated_at = now()
        _flush(session, row.subject_token_type)
        bump(session, caller.tenant, TRIGGER)
        note(caller, session, "token_exchange_profile.update", row.id)
    return no_content()


@router.delete(
    "/token-exchange-profiles/{profile_id}", summary="Delete a token exchange profile", status_code=204
)
def delete_profile(
    caller: Annotated[Caller, needs("delete:token_exchange_profiles")], profile_id: str
) -> Response:
    """Its Action stays."""
    with caller.service.store.begin() as session:
        row = find_named(session, TokenExchangeProfileRow, caller.tenant, profile_id, WHAT, lock=True)
        session.delete(row)
        bump(session, caller.tenant, TRIGGER)
        note(caller, session, "token_exchange_profile.delete", row.id)
    return no_content()


def _flush(session: Session, subject_token_type: str) -> None:
    """Raises `ApiError` 409 when another profile has the type, or the Action was just deleted."""
    try:
        session.flush()
    except IntegrityError:
        raise ApiError(
            409,
            f"There is a token exchange profile for {shown(subject_token_type)} already, "
            "or its action was deleted in this moment.",
        ) from None


def _view(row: TokenExchangeProfileRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "subject_token_type": row.subject_token_type,
        "action_id": row.action_id,
        "type": row.type,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }
