"""The socket that `serve` listens on."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from runner.model.errors import InputError
from runner.server.serve import _bind
from tests.serving.server import settings_for


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_answers_are_sent_at_once(tmp_path: Path, host: str) -> None:
    """Connections that asyncio accepts have TCP_NODELAY; it sets that only where the listener names its
    protocol."""

    async def look() -> int:
        seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            seen.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = _bind(settings_for(tmp_path, host=host, port=0))
        async with await asyncio.start_server(serve, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
            found = await seen
            writer.close()
            await writer.wait_closed()
            return found

    assert asyncio.run(look()) != 0


def test_an_address_that_is_taken(tmp_path: Path) -> None:
    with _bind(settings_for(tmp_path, port=0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(InputError) as caught:
            _bind(settings_for(tmp_path, port=port))
    assert caught.value.code == "address"
    assert f"127.0.0.1:{port}" in caught.value.message
