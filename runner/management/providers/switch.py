"""Switching a tenant's messages to its own provider Action: what email and phone have in common
(reference/management-api.md section 8).

The platform delivers messages; it asks the runtime API to run `custom-email-provider` and
`custom-phone-provider`. The switch says whether those may run, and sees to it that an Action is bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from runner.http.errors import ApiError, bad_request, not_found
from runner.management.base.context import Caller, note
from runner.store.generations import bump
from runner.store.tables.columns import named_id, new_id, now
from runner.store.tables.entities import MessageProviderRow
from runner.store.tables.models import ActionRow, BindingRow

CUSTOM: Final = "custom"
NO_ACTION: Final = "custom_email_provider_deployed_action_not_found"
"""The service's own code, for phones as well (reference/trigger-custom-phone-provider.md)."""
_KIND: Final = "pro"


class Provider:
    """The provider of one channel of a caller's tenant, in a transaction."""

    def __init__(self, session: Session, caller: Caller, channel: str) -> None:
        self._session = session
        self._caller = caller
        self._channel = channel
        self._trigger = f"custom-{channel}-provider"

    def find(self) -> MessageProviderRow | None:
        """None when the tenant has none."""
        mine = select(MessageProviderRow).where(
            MessageProviderRow.tenant_id == self._caller.tenant,
            MessageProviderRow.channel == self._channel,
        )
        return self._session.scalars(mine).one_or_none()

    def existing(self) -> MessageProviderRow:
        """Raises `ApiError` 404."""
        row = self.find()
        if row is None:
            raise not_found(f"{self._channel} provider")
        return row

    def create(self, fields: Mapping[str, Any], *, enabled: bool) -> MessageProviderRow:
        """Raises `ApiError`: 409 when there is one, 400 without an Action."""
        self._claim()
        self._ensure_action()
        row = MessageProviderRow(
            tenant_id=self._caller.tenant,
            id=named_id(_KIND),
            channel=self._channel,
            enabled=enabled,
            fields=dict(fields),
            created_at=now(),
            updated_at=now(),
        )
        self._session.add(row)
        try:
            self._session.flush()
        except IntegrityError:
            raise ApiError(409, f"There is a {self._channel} provider already.") from None
        self._note("create", row)
        return row

    def update(
        self, row: MessageProviderRow, fields: Mapping[str, Any], *, enabled: bool | None
    ) -> MessageProviderRow:
        """Write what was sent. `enabled`: None leaves it. Raises `ApiError` 400 without an Action."""
        self._claim()
        row.fields = {**row.fields, **fields}
        row.enabled = row.enabled if enabled is None else enabled
        row.updated_at = now()
        if row.enabled:
            self._ensure_action()
        self._note("update", row)
        return row

    def delete(self, row: MessageProviderRow) -> None:
        """Its Action stays, and stays bound."""
        self._claim()
        self._session.delete(row)
        self._note("delete", row)

    def _claim(self) -> None:
        """Caches look again; and nobody else changes what is bound until the transaction ends."""
        bump(self._session, self._caller.tenant, self._trigger)

    def _note(self, operation: str, row: MessageProviderRow) -> None:
        note(self._caller, self._session, f"{self._channel}_provider.{operation}", row.id)

    def _ensure_action(self) -> None:
        """The trigger has a bound Action, or the only deployed one is bound now. Raises `ApiError` 400."""
        tenant = self._caller.tenant
        bound = select(BindingRow.id).where(
            BindingRow.tenant_id == tenant, BindingRow.trigger_id == self._trigger
        )
        if self._session.scalar(bound.limit(1)) is not None:
            return
        deployed = self._session.scalars(
            select(ActionRow).where(
                ActionRow.tenant_id == tenant,
                ActionRow.trigger_id == self._trigger,
                ActionRow.deployed_version_id.is_not(None),
            )
        ).all()
        if not deployed:
            raise bad_request(f"No action for {self._trigger} is deployed: deploy one first.", NO_ACTION)
        if len(deployed) > 1:
            raise bad_request(f"Several actions for {self._trigger} are deployed: bind one.", NO_ACTION)
        self._session.add(
            BindingRow(
                tenant_id=tenant,
                id=new_id(),
                trigger_id=self._trigger,
                position=0,
                action_id=deployed[0].id,
                display_name=deployed[0].name,
            )
        )
