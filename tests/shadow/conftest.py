"""Runs on records make no connection, whatever they ask for."""

from __future__ import annotations

import socket
from typing import Any

import pytest


@pytest.fixture
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything that looks up a name or connects fails the test."""

    def refuse(*_arguments: Any, **_options: Any) -> Any:
        pytest.fail("a shadow run connects to something")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
