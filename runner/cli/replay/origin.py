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
    404: "`actionbox executions` lists those of the tenant of your profile; what the tenant's policy keeps "
    "is in docs/safe-change/records.md.",
    410: "A record that is gone cannot be had again. The tenant's policy says what is kept, and how long.",
}


def find_record(given: str, target: Target) -> Recorded:
    """The record that a person named: a file if there is one of that name, else an execution.

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
    return _fetched(given.lower(), target)


def _fetched(execution_id: str, target: Target) -> Recorded:
    api = target.api()
    path = f"{RUNTIME}/executions/{execution_id}/record"
    try:
        text = api.text(path, MAX_RECORD_FILE_BYTES)
    except ServiceError as error:
        step = _NEXT.get(error.status, error.next_step)
        raise ServiceError(error.code, error.message, status=error.status, next_step=step) from None
    found = parse_recorded(text, f"the record of {execution_id}")
    if found.execution_id != execution_id:
        raise InputError(
            "invalid_record",
            f"the service gave the record of {found.execution_id}, and not that of {execution_id}",
            next_step="Tell the operator of the service.",
        )
    return found
