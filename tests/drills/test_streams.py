"""Many log streams that nobody writes to: they are cheap, stop nobody, and end with the service."""

from __future__ import annotations

import contextlib
import signal
import socket
from pathlib import Path

from runner.admin.tenants import create_client, create_tenant
from runner.runtime.log_hub import MAX_READERS
from runner.store import Store
from tests.drills.outage import call, invoke, prepared
from tests.drills.rounds import rounds
from tests.drills.test_growth import FAST, MIB, resident
from tests.e2e.serving import Served, serve
from tests.e2e.test_slow_clients import connected

EACH_BYTES = 200_000
"""Of memory for one idle stream; 43 kB were measured."""


def test_idle_streams(tmp_path: Path) -> None:
    tenants = rounds(3, 50)
    with serve(tmp_path, **FAST) as served, contextlib.ExitStack() as held:
        prepared(served)
        tokens = [token_of_new_tenant(served, f"t{number}") for number in range(tenants)]
        before = resident(served)[served.process.pid]
        for token in tokens:
            streams = [held.enter_context(stream(served, token)) for _ in range(MAX_READERS)]
            assert {client.recv(12) for client in streams} == {b"HTTP/1.1 200"}
            with stream(served, token) as surplus:
                assert surplus.recv(12) == b"HTTP/1.1 429"
        count = tenants * MAX_READERS
        assert resident(served)[served.process.pid] - before < count * EACH_BYTES + 16 * MIB
        assert [invoke(served).status for _ in range(20)] == [200] * 20
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(30) == 0
        assert "Traceback" not in served.output


def stream(served: Served, token: str) -> contextlib.AbstractContextManager[socket.socket]:
    head = f"GET /runtime/v1/logs/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    return connected(served, head.encode())


def token_of_new_tenant(served: Served, name: str) -> str:
    store = Store.open(f"sqlite:///{served.data / 'actionbox.db'}")
    try:
        with store.begin() as session:
            create_tenant(session, name)
            made = create_client(session, name, "reader")
    finally:
        store.close()
    body = {
        "grant_type": "client_credentials",
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "audience": f"{served.url}/runtime/v1/",
    }
    token: str = call(served, "POST", "/oauth/token", body).value["access_token"]
    return token
