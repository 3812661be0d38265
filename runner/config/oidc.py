"""What members of a group may do in the console, as settings say it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class OidcGrant(BaseModel):
    """Attributes:
    group: as the provider's claim has it.
    tenant: id of the tenant that its members see.
    scopes: theirs there; `*` for all that a client can have.
    operator: whether they list and add tenants, and work in each.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Annotated[str, Field(min_length=1, max_length=1_024)]
    tenant: Annotated[str, Field(min_length=1, max_length=64)]
    scopes: tuple[str, ...] = ("*",)
    operator: bool = False
