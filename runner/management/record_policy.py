"""`/api/v2/record-policy`: which executions of the tenant are recorded to be run again. (Ours: Auth0's own
API has nothing like it.)"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Response
from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from runner.http.answer_types import Count, closed
from runner.http.errors import invalid_body, not_found
from runner.management.base.context import (
    ActionReader,
    ActionUpdater,
    Caller,
    answer,
    management_router,
    note,
)
from runner.management.base.schemas import Body, RecordPolicyText
from runner.records.policy import days_of
from runner.records.quota import used_bytes
from runner.store.generations import bump
from runner.store.tables.models import Tenant
from runner.store.tables.records import RecordRow
from triggers import known_triggers

router: Final = management_router("Record policy")
_PATH: Final = "/record-policy"
_SETTING: Final = "records"


class UpdateRecordPolicy(Body):
    """PATCH /record-policy: what is sent changes; null for the installation's."""

    policy: RecordPolicyText | None = None
    days: Annotated[float, Field(gt=0, le=3_650)] | None = None


@closed
class RecordPolicyItem(TypedDict):
    """Which executions are recorded, how long records stay, and how many bytes they have of how many."""

    policy: str
    days: Annotated[float, Field(gt=0)]
    quota_bytes: Count
    used_bytes: Count
    records: Count


@router.get(_PATH, summary="Get the record policy", response_model=RecordPolicyItem)
def get_record_policy(caller: ActionReader) -> Response:
    """The tenant's own where it chose one, else the installation's."""
    with caller.service.store.read() as session:
        return answer(_view(caller, session, _tenant(caller, session)))


@router.patch(_PATH, summary="Change the record policy", response_model=RecordPolicyItem)
def update_record_policy(caller: ActionUpdater, body: UpdateRecordPolicy) -> Response:
    """For executions that begin from now on. Bindings may have policies of their own."""
    most = caller.service.settings.record_days
    if body.days is not None and body.days > most:
        raise invalid_body(f"'days may be at most {most:g} here' at $.days.")
    with caller.service.store.begin() as session:
        row = _tenant(caller, session, lock=True)
        chosen: dict[str, Any] = dict(row.settings.get(_SETTING, {}))
        for name in body.model_fields_set:
            value = getattr(body, name)
            if value is None:
                chosen.pop(name, None)
            else:
                chosen[name] = value
        row.settings = {**row.settings, _SETTING: chosen}
        for trigger in known_triggers():
            bump(session, caller.tenant, trigger.id)
        note(caller, session, "record_policy.update", caller.tenant)
        return answer(_view(caller, session, row))


def _tenant(caller: Caller, session: Session, *, lock: bool = False) -> Tenant:
    row = session.get(Tenant, caller.tenant, with_for_update=lock)
    if row is None:
        raise not_found("tenant")
    return row


def _view(caller: Caller, session: Session, row: Tenant) -> dict[str, Any]:
    settings = caller.service.settings
    stored = select(func.count()).where(RecordRow.tenant_id == caller.tenant, RecordRow.gone.is_(None))
    return {
        "policy": row.settings.get(_SETTING, {}).get("policy", settings.record_policy),
        "days": days_of(row.settings, settings.record_days),
        "quota_bytes": settings.records.quota_bytes,
        "used_bytes": used_bytes(session, caller.tenant),
        "records": session.scalar(stored) or 0,
    }
