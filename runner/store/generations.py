"""Generations, which tell caches in all processes that a trigger runs something else now."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from runner.store.database.notices import BINDINGS, Notice, announce
from runner.store.database.upsert import insert_or_keep
from runner.store.tables.models import BindingGeneration


def bump(session: Session, tenant: str, trigger: str) -> None:
    """Note, in the transaction that changes what `trigger` runs, that it does. Listeners of the store are
    told when it is committed."""
    session.flush()
    key = {"tenant_id": tenant, "trigger_id": trigger}
    insert_or_keep(session, BindingGeneration, {**key, "generation": 0})
    session.execute(
        update(BindingGeneration)
        .where(BindingGeneration.tenant_id == tenant, BindingGeneration.trigger_id == trigger)
        .values(generation=BindingGeneration.generation + 1)
    )
    announce(session, Notice(BINDINGS, tenant, trigger))


def generation(session: Session, tenant: str, trigger: str) -> int:
    """Grows with every change; 0 before the first."""
    found = session.scalar(
        select(BindingGeneration.generation).where(
            BindingGeneration.tenant_id == tenant, BindingGeneration.trigger_id == trigger
        )
    )
    return found or 0
