"""One execution, as the Management API shows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from fastapi import Response

from runner.http.answer_types import moment
from runner.http.errors import not_found
from runner.management.base import responses
from runner.management.base.context import ActionReader, answer, management_router
from runner.store.tables.runs import ExecutionRow

router: Final = management_router("Executions")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHOWN: Final = ("action_name", "error", "started_at", "ended_at")


@router.get(
    "/actions/executions/{execution_id}", summary="Get an execution", response_model=responses.Execution
)
def get_execution(caller: ActionReader, execution_id: str) -> Response:
    """The result of each Action; kept for some days. Console output is in the runtime API's record."""
    with caller.service.store.read() as session:
        row = (
            session.get(ExecutionRow, (caller.tenant, execution_id)) if _ID.fullmatch(execution_id) else None
        )
        if row is None:
            raise not_found("execution")
        return answer(
            {
                "id": row.id,
                "trigger_id": row.trigger_id,
                "status": row.status,
                "results": [_result(item) for item in row.results],
                "created_at": moment(row.created_at),
                "updated_at": moment(row.updated_at),
            }
        )


def _result(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in _SHOWN if item.get(name) is not None}
