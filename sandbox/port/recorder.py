"""Writes a journal while an execution runs, within `MAX_JOURNAL_BYTES` and `MAX_CALL_BYTES`."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from sandbox.core.caps import MAX_CALL_BYTES, MAX_JOURNAL_BYTES
from sandbox.core.failure import Failure
from sandbox.core.json_text import utf8_length, utf8_pieces, well_formed
from sandbox.port.journal import Entry, Journal

_ABRIDGED: Final = 256
_ENTRY_BYTES: Final = 64
"""What an entry costs beside its texts."""
_REQUESTS: Final = frozenset({"start", "wait"})


class Recorder:
    """Appends host calls. Rows are turned into entries only when the journal is asked for."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._runs: dict[str, _Row] = {}
        self._room = MAX_JOURNAL_BYTES
        self._room_of_calls = MAX_CALL_BYTES

    @property
    def passed(self) -> tuple[str, int] | None:
        """The cap that was passed, by the name of its limit; None when there is room."""
        if self._room < 0:
            return "journal_bytes", MAX_JOURNAL_BYTES
        if self._room_of_calls < 0:
            return "call_bytes", MAX_CALL_BYTES
        return None

    def add(self, operation: str, arguments: dict[str, Any], result: dict[str, Any]) -> None:
        """Append one call."""
        size = _ENTRY_BYTES + _size(arguments) + _size(result)
        self._room -= size
        if operation not in _REQUESTS:
            self._room_of_calls -= size
        self._rows.append(_Row(operation, arguments, result))

    def clock(self, operation: str, milliseconds: int) -> bool:
        """Count one clock reading; True when it is a new value."""
        run = self._runs.get(operation)
        if run is not None and run.result["ms"] == milliseconds:
            run.repeat += 1
            return False
        self.add(operation, {}, {"ms": milliseconds})
        self._runs[operation] = self._rows[-1]
        return True

    def dropped(self, size: int) -> None:
        """Count one console call that is not kept."""
        run = self._runs.get("log_dropped")
        if run is None:
            self.add("log_dropped", {}, {"bytes": size})
            self._runs["log_dropped"] = self._rows[-1]
            return
        run.repeat += 1
        run.result["bytes"] += size

    def stop(self, failure: Failure) -> None:
        """Append the fatal failure that the calls before led to."""
        detail = {"code": str(failure.code), "message": failure.message, "detail": dict(failure.detail)}
        self._rows.append(_Row("stop", {}, detail))

    def journal(self) -> Journal:
        """The journal so far."""
        return Journal(
            tuple(
                Entry(number, row.operation, row.arguments, row.result, row.repeat)
                for number, row in enumerate(self._rows, 1)
            )
        )


def abridged(text: str, max_bytes: int) -> str:
    """`text`, or its beginning and a digest of the whole when it is longer. Both a recording and its
    replay see the short form, so that they still compare."""
    if len(text) <= max_bytes and utf8_length(text) <= max_bytes:
        return well_formed(text)
    digest = hashlib.sha256()
    for piece in utf8_pieces(text):
        digest.update(piece)
    return f"{well_formed(text[:_ABRIDGED])}… sha256:{digest.hexdigest()}"


def fingerprint(text: str) -> str:
    """Stands for `text` that no journal may hold, such as a private key."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _size(fields: dict[str, Any]) -> int:
    """UTF-8 bytes of the texts among `fields`; eight for anything else."""
    return sum(utf8_length(value) if isinstance(value, str) else 8 for value in fields.values())


class _Row:
    __slots__ = ("arguments", "operation", "repeat", "result")

    def __init__(self, operation: str, arguments: dict[str, Any], result: dict[str, Any]) -> None:
        self.operation = operation
        self.arguments = arguments
        self.result = result
        self.repeat = 1
