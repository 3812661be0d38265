"""Signing in with an OpenID provider, a real one on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
import urllib3

from runner.admin.tenants import create_tenant
from runner.config.oidc import OidcGrant
from runner.config.settings import ServiceSettings, load_settings
from runner.console.oidc.grants import provider_of, signed_in_by
from runner.console.sign_in import SignInLimits
from runner.http.rate_limit import RateLimiter
from runner.model.errors import InputError
from tests.console.browser import Browser
from tests.console.openid import CLIENT, SECRET, OpenId, openid
from tests.docs.pages import blocks
from tests.serving.server import Server, running, settings_for

BEGIN = "/console/api/sign-in/oidc"
GRANTS = (
    OidcGrant(group="authors", tenant="quay", scopes=("read:actions", "create:actions")),
    OidcGrant(group="readers", tenant="quay", scopes=("read:logs",)),
    OidcGrant(group="authors", tenant="gone"),
    OidcGrant(group="both", tenant="quay", scopes=("read:actions",)),
    OidcGrant(group="both", tenant="dock", scopes=("read:executions",)),
    OidcGrant(group="platform", tenant="dock", operator=True),
)


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenId]:
    with openid() as found:
        yield found


@pytest.fixture(scope="module")
def server(quiet: None, provider: OpenId, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("openid")
    oidc = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    with running(settings_for(folder, **oidc, oidc_grants=GRANTS)) as found:
        with found.service.store.begin() as session:
            for tenant in ("quay", "dock"):
                create_tenant(session, tenant)
        yield found


@pytest.fixture(autouse=True)
def fresh(server: Server, provider: OpenId) -> None:
    server.app.state.sign_ins = SignInLimits(RateLimiter(1, 1_000))
    provider.claims = {"groups": ["authors"], "email": "maya@harbor.example", "email_verified": True}
    provider.changes, provider.algorithm, provider.broken = {}, "RS256", False


def begun(browser: Browser, query: str = "") -> str:
    """Where the provider sends the browser back to, as a path."""
    reply = browser.call("GET", BEGIN + query)
    assert reply.status == 302, reply
    back = urllib3.request("GET", reply.headers["Location"], redirect=False).headers["Location"]
    # The service says `localhost`, where this test says 127.0.0.1.
    return "/" + back.split("/", 3)[3]


def came_back(browser: Browser, path: str) -> str:
    """Where the service leads the browser then, which comes from another site's page."""
    reply = browser.call("GET", path, headers={"Sec-Fetch-Site": "cross-site"})
    assert reply.status == 302, reply
    assert "actionbox_sign_in" not in browser.cookies
    return unquote(str(reply.headers["Location"]))


def signed_in(server: Server) -> dict[str, Any]:
    browser = Browser(server.url)
    assert came_back(browser, begun(browser)) == "/console"
    found: dict[str, Any] = browser.call("GET", "/console/api/session").json
    return found


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_group_opens_a_tenant(server: Server, provider: OpenId, algorithm: str) -> None:
    provider.algorithm = algorithm
    shown = signed_in(server)
    assert (shown["actor"], shown["tenant"]["id"]) == ("maya@harbor.example", "quay")
    assert shown["scopes"] == ["create:actions", "read:actions"]
    assert "oidc" in shown["ways"]


def test_groups_add_up(server: Server, provider: OpenId) -> None:
    provider.claims["groups"] = ["readers", "authors", 7, None]
    assert signed_in(server)["scopes"] == ["create:actions", "read:actions", "read:logs"]
    provider.claims["groups"] = "readers"
    assert signed_in(server)["scopes"] == ["read:logs"]


def test_several_tenants(server: Server, provider: OpenId) -> None:
    provider.claims["groups"] = ["both"]
    browser = Browser(server.url)
    came_back(browser, begun(browser))
    shown = browser.call("GET", "/console/api/session").json
    assert [item["id"] for item in shown["tenants"]] == ["dock", "quay"]
    assert shown["tenant"]["id"] == "quay"
    changed = browser.call("POST", "/console/api/session/tenant", {"tenant": "dock"}).json
    assert (changed["tenant"]["id"], changed["scopes"]) == ("dock", ["read:executions"])
    back = browser.call("POST", "/console/api/session/tenant", {"tenant": "quay"}).json
    assert back["scopes"] == ["read:actions"]
    other = server.client().tenant
    assert browser.call("POST", "/console/api/session/tenant", {"tenant": other}).status == 404


def test_operators(server: Server, provider: OpenId) -> None:
    provider.claims["groups"] = ["platform"]
    shown = signed_in(server)
    assert {"operate:tenants", "read:audit"} <= set(shown["scopes"])


def test_an_address_that_is_not_proven_names_nobody(server: Server, provider: OpenId) -> None:
    provider.claims["email_verified"] = False
    assert signed_in(server)["actor"] == "user-1"


