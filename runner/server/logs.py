"""The service's own log: one JSON object a line on standard error, never with a secret in it.

A line that cannot be made or written is counted (`lost_lines`) and changes nothing else. Bodies, query
strings, tokens and headers are not logged at all, tracebacks come without local variables, and what a
tenant's Action prints belongs to its execution record (threat-model K6, S2).
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, Final, TextIO, cast

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from runner.server.log_output import LogStream

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_QUIET: Final = ("uvicorn.access", "alembic.runtime.migration", "httpx", "httpcore")
"""Loggers that say per request, or per migration, what is said elsewhere."""
_Record = MutableMapping[str, Any]
_stream = LogStream(None)


def lost_lines() -> int:
    """Lines of the log that could not be made or written, since the start."""
    return _stream.lost


def say(text: str) -> None:
    """Write `text` to standard output, where somebody may read it: a closed one is as good as none."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        # Python would try again at the end, and end with an error.
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115


class _Handler(logging.StreamHandler[LogStream]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Count a record that has no text."""
        del record
        self.stream.lose()


def _guarded(processors: Sequence[Callable[..., Any]], stream: LogStream) -> Callable[..., Any]:
    """`processors` as one, which drops what they cannot make a line of."""

    def process(logger: Any, method: str, record: _Record) -> Any:
        made: Any = record
        try:
            for processor in processors:
                made = processor(logger, method, made)
        except structlog.DropEvent:
            raise
        except Exception:  # noqa: BLE001 - whoever logs has something else to do
            stream.lose()
            raise structlog.DropEvent from None
        return made

    return process


def configure_logs(level: str = "info", form: str = "json") -> None:
    """Send structlog's and the standard library's records to standard error in one form. `auto`: lines for
    people on a terminal, JSON elsewhere."""
    global _stream
    _stream = stream = LogStream(sys.stderr)
    if form == "auto":
        form = "console" if sys.stderr.isatty() else "json"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True)
        if form == "json"
        else structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
    ]
    if form == "json":
        render = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        last: list[Any] = [render, structlog.processors.JSONRenderer(default=str)]
    else:
        last = [
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    structlog.configure(
        processors=[_guarded([*shared, *last], stream)],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, stream)),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
