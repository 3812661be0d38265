"""The routes of the console: who did what, who is signed in, clients, tenants."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from runner.console.links import new_link
from tests.console.browser import Browser, signed_in
from tests.serving.server import Server, running, settings_for
from triggers import get_trigger

API = "/console/api"
ACTIONS = "/api/v2/actions/actions"
NEW = {"name": "mine", "supported_triggers": [{"id": "post-login"}]}


@pytest.fixture(scope="module")
def pair(quiet: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Two services on one database, the first of them with the runtime API."""
    folder: Path = tmp_path_factory.mktemp("pair")
    with running(settings_for(folder), whole=True) as one, running(settings_for(folder)) as other:
        yield one, other


def operator(server: Server) -> Browser:
    tenant = server.client().tenant
    with server.service.store.begin() as session:
        link = new_link(session, server.service.settings, tenant)
    browser = Browser(server.url)
    reply = browser.call("POST", f"{API}/sign-in/link", {"token": link.partition("#link=")[2]})
    assert reply.status == 200, reply
    return browser


def operations(browser: Browser, query: str = "") -> list[str]:
    return [entry["operation"] for entry in browser.call("GET", f"{API}/audit{query}").json["entries"]]


def test_who_did_what(server: Server) -> None:
    browser = signed_in(server)
    shown = browser.call("GET", f"{API}/session").json
    made = browser.call("POST", ACTIONS, NEW).json
    assert browser.call("PATCH", f"{ACTIONS}/{made['id']}", {"code": "exports.a = 1;"}).status == 200
    page = browser.call("GET", f"{API}/audit?take=2").json
    assert [entry["operation"] for entry in page["entries"]] == ["action.update", "action.create"]
    first = page["entries"][0]
    assert (first["actor"], first["session_id"]) == (shown["actor"], shown["id"])
    assert (first["object_id"], len(first["digest"])) == (made["id"], 64)
    assert operations(browser, f"?before={page['next']}") == ["session.sign_in"]
    assert operations(browser, f"?object_id={made['id']}&operation=action.create") == ["action.create"]
    assert operations(browser, "?actor=nobody") == []
    assert operations(signed_in(server)) == ["session.sign_in"]


@pytest.mark.parametrize(
    "query", ["take=0", "take=101", "before=x", "before=-1", f"before={2**80}", "actor=", "a=1"]
)
def test_bad_queries(embedded: Server, query: str) -> None:
    assert signed_in(embedded).call("GET", f"{API}/audit?{query}").status == 400


def test_a_session_ends_at_once_on_every_replica(pair: tuple[Server, Server]) -> None:
    one, other = pair
    client = one.client()
    assert client.credentials is not None
    here = Browser(one.url).sign_in(client.credentials)
    there = Browser(other.url, cookies=dict(here.cookies))
    admin = Browser(other.url).sign_in(client.credentials)
    assert there.call("GET", ACTIONS).status == 200
    listed = admin.call("GET", f"{API}/sessions?take=1").json
    assert [item["current"] for item in listed["sessions"]] == [True]
    rest = admin.call("GET", f"{API}/sessions?from={listed['next']}").json["sessions"]
    (wanted,) = [item for item in rest if item["agent"].startswith("python-urllib3")]
    assert admin.call("DELETE", f"{API}/sessions/{wanted['id']}").status == 204
    for browser in (here, there):
        assert browser.call("GET", ACTIONS).json["errorCode"] == "session_ended"
    assert admin.call("DELETE", f"{API}/sessions/{wanted['id']}").status == 404
    assert operations(admin)[0] == "session.end" or operations(admin)[1] == "session.end"


def test_sessions_of_other_tenants(embedded: Server) -> None:
    theirs, mine = signed_in(embedded), signed_in(embedded)
    shown = theirs.call("GET", f"{API}/session").json
    assert mine.call("DELETE", f"{API}/sessions/{shown['id']}").status == 404
    assert [item["current"] for item in mine.call("GET", f"{API}/sessions").json["sessions"]] == [True]
    assert theirs.call("GET", ACTIONS).status == 200