@pytest.mark.parametrize("groups", [[], ["strangers"], None, {"authors": 1}])
def test_no_group(server: Server, provider: OpenId, groups: object) -> None:
    provider.claims["groups"] = groups
    browser = Browser(server.url)
    assert came_back(browser, begun(browser)).startswith("/console#sign-in-failed=No group")
    assert browser.cookies == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": ["another", CLIENT]},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": time.time() - 3_600},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"iat": time.time() + 3_600},
        {"nbf": time.time() + 3_600},
        {"sub": None},
        {"sub": 7},
    ],
)
def test_tokens_that_are_not_for_this_sign_in(
    server: Server, provider: OpenId, changes: dict[str, Any]
) -> None:
    provider.changes = changes
    browser = Browser(server.url)
    assert "is not for this sign-in" in came_back(browser, begun(browser))
    assert browser.cookies == {}


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_tokens_that_nobody_signed(server: Server, provider: OpenId, algorithm: str) -> None:
    provider.algorithm = algorithm
    browser = Browser(server.url)
    assert "is not signed by one of its keys" in came_back(browser, begun(browser))


def test_another_browser_cannot_end_it(server: Server) -> None:
    """Somebody's way back, opened by another, must not sign that one in."""
    one, other = Browser(server.url), Browser(server.url)
    path = begun(one)
    assert "was begun elsewhere" in came_back(other, path)
    begun(other)
    assert "was begun elsewhere" in came_back(other, path)
    assert other.cookies == {}
    other.cookies["actionbox_sign_in"] = "k1.AAAA"
    assert "was begun elsewhere" in came_back(other, path)
    assert came_back(one, path) == "/console"
    one.cookies.clear()
    assert "was begun elsewhere" in came_back(one, path)


@pytest.mark.parametrize(
    "query",
    ["", "?error=access_denied&state=STATE", "?code=nonsense&state=STATE", "?code=CODE&state=STATE&iss=x"],
)
def test_ways_back_that_lead_nowhere(server: Server, query: str) -> None:
    browser = Browser(server.url)
    place, _, given = begun(browser).partition("?")
    known = dict(part.split("=", 1) for part in given.split("&"))
    query = query.replace("STATE", known["state"]).replace("CODE", known["code"])
    assert came_back(browser, place + query).startswith("/console#sign-in-failed=")


@pytest.mark.parametrize(
    ("to", "wanted"),
    [
        ("/console/executions/exe_1?a=b", "/console/executions/exe_1?a=b"),
        ("//evil.example", "/console"),
        ("https://evil.example/console", "/console"),
        ("/consoles", "/console"),
        ("/console/\\evil.example", "/console"),
    ],
)
def test_the_way_in(server: Server, to: str, wanted: str) -> None:
    browser = Browser(server.url)
    found = came_back(browser, begun(browser, f"?to={quote(to)}"))
    assert found == wanted


def test_keys_that_were_changed(server: Server, provider: OpenId) -> None:
    signed_in(server)
    provider.renew_keys()
    server.app.state.oidc._monotonic = lambda: time.monotonic() + 60
    assert signed_in(server)["signed_in"]


def test_a_provider_that_is_away(server: Server, provider: OpenId) -> None:
    server.app.state.oidc._kept.clear()
    provider.broken = True
    reply = Browser(server.url).call("GET", BEGIN)
    assert unquote(reply.headers["Location"]).startswith(
        "/console#sign-in-failed=The identity provider cannot"
    )


def test_failures_are_limited(server: Server) -> None:
    server.app.state.sign_ins = SignInLimits(RateLimiter(0.001, 2))
    browser = Browser(server.url)
    for _ in range(2):
        came_back(browser, f"{BEGIN}/callback")
    assert browser.call("GET", f"{BEGIN}/callback").json["errorCode"] == "too_many_attempts"


def test_a_service_without_one(embedded: Server) -> None:
    browser = Browser(embedded.url)
    assert "oidc" not in browser.call("GET", "/console/api/session").json["ways"]
    for path in (BEGIN, f"{BEGIN}/callback"):
        assert browser.call("GET", path).status == 404


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"oidc_issuer": "http://id.harbor.example"}, "must be an https address"),
        ({"oidc_issuer": "https://[::1"}, "must be an https address"),
        ({"oidc_client_id": ""}, "needs oidc_client_id"),
        (
            {"oidc_grants": (OidcGrant(group="g", tenant="t", scopes=("read:all",)),)},
            "there is not: read:all",
        ),
    ],
)
def test_settings_that_do_not_fit(changes: dict[str, Any], problem: str) -> None:
    usual = {"oidc_issuer": "https://id.harbor.example", "oidc_client_id": "c"}
    with pytest.raises(InputError, match=problem):
        provider_of(ServiceSettings(**{**usual, **changes}))


def test_the_settings_of_the_documentation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "actionbox.toml").write_text(blocks("console.md", "toml")[0])
    monkeypatch.setenv("ACTIONBOX_CONFIG", str(tmp_path / "actionbox.toml"))
    settings = load_settings()
    assert provider_of(settings) is not None
    groups = {"sub": "1", "groups": ["platform", "actions-authors"]}
    who = signed_in_by(groups, settings.oidc_groups_claim, settings.oidc_grants, {"main"})
    assert {"*", "operate:tenants", "read:actions"} <= set(who.scopes)
