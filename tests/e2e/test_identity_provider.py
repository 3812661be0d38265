"""The sample identity provider over a real service: signup, login with redirect, step-up, jobs, reset."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3
import uvicorn
from joserfc import jwt

from runner.client import RuntimeClient
from samples.identity_provider.app import Application, Provider, make_app
from samples.identity_provider.flows import Flows
from samples.identity_provider.people import totp
from tests import forked
from tests.e2e.serving import Served, serve

ACTIONS = Path(__file__).parents[2] / "samples" / "identity_provider" / "actions"
TERMS = "https://terms.example/accept"
PORTAL = Application("portal", "portal-secret", "Portal", "https://app.example/callback")
JOB = Application("job", "job-secret", "Job", metadata={"extra_scopes": "write:x"}, scopes=("read:x",))
HALTED = Application("halted", "halted-secret", "Halted", metadata={"suspended": "yes"}, scopes=("read:x",))


@dataclass
class Browser:
    """Keeps one cookie, follows nothing by itself."""

    base: str
    cookie: str = ""
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    def go(self, method: str, path: str, **form: str) -> urllib3.BaseHTTPResponse:
        headers = {"cookie": self.cookie} if self.cookie else {}
        if form:
            headers["content-type"] = "application/x-www-form-urlencoded"
        answer = self.http.request(
            method, self.base + path, body=urlencode(form) or None, headers=headers, redirect=False
        )
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("data")) as found:
        done = forked.run(
            ["push", str(ACTIONS), "--yes", "-s", "DOMAINS=harbor.example", "-s", f"TERMS_URL={TERMS}"],
            found.environment() | {"PATH": "/usr/bin:/bin", "HOME": str(ACTIONS)},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        yield found


@pytest.fixture(scope="module")
def provider(served: Served) -> Iterator[Provider]:
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    made = Provider(served.runtime(), url, "main", {item.client_id: item for item in (PORTAL, JOB, HALTED)})
    server = uvicorn.Server(uvicorn.Config(make_app(made), log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield made
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
def browser(provider: Provider) -> Browser:
    return Browser(provider.issuer)


def signup(browser: Browser, email: str, status: int = 201) -> Any:
    answer = browser.go("POST", "/signup", email=email, password="pw", client_id="portal")
    assert answer.status == status, answer.data
    return answer.json()


def begin_login(browser: Browser, email: str, password: str = "pw") -> urllib3.BaseHTTPResponse:
    return browser.go(
        "POST",
        "/login",
        email=email,
        password=password,
        client_id="portal",
        scope="openid",
        redirect_uri=PORTAL.redirect_uri,
        state="s1",
    )


def accept_terms(browser: Browser, answer: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
    assert answer.status == 302, answer.data
    away = answer.headers["location"]
    assert away.startswith(f"{TERMS}?")
    state = parse_qs(urlsplit(away).query)["state"][0]
    return browser.go("GET", "/continue?" + urlencode({"state": state, "accepted": "yes"}))


def claims(provider: Provider, token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, provider.key, algorithms=["RS256"]).claims)


def tokens(browser: Browser, answer: urllib3.BaseHTTPResponse) -> dict[str, str]:
    assert answer.status == 302, answer.data
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["s1"]
    found: dict[str, str] = browser.go(
        "POST",
        "/oauth/token",
        grant_type="authorization_code",
        client_id="portal",
        client_secret="portal-secret",
        code=back["code"][0],
    ).json()
    return found


def eventually(served: Served, execution_id: str) -> Any:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = served.runtime().execution(execution_id)
        if found["status"] != "pending":
            return found
        time.sleep(0.1)
    raise AssertionError("it never ran")


def test_signup_is_judged_and_noted_later(served: Served, browser: Browser) -> None:
    refused = signup(browser, "maya@elsewhere.example", status=403)
    assert refused["error_description"] == "Please sign up with your work address."
    made = signup(browser, "maya@harbor.example")
    assert made["user_metadata"] == {"company": "harbor"}
    noted = eventually(served, made["execution_id"])
    assert noted["results"][0]["logs"][0]["text"] == "welcome maya@harbor.example"


def test_login_goes_through_the_terms_once(provider: Provider, browser: Browser) -> None:
    signup(browser, "ann@harbor.example")
    done = accept_terms(browser, begin_login(browser, "ann@harbor.example"))
    found = tokens(browser, done)
    assert claims(provider, found["id_token"])["https://harbor.example/roles"] == []
    assert claims(provider, found["access_token"])["https://harbor.example/mfa"] is False
    again = begin_login(browser, "ann@harbor.example")
    assert again.headers["location"].startswith(PORTAL.redirect_uri)


def test_terms_that_are_not_accepted_and_a_forged_state_end_the_login(browser: Browser) -> None:
    signup(browser, "bea@harbor.example")
    begin_login(browser, "bea@harbor.example")
    forged = browser.go("GET", "/continue?state=forged&accepted=yes")
    assert (forged.status, forged.json()["error"]) == (400, "invalid_request")
    away = begin_login(browser, "bea@harbor.example").headers["location"]
    state = parse_qs(urlsplit(away).query)["state"][0]
    refused = browser.go("GET", f"/continue?state={state}&accepted=no")
    assert refused.json()["error_description"] == "The terms were not accepted."


def test_an_administrator_shows_a_second_factor(provider: Provider, browser: Browser) -> None:
    signup(browser, "cleo@harbor.example")
    person = provider.people.find("cleo@harbor.example")
    assert person is not None
    person.roles, person.otp_key = ["admin"], b"k" * 20
    asked = accept_terms(browser, begin_login(browser, "cleo@harbor.example"))
    assert (asked.status, b"/mfa" in asked.data) == (200, True)
    code = totp(person.otp_key).generate(int(time.time())).decode()
    found = tokens(browser, browser.go("POST", "/mfa", code=code))
    assert claims(provider, found["id_token"])["https://harbor.example/roles"] == ["admin"]
    assert claims(provider, found["access_token"])["https://harbor.example/mfa"] is True


def test_a_wrong_password_is_told_to_the_actions(served: Served, browser: Browser) -> None:
    signup(browser, "fay@harbor.example")
    wrong = begin_login(browser, "fay@harbor.example", password="wrong")
    nobody = begin_login(browser, "nobody@harbor.example", password="wrong")
    assert (wrong.status, nobody.status) == (401, 401)
    assert wrong.data.replace(b"fay@", b"") == nobody.data.replace(b"nobody@", b"")
    listed = served.runtime().executions(trigger="post-credential-validation", per_page=2)
    found = [served.runtime().execution(item["id"]) for item in listed]
    assert [item["decision"] for item in found] == ["allow", "allow"]
    logs = {item["results"][0]["logs"][0]["text"] for item in found}
    assert logs == {f"wrong credential for {who}@harbor.example" for who in ("fay", "nobody")}


def test_a_refused_login_looks_like_a_wrong_password(provider: Provider, browser: Browser) -> None:
    signup(browser, "gil@harbor.example")
    person = provider.people.find("gil@harbor.example")
    assert person is not None
    wrong = begin_login(browser, "gil@harbor.example", password="wrong")
    for closed in ("2999-01-01", 5):  # the second makes the Action throw: it fails closed
        person.app_metadata["closed_until"] = closed
        refused = begin_login(browser, "gil@harbor.example")
        assert (refused.status, refused.data) == (wrong.status, wrong.data)
    person.app_metadata["closed_until"] = "2001-01-01"
    assert begin_login(browser, "gil@harbor.example").status == 302


def test_a_service_that_is_gone_looks_like_a_wrong_password(provider: Provider, browser: Browser) -> None:
    signup(browser, "hal@harbor.example")
    wrong = begin_login(browser, "hal@harbor.example", password="wrong")
    flows = provider.flows
    provider.flows = Flows(RuntimeClient("http://127.0.0.1:9", token="t"), "main")
    try:
        refused = begin_login(browser, "hal@harbor.example")
    finally:
        provider.flows = flows
    assert (refused.status, refused.data) == (wrong.status, wrong.data)


def test_what_the_check_of_the_password_noted_is_known_to_the_login(
    provider: Provider, browser: Browser
) -> None:
    signup(browser, "ida@harbor.example")
    person = provider.people.find("ida@harbor.example")
    assert person is not None
    person.app_metadata |= {"terms": "2025-01-01", "risk": 0.9}
    person.otp_key = b"k" * 20
    asked = begin_login(browser, "ida@harbor.example")
    assert (asked.status, b"/mfa" in asked.data) == (200, True)
    person.app_metadata["risk"] = 0.1
    assert begin_login(browser, "ida@harbor.example").status == 302


def test_jobs_get_the_scopes_that_their_action_gives_them(provider: Provider, browser: Browser) -> None:
    def ask(client: Application) -> urllib3.BaseHTTPResponse:
        return browser.go(
            "POST",
            "/oauth/token",
            grant_type="client_credentials",
            client_id=client.client_id,
            client_secret=client.client_secret,
            audience="https://api.example/",
        )

    granted = ask(JOB)
    assert granted.status == 200, granted.data
    assert claims(provider, granted.json()["access_token"])["scope"] == "read:x write:x"
    refused = ask(HALTED)
    assert (refused.status, refused.json()["error"]) == (403, "invalid_client")


def test_a_password_is_reset_with_the_second_factor_too(
    served: Served, provider: Provider, browser: Browser
) -> None:
    email = "dora@harbor.example"
    signup(browser, email)
    person = provider.people.find(email)
    assert person is not None
    person.otp_key = b"k" * 20
    browser.go("POST", "/reset", email=email)
    asked = browser.go(
        "POST", "/reset/challenge", email=email, code=provider.mailed[email], client_id="portal"
    )
    assert b"/mfa" in asked.data
    code = totp(person.otp_key).generate(int(time.time())).decode()
    assert b"/reset/password" in browser.go("POST", "/mfa", code=code).data
    changed = browser.go("POST", "/reset/password", password="new").json()
    assert person.knows("new")
    noted = eventually(served, changed["execution_id"])
    assert json.dumps(noted["results"]).count(f"password changed for {email}") == 1
