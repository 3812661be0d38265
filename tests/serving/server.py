"""A real server on loopback in a thread of the tests, and what a client needs to talk to it."""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import urllib3
import uvicorn
from fastapi import FastAPI

from runner.admin.setup import open_service_keys, open_store
from runner.admin.tenants import Credentials, create_client, create_tenant
from runner.config.settings import ServiceSettings
from runner.flow.runner import Runner
from runner.http.auth.tokens import PLANES
from runner.management.base.interfaces import Builder
from runner.management.base.service import Service
from runner.server.app import create_app
from runner.server.assembly import make_service
from runner.server.composition import Plane
from runner.server.in_process import InProcess
from runner.server.transport.connections import limits_of, protocol
from runner.store.tables.columns import now
from runner.store.tables.runs import SuspensionRow
from sandbox.egress.doubles.stub import StubEgress
from tests.databases import migrated_file
from tests.serving.conformance import check_answer

HANDLER = "exports.onExecutePostLogin = async (event, api) => {};\n"
_POOL = urllib3.PoolManager(maxsize=32, retries=False, timeout=60)


@dataclass(frozen=True)
class Reply:
    """One answer. `json`: None for an empty body."""

    status: int
    json: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Client:
    """Calls of one tenant, with one token."""

    url: str
    tenant: str
    token: str = field(repr=False)
    credentials: Credentials | None = None

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Reply:
        """`path` below `/api/v2/actions`, unless it begins with `//`."""
        base = self.url + (path[1:] if path.startswith("//") else f"/api/v2/actions{path}")
        named = {
            key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in query.items()
        }
        sent = dict(headers or {})
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        if named:
            base += "?" + "&".join(
                f"{key}={(urllib3.util.parse_url('/' + value).path or '/')[1:]}"
                for key, value in named.items()
            )
        answer = _POOL.request(method, base, body=data, headers=sent)
        value = json.loads(answer.data) if answer.data else None
        check_answer(method, base, answer.status, answer.headers, value)
        return Reply(answer.status, value, answer.headers)

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a 200."""
        reply = self.call("GET", path, **query)
        assert reply.status == 200, reply
        return reply.json

    def create(self, name: str = "", *, built: bool = True, **fields: Any) -> dict[str, Any]:
        """A new Action, built unless told otherwise."""
        body = {
            "name": name or f"action {uuid.uuid4().hex[:8]}",
            "supported_triggers": [{"id": "post-login", "version": "v3"}],
            "code": HANDLER,
            **fields,
        }
        reply = self.call("POST", "/actions", body)
        assert reply.status == 201, reply
        action: dict[str, Any] = reply.json
        return self.settled(action["id"]) if built else action

    def settled(self, action_id: str) -> dict[str, Any]:
        """The Action once its build has ended."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            action: dict[str, Any] = self.get(f"/actions/{action_id}")
            if action["status"] in ("built", "failed"):
                return action
            time.sleep(0.02)
        raise AssertionError(f"{action_id} was not built in time")

    def deployed(self, name: str = "", **fields: Any) -> dict[str, Any]:
        """A new Action with a deployed version."""
        action = self.create(name, **fields)
        reply = self.call("POST", f"/actions/{action['id']}/deploy")
        assert reply.status == 200, reply
        return self.get(f"/actions/{action['id']}")

    def bind(self, *actions: dict[str, Any], trigger: str = "post-login") -> list[dict[str, Any]]:
        """Exactly these Actions."""
        body = {"bindings": [{"ref": {"type": "action_id", "value": item["id"]}} for item in actions]}
        reply = self.call("PATCH", f"/triggers/{trigger}/bindings", body)
        assert reply.status == 200, reply
        return reply.json["bindings"]


def waiting_flow(client: Client, *versions: str) -> SuspensionRow:
    """A suspended flow of the client's tenant that goes on with these versions of Actions."""
    return SuspensionRow(
        key=f"waiting-{client.tenant}",
        tenant_id=client.tenant,
        execution_id="exe",
        text="{}",
        versions=list(versions),
        expires_at=now() + timedelta(hours=1),
    )


@dataclass(frozen=True)
class Server:
    """A running service."""

    url: str
    service: Service
    app: FastAPI

    def client(self, tenant: str = "", scopes: list[str] | None = None, seconds: int = 3600) -> Client:
        """A client of a new tenant, or of `tenant`."""
        with self.service.store.begin() as session:
            if not tenant:
                tenant = f"t{uuid.uuid4().hex[:12]}"
                create_tenant(session, tenant)
            made = create_client(session, tenant, "test", scopes)
        token = self.service.tokens.issue(
            tenant, made.client_id, made.scopes, [self.url + plane for plane in PLANES], seconds
        )
        return Client(self.url, tenant, token, made)


def settings_for(folder: Path, **changes: Any) -> ServiceSettings:
    """Settings of a test's server: data in `folder`, generous limits, packages only from `folder/packages`,
    so that no test asks a registry. The embedded database is migrated."""
    packages = folder / "packages"
    packages.mkdir(exist_ok=True)
    usual = {"rate_per_second": 100_000, "rate_burst": 100_000, "workers": 1, "npm_packages": packages}
    if (
        not changes.keys() & {"data_dir", "database_url"}
        and not (embedded := folder / "actionbox.db").exists()
    ):
        migrated_file(embedded)
    return ServiceSettings(**{"data_dir": folder, **usual, **changes})


@contextmanager
def running(
    settings: ServiceSettings, *, whole: bool = False, builder: Builder | None = None
) -> Iterator[Server]:
    """A server for the block. `whole`: with worker processes and the runtime API. `builder`: instead of the
    usual one."""
    listener = socket.socket(proto=socket.IPPROTO_TCP)  # as in `runner.server.serve`
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    store = open_store(settings)
    keys = open_service_keys(settings, store)
    plane = Plane.of(settings, store, keys) if whole else None
    inside = (
        plane.pooled if plane else InProcess(settings, Runner(settings=settings.flows, egress=StubEgress([])))
    )
    service = make_service(settings, store, keys, lambda _: (inside, builder or inside))
    app = create_app(service, plane)
    http = protocol(limits_of(settings), plane.unsigned if plane else None)
    server = uvicorn.Server(uvicorn.Config(app, http=http, ws="none", log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield Server(f"http://127.0.0.1:{settings.port}", service, app)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        store.close()