def test_clients(server: Server) -> None:
    browser = signed_in(server)
    body = {"name": "deploys \u202e", "scopes": ["read:actions"]}
    reply = browser.call("POST", f"{API}/clients", body)
    assert (reply.status, reply.json["scopes"]) == (201, ["read:actions"])
    secret = {name: reply.json[name] for name in ("client_id", "client_secret")}
    other = Browser(server.url)
    assert other.call("POST", f"{API}/sign-in/client", secret).json["scopes"] == ["read:actions"]
    listed = browser.call("GET", f"{API}/clients").json["clients"]
    assert listed[0]["name"] == body["name"]
    assert "secret_digest" not in str(listed)
    assert browser.call("DELETE", f"{API}/clients/{secret['client_id']}").status == 204
    assert other.call("GET", ACTIONS).json["errorCode"] == "session_ended"
    assert "revoked_at" in browser.call("GET", f"{API}/clients").json["clients"][0]
    assert browser.call("DELETE", f"{API}/clients/{uuid.uuid4().hex}").status == 404
    assert signed_in(server).call("DELETE", f"{API}/clients/{secret['client_id']}").status == 404


def test_nobody_gives_what_he_lacks(server: Server) -> None:
    browser = signed_in(server, ["create:clients", "read:actions"])
    for scopes in (["read:logs"], ["operate:tenants"], ["*"], ["read:actions", "nonsense"]):
        reply = browser.call("POST", f"{API}/clients", {"name": "x", "scopes": scopes})
        assert (reply.status, reply.json["errorCode"]) == (403, "insufficient_scope"), scopes
    reply = browser.call("POST", f"{API}/clients", {"name": "x"})
    assert reply.json["scopes"] == ["create:clients", "read:actions"]
    made = operator(server).call("POST", f"{API}/clients", {"name": "x"})
    assert "operate:tenants" not in made.json["scopes"]


def test_operators_work_in_every_tenant(server: Server) -> None:
    browser, new = operator(server), f"new-{uuid.uuid4().hex[:8]}"
    before = browser.call("GET", f"{API}/session").json
    made = browser.call("POST", f"{API}/tenants", {"id": new, "name": "New"})
    assert (made.status, made.json["tenant"]) == (201, new)
    assert browser.call("POST", f"{API}/tenants", {"id": new}).json["errorCode"] == "tenant_exists"
    assert browser.call("POST", f"{API}/tenants", {"id": "No Good"}).status == 400
    place, ids = "?take=100", set[str]()
    while place:
        page = browser.call("GET", f"{API}/tenants{place}").json
        ids |= {item["id"] for item in page["tenants"]}
        place = f"?take=100&from={page['next']}" if "next" in page else ""
    assert {new, before["tenant"]["id"]} <= ids
    old = Browser(server.url, cookies=dict(browser.cookies))
    changed = browser.call("POST", f"{API}/session/tenant", {"tenant": new})
    assert (changed.json["tenant"], changed.json["actor"]) == ({"id": new, "name": "New"}, "operator")
    assert "operate:tenants" in changed.json["scopes"]
    assert old.call("GET", ACTIONS).json["errorCode"] == "session_ended"
    assert browser.call("POST", ACTIONS, NEW).status == 201
    assert operations(browser) == ["action.create", "session.sign_in", "tenant.create"]
    assert browser.call("POST", f"{API}/session/tenant", {"tenant": "none\0"}).status in (400, 404)
    assert browser.call("POST", f"{API}/session/tenant", {"tenant": "none"}).status == 404


def test_nobody_else_does(server: Server) -> None:
    browser, other = signed_in(server), server.client().tenant
    assert browser.call("GET", f"{API}/tenants").json["errorCode"] == "insufficient_scope"
    assert browser.call("POST", f"{API}/tenants", {"id": "mine"}).json["errorCode"] == "insufficient_scope"
    assert browser.call("POST", f"{API}/session/tenant", {"tenant": other}).status == 404
    assert Browser(server.url).call("POST", f"{API}/session/tenant", {"tenant": other}).status == 401


