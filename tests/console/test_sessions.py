"""Signing in to the console, and what its cookie is good for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from runner.admin.tenants import create_tenant, revoke_client
from runner.console.links import OPERATOR, new_link
from runner.http.auth.sessions import actor_of
from runner.store.tables.columns import now
from runner.store.tables.console import SessionRow, SignInLinkRow
from runner.store.tables.models import ApiClient, AuditRow
from tests.console.browser import Browser, signed_in
from tests.serving.server import Server

SESSION = "/console/api/session"
ACTIONS = "/api/v2/actions/actions"
NEW = {"name": "mine", "supported_triggers": [{"id": "post-login"}]}


def link_token(server: Server, tenant: str, scopes: tuple[str, ...] = OPERATOR) -> str:
    with server.service.store.begin() as session:
        return new_link(session, server.service.settings, tenant, scopes=scopes).partition("#link=")[2]


def test_nobody_is_signed_in_at_first(server: Server) -> None:
    reply = Browser(server.url).call("GET", SESSION)
    assert (reply.status, reply.json["signed_in"]) == (200, False)
    assert {"client", "link"} <= set(reply.json["ways"])
    assert Browser(server.url).call("GET", ACTIONS).status == 401


def test_a_client_signs_in_and_out(server: Server) -> None:
    client = server.client(scopes=["read:actions", "create:actions"])
    assert client.credentials is not None
    browser = Browser(server.url).sign_in(client.credentials)
    shown = browser.call("GET", SESSION).json
    assert (shown["signed_in"], shown["tenant"]["id"]) == (True, client.tenant)
    assert shown["actor"] == client.credentials.client_id
    assert shown["scopes"] == ["create:actions", "read:actions"]
    made = browser.call("POST", ACTIONS, NEW)
    assert made.status == 201, made
    assert browser.call("GET", ACTIONS).json["total"] == 1
    assert browser.call("DELETE", f"{ACTIONS}/{made.json['id']}").json["errorCode"] == "insufficient_scope"
    (cookie,) = browser.cookies.values()
    assert browser.call("DELETE", SESSION).status == 204
    assert browser.cookies == {}
    again = Browser(server.url, cookies={"actionbox_session": cookie})
    assert again.call("GET", ACTIONS).json["errorCode"] == "session_ended"
    assert again.call("GET", SESSION).json["signed_in"] is False


def test_the_cookie_is_for_the_server_alone(server: Server) -> None:
    client = server.client()
    assert client.credentials is not None
    body = {"client_id": client.credentials.client_id, "client_secret": client.credentials.client_secret}
    reply = Browser(server.url).call("POST", "/console/api/sign-in/client", body)
    name, *attributes = reply.headers["Set-Cookie"].split("; ")
    assert name.startswith("actionbox_session=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(attributes)
    assert "Secure" not in attributes
    value = name.partition("=")[2]
    with server.service.store.read() as session:
        rows = session.scalars(select(SessionRow).where(SessionRow.tenant_id == client.tenant)).all()
    assert [row.way for row in rows] == ["client"]
    assert all(value not in str(vars(row)) for row in rows)


@pytest.mark.parametrize(
    "body",
    [
        {"client_id": "nobody", "client_secret": "x"},
        {"client_id": "KNOWN", "client_secret": "x"},
    ],
)
def test_wrong_credentials(server: Server, body: dict[str, str]) -> None:
    client = server.client()
    assert client.credentials is not None
    body = {**body, "client_id": body["client_id"].replace("KNOWN", client.credentials.client_id)}
    reply = Browser(server.url).call("POST", "/console/api/sign-in/client", body)
    assert (reply.status, reply.json["errorCode"]) == (401, "sign_in_failed")
    assert reply.json["message"] == "The client id or secret is wrong."


def test_a_link_signs_in_once(server: Server) -> None:
    tenant = server.client().tenant
    token = link_token(server, tenant)
    browser = Browser(server.url)
    shown = browser.call("POST", "/console/api/sign-in/link", {"token": token}).json
    assert (shown["actor"], shown["tenant"]["id"]) == ("operator", tenant)
    assert {"operate:tenants", "create:actions", "read:audit"} <= set(shown["scopes"])
    reply = Browser(server.url).call("POST", "/console/api/sign-in/link", {"token": token})
    assert (reply.status, reply.json["errorCode"]) == (401, "sign_in_failed")


def test_a_link_expires(server: Server) -> None:
    token = link_token(server, server.client().tenant)
    with server.service.store.begin() as session:
        session.execute(update(SignInLinkRow).values(expires_at=now() - timedelta(seconds=1)))
    assert Browser(server.url).call("POST", "/console/api/sign-in/link", {"token": token}).status == 401


def test_a_session_expires(server: Server) -> None:
    browser = signed_in(server)
    with server.service.store.begin() as session:
        session.execute(update(SessionRow).values(expires_at=now() - timedelta(seconds=1)))
    assert browser.call("GET", ACTIONS).json["errorCode"] == "session_ended"


def test_a_session_ends_with_its_client(server: Server) -> None:
    client = server.client(scopes=["read:actions", "create:actions"])
    assert client.credentials is not None
    browser = Browser(server.url).sign_in(client.credentials)
    with server.service.store.begin() as session:
        row = session.scalars(select(ApiClient).where(ApiClient.id == client.credentials.client_id)).one()
        row.scopes = ["create:actions"]
    assert browser.call("GET", ACTIONS).json["errorCode"] == "insufficient_scope"
    assert browser.call("POST", ACTIONS, NEW).status == 201
    with server.service.store.begin() as session:
        revoke_client(session, client.credentials.client_id)
    assert browser.call("POST", ACTIONS, NEW).json["errorCode"] == "session_ended"


def test_a_token_outranks_the_cookie(server: Server) -> None:
    browser, other = signed_in(server), server.client()
    other.create()
    bearer = {"Authorization": f"Bearer {other.token}"}
    assert browser.call("GET", ACTIONS, headers=bearer).json["total"] == 1
    assert browser.call("GET", ACTIONS, headers={"Authorization": "Bearer x"}).status == 401
    browser.site = "cross-site"
    assert browser.call("GET", ACTIONS, headers=bearer).status == 200


@pytest.mark.parametrize(
    ("headers", "reads", "writes"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True, True),
        ({"Sec-Fetch-Site": "none"}, True, False),
        ({"Sec-Fetch-Site": "same-site"}, False, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "URL"}, False, False),
        ({}, True, False),
        ({"Origin": "URL"}, True, True),
        ({"Origin": "http://evil.example"}, False, False),
        ({"Origin": "null"}, False, False),
        ({"Origin": "URL.evil.example"}, False, False),
        ({"Origin": "http://127.0.0.1:1"}, False, False),
        ({"Origin": "http://[::1"}, False, False),
        ({"Origin": "https:HOST"}, False, False),
    ],
)
def test_pages_of_other_sites(server: Server, headers: dict[str, str], reads: bool, writes: bool) -> None:
    browser = signed_in(server)
    browser.site = None
    own = server.url
    headers = {
        key: value.replace("URL", own).replace("HOST", own.partition(":")[2])
        for key, value in headers.items()
    }
    got = browser.call("GET", ACTIONS, headers=headers)
    made = browser.call("POST", ACTIONS, NEW, headers=headers)
    out = browser.call("DELETE", SESSION, headers=headers)
    assert [got.status, made.status] == [200 if reads else 403, 201 if writes else 403]
    assert out.status == (204 if writes else 403)
    for reply in (got, made, out):
        assert reply.status < 400 or reply.json["errorCode"] == "cross_site"


def test_nobody_is_signed_in_by_another_site(server: Server) -> None:
    client = server.client()
    assert client.credentials is not None
    body = {"client_id": client.credentials.client_id, "client_secret": client.credentials.client_secret}
    for path, sent in (("client", body), ("link", {"token": link_token(server, client.tenant)})):
        browser = Browser(server.url, site="cross-site")
        assert browser.call("POST", f"/console/api/sign-in/{path}", sent).json["errorCode"] == "cross_site"
        assert browser.cookies == {}


@pytest.mark.parametrize("value", ["", "x", "x" * 10_000, "%00", '"', "é".encode().decode("latin-1")])
def test_cookies_that_name_no_session(server: Server, value: str) -> None:
    browser = Browser(server.url, cookies={"actionbox_session": value})
    assert browser.call("GET", ACTIONS).status == 401
    assert browser.call("GET", SESSION).json["signed_in"] is False


def test_requests_of_a_session_are_on_record(server: Server) -> None:
    browser = signed_in(server)
    shown = browser.call("GET", SESSION).json
    made = browser.call("POST", ACTIONS, NEW).json
    browser.call("POST", f"{ACTIONS}/{made['id']}/test", {"payload": {"a": 1}})
    browser.call("POST", ACTIONS, NEW)  # the name is taken
    with server.service.store.read() as session:
        query = select(AuditRow).where(AuditRow.tenant_id == shown["tenant"]["id"]).order_by(AuditRow.id)
        rows = session.scalars(query).all()
    assert [(row.operation, row.status) for row in rows] == [
        ("session.sign_in", None),
        ("action.create", None),
        ("POST /api/v2/actions/actions/{action_id}/test", rows[2].status),
        ("POST /api/v2/actions/actions", 409),
    ]
    assert {row.actor for row in rows} == {shown["actor"]}
    assert {row.session_id for row in rows[1:]} == {shown["id"]}
    assert all(row.request_id for row in rows)
    assert rows[2].object_id == made["id"]


def test_attempts_are_limited_and_good_ones_pass(server: Server) -> None:
    from runner.console.sign_in import SignInLimits
    from runner.http.rate_limit import RateLimiter

    before = server.app.state.sign_ins
    server.app.state.sign_ins = SignInLimits(RateLimiter(0.001, 3))
    try:
        wrong = {"client_id": "nobody", "client_secret": "x"}
        browser = Browser(server.url)
        found = [browser.call("POST", "/console/api/sign-in/client", wrong).status for _ in range(3)]
        found.append(browser.call("POST", "/console/api/sign-in/link", {"token": "x"}).status)
        assert found == [401, 401, 401, 429]
        late = browser.call("POST", "/console/api/sign-in/client", wrong)
        assert (late.json["errorCode"], int(late.headers["Retry-After"]) > 0) == ("too_many_attempts", True)
        signed_in(server)
    finally:
        server.app.state.sign_ins = before


def test_a_removed_tenant_has_no_sessions(server: Server) -> None:
    from runner.admin.tenants import remove_tenant

    with server.service.store.begin() as session:
        tenant = create_tenant(session, f"gone-{now().timestamp():.0f}").id
    browser = signed_in(server, tenant=tenant)
    with server.service.store.begin() as session:
        remove_tenant(session, tenant)
    assert browser.call("GET", ACTIONS).json["errorCode"] == "session_ended"


def test_names_of_actors_stay_apart() -> None:
    long = "maya" * 40
    assert actor_of("maya@harbor.example") == "maya@harbor.example"
    assert actor_of(long) != actor_of(long + "x")
    assert actor_of("a\u202eb") != "a\u202eb"
    assert len(actor_of(long)) == 64
