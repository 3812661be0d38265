"""Records of executions for whoever asks over HTTP: in which form, and why there is none."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.orm import Session

from runner.http.auth.caller import check_scopes
from runner.http.auth.tokens import Principal
from runner.http.errors import ApiError, bad_request, not_found
from runner.records.absence import absence
from runner.records.forms import PSEUDONYMS, redacted_form
from runner.records.policy import days_of
from runner.records.store import DamagedRecordError, RecordStore, rows_of
from runner.records.subjects import tenant_key
from runner.replay.execution_record import ExecutionRecord
from runner.store import KeyRing, Store, audit
from runner.store.tables.columns import now
from runner.store.tables.models import Tenant
from runner.store.tables.runs import ExecutionRow

_log: Final = structlog.get_logger("actionbox.records")
REVEAL: Final = "reveal:execution_data"
WAIT_SECONDS: Final = 5.0
"""For records that are not stored yet."""
_ON_ITS_WAY: Final = timedelta(minutes=1)
_PAUSE_SECONDS: Final = 0.1


def plain_reason(form: str | None, *given: str | None) -> str | None:
    """Why the plain form is asked for; None for the redacted one. Raises `ApiError` 400."""
    reasons = [text.strip() for text in given if text is not None]
    if not reasons and form != "plain":
        return None
    if len(reasons) != 1 or not reasons[0]:
        raise bad_request(
            "The plain form of a record is given for a reason: send it once, as the parameter `reason` or "
            "the header Reveal-Reason, and not blank.",
            "reason_required",
        )
    if form == "redacted":
        raise bad_request("A reason is given, and the redacted form needs none.", "invalid_query_string")
    return reasons[0]


class KeptRecords:
    """Args:
    days: how long the installation keeps records.
    settle: waits, so many seconds at most, until what this process has to store is stored; without it the
        database is asked again and again.
    """

    def __init__(
        self,
        store: Store,
        ring: Callable[[], KeyRing],
        days: float,
        settle: Callable[[float], object] | None = None,
    ) -> None:
        self._store = store
        self._ring = ring
        self._days = days
        self._settle = settle
        self._records = RecordStore(store, ring)

    def shown(self, principal: Principal, execution_id: str, why: str | None) -> ExecutionRecord:
        """The record in redacted form, or for the reason `why` in plain form, which is audited.

        Raises:
            ApiError: 403 without the scope for it; 404 and 410 say why there is none; 500 for a damaged one.
        """
        if why is not None:
            check_scopes(principal, [REVEAL])
        record = self._found(principal.tenant, execution_id)
        if why is None:
            return redacted_form(record, tenant_key(self._store, self._ring(), principal.tenant, PSEUDONYMS))
        with self._store.begin() as session:
            client = principal.client_id
            audit.note(session, principal.tenant, client, "record.reveal", execution_id, reason=why)
        return record

    def _found(self, tenant: str, execution_id: str) -> ExecutionRecord:
        until = time.monotonic() + WAIT_SECONDS
        self._wait(tenant, execution_id)
        while True:
            with self._store.read() as session:
                execution = session.get(ExecutionRow, (tenant, execution_id))
                record = self._read(session, tenant, execution_id)
                rows = rows_of(session, tenant, execution_id)
                days = days_of(_chosen(session.get(Tenant, tenant)), self._days)
            if record is not None:
                return record
            if execution is None:
                raise not_found("execution")
            why = absence(execution, rows, days, now())
            fresh = now() - execution.updated_at < _ON_ITS_WAY
            if why.code != "record_lost" or not fresh or self._settle or time.monotonic() > until:
                raise ApiError(410 if why.was_there else 404, why.message, why.code)
            time.sleep(_PAUSE_SECONDS)

    def _wait(self, tenant: str, execution_id: str) -> None:
        if self._settle is None:
            return
        with self._store.read() as session:
            execution = session.get(ExecutionRow, (tenant, execution_id))
        if execution is not None and now() - execution.updated_at < _ON_ITS_WAY:
            self._settle(WAIT_SECONDS)

    def _read(self, session: Session, tenant: str, execution_id: str) -> ExecutionRecord | None:
        try:
            return self._records.read(session, tenant, execution_id)
        except DamagedRecordError as error:
            _log.error("a record is damaged", tenant=tenant, execution=execution_id, reason=str(error))
            raise ApiError(500, "The stored record of this execution is damaged.", "record_damaged") from None


def _chosen(tenant: Tenant | None) -> dict[str, object]:
    return {} if tenant is None else tenant.settings
