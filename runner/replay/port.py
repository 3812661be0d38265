"""The port of one replayed execution, which tells a trigger's session what it has to know."""

from __future__ import annotations

from typing import Any

from sandbox.core.caps import MAX_API_ARGUMENT_BYTES
from sandbox.core.json_text import parse
from sandbox.port.interface import ApiHost
from sandbox.port.journal import Journal
from sandbox.port.replay import ReplayPort


class SessionPort(ReplayPort):
    """Also tells the session of refusals that abort the Action: they decide about its commit."""

    def __init__(self, journal: Journal, api: ApiHost) -> None:
        super().__init__(journal, api)
        self._session = api

    def api_call(self, path: str, arguments: str) -> str:
        """See `HostPort.api_call`."""
        reply = super().api_call(path, arguments)
        if reply.startswith('{"error":') and '"code":"aborted"' in reply and self.fatal is None:
            self._session.call(path, _parsed(arguments))
        return reply


def _parsed(arguments: str) -> list[Any]:
    value = parse(arguments, max_bytes=MAX_API_ARGUMENT_BYTES)
    return value if isinstance(value, list) else []
