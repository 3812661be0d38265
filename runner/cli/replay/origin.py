"""Where a record comes from: a file, or the service that `login` keeps the connection to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from runner.cli.tenant.connection import Target
from runner.client.http import RUNTIME, ServiceError
from runner.model.caps import MAX_RECORD_FILE_BYTES
from runner.model.errors import InputError
from runner.replay.recorded import Recorded, parse_recorded, read_recorded

_EXECUTION: Final = re.compile(
    r"exe_[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE
)
_NEXT: Final = {
    "record_not_kept": "What is kept is the tenant's policy (docs/safe-change/records.md).",
    "record_undecided": "Ask again when the flow has ended.",
    "record_expired": "Keep records longer, or save those that you need with --save.",
    "redaction_unavailable": "Give --reveal and a reason, which is audited.",
}
_STATUS_NEXT: Final = {
    403: "Sign in with a client that has the scope that the message names.",
    404: "`actionbox executions` lists those of the tenant of your profile.",
    410: "A record that is gone cannot be had again.",
}


def find_record(given: str, target: Target, reason: str | None) -> Recorded:
    """The record that a person named: a file if there is one of that name, else an execution.

    Args:
        reason: why the plain form is wanted of the service; None for the redacted one.

    Raises:
        InputError: it is neither, there is no connection, or as `parse_recorded` and reading a file do.
        ServiceError: the service does not give it.
    """
    if given == "-" or Path(given).exists() or _EXECUTION.fullmatch(given) is None:
        if given != "-" and not Path(given).exists():
            raise InputError(
                "not_found",
                f"there is no record {given}, and it is no id of an execution",
                next_step="Ids look like exe_ and 32 hexadecimal digits, or like a UUID.",
                source=given,
            )
        return read_recorded(Path(given))
    return _fetched(given.lower(), target, reason)


def _fetched(execution_id: str, target: Target, reason: str | None) -> Recorded:
    api = target.api()
    query = {} if reason is None else {"form": "plain", "reason": reason}
    path = f"{RUNTIME}/executions/{execution_id}/record"
    try:
        text = api.text(path, MAX_RECORD_FILE_BYTES, **query)
    except ServiceError as error:
        step = _NEXT.get(error.code) or _STATUS_NEXT.get(error.status, error.next_step)
        raise ServiceError(error.code, error.message, status=error.status, next_step=step) from None
    found = parse_recorded(text, f"the record of {execution_id}")
    if found.execution_id != execution_id:
        raise InputError(
            "invalid_record",
            f"the service gave the record of {found.execution_id}, and not that of {execution_id}",
            next_step="Tell the operator of the service.",
        )
    return found
