"""Packages that never finish loading, over the API of a service with a worker: each ends as an error that
names it, and nobody else waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.packages.npm.tarballs import package
from tests.sandbox.packages.wheels.made import put
from tests.serving.server import Client, Server, running, settings_for

HANDLER = "exports.onExecutePostLogin = async (event, api) => {};"
JAVASCRIPT = {
    "loop": ("timeout", "for (;;) {}"),
    "expression": ("timeout", "/^(a+)+$/.test('a'.repeat(40) + 'b')"),
    "promises": ("timeout", "const next = () => Promise.resolve().then(next); next();"),
    "memory": ("memory", "const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1));"),
    "recursion": ("stack", "const next = () => next() + 1; next();"),
}
PYTHON = {
    "pyloop": ("timeout", "while True: pass"),
    "pymemory": ("memory", "all = []\nwhile True: all.append(bytearray(1 << 20))"),
    "pyrecursion": ("stack", "def again(): return again() + 1\nagain()"),
}
CASES = {**JAVASCRIPT, **PYTHON}
_FRESH = {f"again-{number}": ("timeout", f"for (;;) {{ {number} }}") for number in range(5)}
"""Nobody has asked for these before, so that their builds take their time."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a worker process, as tenants meet it."""
    folder = tmp_path_factory.mktemp("endless")
    wheels = folder / "wheels"
    for name, (_, text) in PYTHON.items():
        put(wheels, name, "1.0", {f"{name}/__init__.py": "from . import inner", f"{name}/inner.py": text})
    with running(settings_for(folder, wheels=wheels), whole=True) as found:
        for name, (_, code) in {**JAVASCRIPT, **_FRESH}.items():
            (folder / "packages" / f"{name}-1.0.0.tgz").write_bytes(package(name, "1.0.0", code))
        yield found


def order(client: Client, name: str) -> dict[str, Any]:
    """A draft that uses a package, not built yet."""
    python = {
        "runtime": "python3",
        "code": f"import {name}\nasync def on_execute_post_login(event, api): pass\n",
    }
    javascript = {"code": f"require('{name}');\n{HANDLER}"}
    fields = python if name in PYTHON else javascript
    version = "1.0" if name in PYTHON else "1.0.0"
    return client.create(built=False, dependencies=[{"name": name, "version": version}], **fields)


@pytest.mark.parametrize("name", CASES)
def test_it_fails_with_its_name(server: Server, name: str) -> None:
    client = server.client()
    made = client.settled(order(client, name)["id"])
    assert made["status"] == "failed", made
    (error,) = made["errors"]
    assert error["id"] == CASES[name][0]
    assert f"The package {name} " in error["msg"]


def test_it_is_known_for_a_while_that_it_fails(server: Server) -> None:
    client = server.client()
    for _ in range(5):
        assert client.settled(order(client, "loop")["id"])["errors"][0]["id"] == "timeout"


def test_a_draft_that_lost_its_packages_is_built_as_a_plain_one(server: Server) -> None:
    client = server.client()
    draft = order(client, "loop")
    client.call("PATCH", f"/actions/{draft['id']}", {"code": HANDLER, "dependencies": []})
    assert client.settled(draft["id"])["status"] == "built"


def test_plain_drafts_do_not_wait(server: Server) -> None:
    """Neither those of other tenants, nor the tenant's own."""
    clients = [server.client() for _ in _FRESH]
    drafts = [order(client, name) for client, name in zip(clients, _FRESH, strict=True)]
    for client in (server.client(), clients[0]):
        plain = client.create()
        assert plain["status"] == "built", plain
    states = [
        client.get(f"/actions/{draft['id']}")["status"] for client, draft in zip(clients, drafts, strict=True)
    ]
    assert any(state not in ("built", "failed") for state in states), "it waited for all of them"
    for client, draft in zip(clients, drafts, strict=True):
        client.call("DELETE", f"/actions/{draft['id']}")