def test_a_second_author_gets_what_the_first_stored(server: Server) -> None:
    one, tenant = signed_in(server), ""
    tenant = one.call("GET", f"{API}/session").json["tenant"]["id"]
    two = signed_in(server, tenant=tenant)
    made = one.call("POST", ACTIONS, NEW).json
    read = two.call("GET", f"{ACTIONS}/{made['id']}")
    tag = {"If-Match": read.headers["ETag"]}
    assert one.call("PATCH", f"{ACTIONS}/{made['id']}", {"code": "exports.one = 1;"}, tag).status == 200
    late = two.call("PATCH", f"{ACTIONS}/{made['id']}", {"code": "exports.two = 2;"}, tag)
    assert (late.status, late.json["errorCode"]) == (412, "precondition_failed")
    assert late.json["stored"]["code"] == "exports.one = 1;"
    now = {"If-Match": late.headers["ETag"]}
    assert two.call("PATCH", f"{ACTIONS}/{made['id']}", {"code": "exports.both = 3;"}, now).status == 200


def invoke(browser: Browser, user_id: str) -> str:
    event = get_trigger("post-login").example_event
    event = {**event, "user": {**event["user"], "user_id": user_id, "identities": []}}
    reply = browser.call("POST", "/runtime/v1/triggers/post-login/invoke", {"event": event})
    assert reply.status == 200, reply
    return str(reply.json["execution_id"])


def test_executions_of_a_user(pair: tuple[Server, Server]) -> None:
    browser = signed_in(pair[0])
    policy = browser.call("PATCH", "/api/v2/record-policy", {"policy": "all"})
    assert policy.status == 200, policy
    code = "exports.onExecutePostLogin = async (event, api) => {};"
    body = {**NEW, "code": code, "deploy": True}
    action = browser.call("POST", ACTIONS, body).json
    deadline = time.monotonic() + 120
    while "deployed_version" not in browser.call("GET", f"{ACTIONS}/{action['id']}").json:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    bindings = {"bindings": [{"ref": {"type": "action_id", "value": action["id"]}}]}
    assert browser.call("PATCH", "/api/v2/actions/triggers/post-login/bindings", bindings).status == 200
    first, _, third = [invoke(browser, f"auth0|{name}") for name in ("maya", "other", "maya")]
    found: list[str] = []
    while len(found) < 2 and time.monotonic() < deadline:
        listed = browser.call("GET", "/runtime/v1/executions?user=auth0%7Cmaya").json["executions"]
        found = [item["id"] for item in listed]
    assert found == [third, first]
    assert (
        browser.call("GET", "/runtime/v1/executions?user=auth0%7Cmaya&decision=deny").json["executions"] == []
    )
    assert browser.call("GET", "/runtime/v1/executions?user=auth0%7Cnobody").json["executions"] == []
    other = signed_in(pair[0], ["read:executions"])
    assert other.call("GET", "/runtime/v1/executions").status == 200
    reply = other.call("GET", "/runtime/v1/executions?user=x")
    assert reply.json["errorCode"] == "insufficient_scope"


def test_a_tail_ends_with_its_session(pair: tuple[Server, Server]) -> None:
    one, other = pair
    client = one.client()
    assert client.credentials is not None
    watcher, admin = (Browser(one.url).sign_in(client.credentials) for _ in range(2))
    (cookie,) = [f"{name}={value}" for name, value in watcher.cookies.items()]
    own = watcher.call("GET", f"{API}/session").json["id"]
    url = f"{one.url}/runtime/v1/logs/stream"
    stream = urllib3.request("GET", url, headers={"Cookie": cookie}, preload_content=False, timeout=120)
    assert (stream.status, stream.read1()) == (200, b": open\n\n")
    ended = threading.Event()

    def read() -> None:
        while stream.read1():
            pass
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    assert not ended.wait(1.5)
    elsewhere = Browser(other.url, cookies=dict(admin.cookies))
    assert elsewhere.call("DELETE", f"{API}/sessions/{own}").status == 204
    assert ended.wait(60)
    stream.close()
