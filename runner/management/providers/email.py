"""`/emails/provider`: the switch to the tenant's own `custom-email-provider` Action."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Response
from pydantic import Field

from runner.http.auth.caller import needs
from runner.http.described import refusals
from runner.http.queries import Absent
from runner.management.base.context import Caller, answer, management_router, no_content
from runner.management.base.schemas import Body
from runner.management.providers import responses
from runner.management.providers.switch import CUSTOM, Provider
from runner.model.caps import MAX_ADDRESS
from runner.store.tables.entities import MessageProviderRow

router: Final = management_router("Message providers")
_CHANNEL: Final = "email"
_SHOWN: Final = frozenset({"name", "enabled"})
_ALL: Final = frozenset({*_SHOWN, "credentials", "default_from_address", "settings"})


class Credentials(Body):
    """None: the Action has secrets of its own."""


class CreateEmailProvider(Body):
    """POST /emails/provider. Other providers than `custom` are the platform's own."""

    name: Literal["custom"]
    credentials: Credentials
    enabled: bool = True
    default_from_address: Annotated[str, Field(min_length=1, max_length=MAX_ADDRESS)] = "unset"
    settings: dict[str, Any] = Field(default_factory=dict)


class UpdateEmailProvider(CreateEmailProvider):
    """PATCH /emails/provider: what is sent changes."""

    name: Literal["custom"] = "custom"
    credentials: Credentials = Field(default_factory=Credentials)


@router.get(
    "/emails/provider",
    summary="Get the email provider",
    response_model=responses.EmailProvider,
    responses=refusals(404),
)
def get_email_provider(
    caller: Annotated[Caller, needs("read:email_provider")],
    fields: Annotated[str | Absent, Query(max_length=200, description="Separated by commas.")] = None,
    include_fields: bool = True,
) -> Response:
    """`name` and `enabled`, unless `fields` says otherwise; 404 when the tenant has none."""
    with caller.service.store.read() as session:
        row = Provider(session, caller, _CHANNEL).existing()
        if not fields:
            return answer(_view(row, _SHOWN))
        named = {name.strip() for name in fields.split(",")}
        return answer(_view(row, named & _ALL if include_fields else _ALL - named))


@router.post(
    "/emails/provider",
    summary="Create the email provider",
    status_code=201,
    response_model=responses.EmailProvider,
    responses=refusals(409),
)
def create_email_provider(
    caller: Annotated[Caller, needs("create:email_provider")], body: CreateEmailProvider
) -> Response:
    """From now on emails go to the tenant's Action; when none is bound, the only deployed one is."""
    with caller.service.store.begin() as session:
        provider = Provider(session, caller, _CHANNEL)
        return answer(_view(provider.create(_fields(body), enabled=body.enabled), _ALL), 201)


@router.patch(
    "/emails/provider",
    summary="Change the email provider",
    response_model=responses.EmailProvider,
    responses=refusals(404),
)
def update_email_provider(
    caller: Annotated[Caller, needs("update:email_provider")], body: UpdateEmailProvider
) -> Response:
    """Change the members that are sent."""
    with caller.service.store.begin() as session:
        provider = Provider(session, caller, _CHANNEL)
        enabled = body.enabled if "enabled" in body.model_fields_set else None
        return answer(_view(provider.update(provider.existing(), _fields(body), enabled=enabled), _ALL))


@router.delete(
    "/emails/provider", summary="Delete the email provider", status_code=204, responses=refusals(404)
)
def delete_email_provider(caller: Annotated[Caller, needs("delete:email_provider")]) -> Response:
    """The Action stays, and stays bound."""
    with caller.service.store.begin() as session:
        provider = Provider(session, caller, _CHANNEL)
        provider.delete(provider.existing())
    return no_content()


def _fields(body: CreateEmailProvider) -> dict[str, Any]:
    return body.model_dump(include={"default_from_address", "settings"}, exclude_unset=True)


def _view(row: MessageProviderRow, shown: Collection[str]) -> dict[str, Any]:
    whole = {"name": CUSTOM, "enabled": row.enabled, "credentials": {}, **row.fields}
    return {name: value for name, value in whole.items() if name in shown}
