"""Responses about message providers; see `runner.management.base.responses`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from runner.http.answer_types import Instant, closed


@closed
class NoCredentials(TypedDict):
    """Nothing: the Action has secrets of its own."""


@closed
class EmailProvider(TypedDict):
    """Whether emails go to the tenant's Action; which members are there, `fields` may say."""

    name: NotRequired[Literal["custom"]]
    enabled: NotRequired[bool]
    credentials: NotRequired[NoCredentials]
    default_from_address: NotRequired[str]
    settings: NotRequired[dict[str, Any]]


@closed
class PhoneConfiguration(TypedDict):
    """Allowed ways of delivery."""

    delivery_methods: list[Literal["text", "voice"]]


@closed
class PhoneProvider(TypedDict):
    """Whether phone messages go to the tenant's Action."""

    id: Annotated[str, Field(pattern="^pro_")]
    tenant: str
    name: Literal["custom"]
    channel: Literal["phone"]
    disabled: bool
    configuration: PhoneConfiguration
    created_at: Instant
    updated_at: Instant


@closed
class PhoneProviderList(TypedDict):
    """One at most."""

    providers: list[PhoneProvider]
