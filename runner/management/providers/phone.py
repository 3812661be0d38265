"""`/branding/phone/providers`: the switch to the tenant's own `custom-phone-provider` Action."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import Response
from pydantic import AfterValidator, Field
from sqlalchemy.orm import Session

from runner.http.answer_types import moment
from runner.http.auth.caller import needs
from runner.http.described import refusals
from runner.http.errors import not_found
from runner.http.queries import Absent
from runner.management.base.context import Caller, answer, management_router, no_content
from runner.management.base.schemas import Body
from runner.management.providers import responses
from runner.management.providers.email import Credentials
from runner.management.providers.switch import CUSTOM, Provider
from runner.store.tables.entities import MessageProviderRow

router: Final = management_router("Message providers")
_CHANNEL: Final = "phone"
_PATH: Final = "/branding/phone/providers"


def _once(methods: list[Any]) -> list[Any]:
    if len(set(methods)) < len(methods):
        raise ValueError("a delivery method is given twice")
    return methods


class ConfigurationInput(Body):
    """Allowed ways of delivery; the platform's to honour."""

    delivery_methods: Annotated[
        list[Literal["text", "voice"]], Field(min_length=1, max_length=2), AfterValidator(_once)
    ]


class CreatePhoneProvider(Body):
    """POST /branding/phone/providers. Another provider than `custom` is the platform's own."""

    name: Literal["custom"]
    credentials: Credentials
    disabled: bool = False
    configuration: ConfigurationInput = Field(
        default_factory=lambda: ConfigurationInput(delivery_methods=["text", "voice"])
    )


class UpdatePhoneProvider(CreatePhoneProvider):
    """PATCH /branding/phone/providers/{id}: what is sent changes."""

    name: Literal["custom"] = "custom"
    credentials: Credentials = Field(default_factory=Credentials)


@router.get(_PATH, summary="List phone providers", response_model=responses.PhoneProviderList)
def list_phone_providers(
    caller: Annotated[Caller, needs("read:phone_providers")], disabled: bool | Absent = None
) -> Response:
    """One at most; not paged."""
    with caller.service.store.read() as session:
        row = Provider(session, caller, _CHANNEL).find()
        wanted = row is not None and (disabled is None or disabled != row.enabled)
        return answer({"providers": [_view(row)] if row is not None and wanted else []})


@router.post(
    _PATH,
    summary="Create the phone provider",
    status_code=201,
    response_model=responses.PhoneProvider,
    responses=refusals(409),
)
def create_phone_provider(
    caller: Annotated[Caller, needs("create:phone_providers")], body: CreatePhoneProvider
) -> Response:
    """From now on phone messages go to the tenant's Action; when none is bound, the only deployed one is."""
    fields = {"configuration": body.configuration.model_dump()}
    with caller.service.store.begin() as session:
        row = Provider(session, caller, _CHANNEL).create(fields, enabled=not body.disabled)
        return answer(_view(row), 201)


@router.get(
    f"{_PATH}/{{provider_id}}", summary="Get the phone provider", response_model=responses.PhoneProvider
)
def get_phone_provider(
    caller: Annotated[Caller, needs("read:phone_providers")], provider_id: str
) -> Response:
    with caller.service.store.read() as session:
        return answer(_view(_find(session, caller, provider_id)))


@router.patch(
    f"{_PATH}/{{provider_id}}", summary="Change the phone provider", response_model=responses.PhoneProvider
)
def update_phone_provider(
    caller: Annotated[Caller, needs("update:phone_providers")], provider_id: str, body: UpdatePhoneProvider
) -> Response:
    """Change the members that are sent."""
    sent = body.model_fields_set
    fields = {"configuration": body.configuration.model_dump()} if "configuration" in sent else {}
    with caller.service.store.begin() as session:
        row = _find(session, caller, provider_id)
        enabled = not body.disabled if "disabled" in sent else None
        return answer(_view(Provider(session, caller, _CHANNEL).update(row, fields, enabled=enabled)))


@router.delete(f"{_PATH}/{{provider_id}}", summary="Delete the phone provider", status_code=204)
def delete_phone_provider(
    caller: Annotated[Caller, needs("delete:phone_providers")], provider_id: str
) -> Response:
    """The Action stays, and stays bound."""
    with caller.service.store.begin() as session:
        Provider(session, caller, _CHANNEL).delete(_find(session, caller, provider_id))
    return no_content()


def _find(session: Session, caller: Caller, provider_id: str) -> MessageProviderRow:
    row = Provider(session, caller, _CHANNEL).existing()
    if row.id != provider_id:
        raise not_found(f"{_CHANNEL} provider")
    return row


def _view(row: MessageProviderRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "tenant": row.tenant_id,
        "name": CUSTOM,
        "channel": _CHANNEL,
        "disabled": not row.enabled,
        **row.fields,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }
