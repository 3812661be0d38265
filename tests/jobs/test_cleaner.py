"""What has been kept long enough goes, with all that hangs on it; everything else stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from runner.jobs.cleaner import Cleaner
from runner.store import Store
from runner.store.tables.console import SessionRow, SignInLinkRow
from runner.store.tables.entities import EventDeliveryRow, EventStreamRow
from runner.store.tables.models import ActionRow, Tenant
from runner.store.tables.runs import ExecutionAction, ExecutionRow, IdempotencyRow, JobRow, SuspensionRow

NOW = datetime(2026, 1, 11, tzinfo=UTC)


def execution(number: int, expires_at: datetime) -> ExecutionRow:
    return ExecutionRow(
        tenant_id="t", id=f"e{number}", trigger_id="post-login", status="final", expires_at=expires_at
    )


def job(number: int, execution_id: str, state: str) -> JobRow:
    old = NOW - timedelta(days=2)
    return JobRow(
        tenant_id="t",
        id=f"j{number}",
        kind="flow",
        execution_id=execution_id,
        state=state,
        next_at=old,
        updated_at=old,
    )


def test_old_rows_go_and_the_others_stay(store: Store) -> None:
    past, future = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
    with store.begin() as session:
        session.add_all([execution(number, past) for number in range(1_200)])
        session.add_all([execution(2_000, future), execution(2_001, past)])
        session.add(
            ExecutionAction(tenant_id="t", execution_id="e1", position=0, action_id="a", action_name="a")
        )
        session.add_all([job(1, "e1", "dead"), job(2, "e2000", "done"), job(3, "e2001", "ready")])
        for number, moment in enumerate((past, future)):
            session.add(
                SuspensionRow(key=f"s{number}", tenant_id="t", execution_id="e", text="x", expires_at=moment)
            )
            session.add(IdempotencyRow(tenant_id="t", key=f"i{number}", digest="d", expires_at=moment))
            named = {"tenant_id": "t", "digest": f"d{number}", "actor": "maya", "expires_at": moment}
            session.add(SessionRow(id=f"ses_{number}", way="link", **named))
            session.add(SignInLinkRow(**named))
    cleaner = Cleaner(store, clock=lambda: NOW)
    gone = {
        "executions": 1_200,
        "suspensions": 1,
        "idempotency_keys": 1,
        "used_assertions": 0,
        "console_sessions": 1,
        "console_links": 1,
        "jobs": 1,
        "kept_versions": 0,
        "execution_records": 0,
        "record_flows": 0,
        "record_subjects": 0,
    }
    assert cleaner.clean() == gone
    assert cleaner.clean() == dict.fromkeys(gone, 0)
    with store.read() as session:
        assert set(session.scalars(select(ExecutionRow.id))) == {"e2000", "e2001"}
        assert set(session.scalars(select(JobRow.id))) == {"j3"}
        assert session.scalar(select(func.count()).select_from(ExecutionAction)) == 0
        assert session.scalars(select(SuspensionRow.key)).all() == ["s1"]
        assert session.scalars(select(IdempotencyRow.key)).all() == ["i1"]
        assert session.scalars(select(SessionRow.digest)).all() == ["d1"]
        assert session.scalars(select(SignInLinkRow.digest)).all() == ["d1"]


def test_deliveries_go_with_their_executions(store: Store) -> None:
    with store.begin() as session:
        session.add(Tenant(id="t", name="t"))
        session.flush()
        session.add(
            ActionRow(
                tenant_id="t",
                id="a",
                name="a",
                code="",
                trigger_id="event-stream",
                trigger_version="v1",
                runtime="node22",
            )
        )
        session.flush()
        session.add(EventStreamRow(tenant_id="t", id="est_1", action_id="a"))
        session.flush()
        for number, expires_at in ((1, NOW - timedelta(seconds=1)), (2, NOW + timedelta(seconds=1))):
            session.add_all([execution(number, expires_at), job(number, f"e{number}", "dead")])
            session.add(
                EventDeliveryRow(
                    tenant_id="t",
                    stream_id="est_1",
                    event_id=f"evt_{number}",
                    event_type="user.created",
                    execution_id=f"e{number}",
                    job_id=f"j{number}",
                )
            )
    Cleaner(store, clock=lambda: NOW).clean()
    with store.read() as session:
        assert session.scalars(select(EventDeliveryRow.event_id)).all() == ["evt_2"]
        assert session.scalars(select(JobRow.id)).all() == ["j2"]
