"""A service's console in a real browser: an author's day from signing in to reading who did what."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.chromium import check_access, chromium, executable, page_of, screenshot
from tests.e2e.serving import Served, serve
from triggers import get_trigger

expect.set_options(timeout=120_000)

HOSTILE = "<img src=x onerror=alert(1)> \u202eevil"
CODE = """\
exports.onExecutePostLogin = async (event, api) => {
  const seen = Number(api.cache.get(event.user.user_id)?.value ?? 0) + 1;
  api.cache.set(event.user.user_id, String(seen));
  console.log("visit", seen, event.user.name);
  api.idToken.setCustomClaim("https://harbor.example/visits", seen);
};
"""
DENIES = CODE.replace("};\n", '  if (event.user.blocked) api.access.deny("This account is blocked.");\n};\n')
ROLES = """\
exports.onExecutePostLogin = async (event, api) => {
  api.accessToken.setCustomClaim("https://harbor.example/roles", event.authorization?.roles ?? []);
};
"""


@dataclass
class Day:
    """A service with two Actions that are bound, and logins on record."""

    served: Served
    visits: str = ""
    roles: str = ""
    logins: list[str] = field(default_factory=list)

    def send(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        return self.served.api().send(method, path, body=body, query=query or None).value

    def made(self, name: str, code: str) -> str:
        trigger = [{"id": "post-login", "version": "v3"}]
        body = {"name": name, "code": code, "supported_triggers": trigger}
        made = self.send("POST", "/api/v2/actions/actions", body)["id"]
        self.send("POST", f"/api/v2/actions/actions/{made}/deploy", wait=True)
        return str(made)

    def bound(self) -> list[str]:
        found = self.send("GET", "/api/v2/actions/triggers/post-login/bindings")["bindings"]
        return [item["display_name"] for item in found]

    def login(self, user: str) -> str:
        event = get_trigger("post-login").example_event
        event["user"] = {**event["user"], "user_id": user, "name": HOSTILE}
        outcome = self.send("POST", "/runtime/v1/triggers/post-login/invoke", {"event": event})
        return str(outcome["execution_id"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    executable()
    with serve(tmp_path_factory.mktemp("console"), ACTIONBOX_RECORD_POLICY="all") as served:
        found = Day(served)
        found.visits, found.roles = found.made("Visits", CODE), found.made("Roles", ROLES)
        refs = [
            {"ref": {"type": "action_id", "value": action}, "display_name": name}
            for action, name in ((found.visits, "Visits"), (found.roles, "Roles"))
        ]
        found.send("PATCH", "/api/v2/actions/triggers/post-login/bindings", {"bindings": refs})
        found.logins = [found.login(f"auth0|{number}") for number in range(4)]
        yield found


@pytest.fixture(scope="module")
def page(browser: Browser, day: Day) -> Iterator[Page]:
    with page_of(browser) as found:
        found.goto(f"{day.served.url}/")
        found.get_by_label("Client id").fill(day.served.client_id)
        found.get_by_label("Client secret").fill(day.served.client_secret)
        found.keyboard.press("Enter")
        expect(found.locator(".sidebar")).to_be_visible()
        yield found


def opened(page: Page, day: Day, path: str) -> None:
    page.goto(f"{day.served.url}/console/{path}")
    expect(page.locator("#content h1")).to_be_visible()


def test_an_action_is_mended_tried_and_deployed(day: Day, page: Page) -> None:
    opened(page, day, f"actions/{day.visits}")
    editor = page.locator(".cm-content").first
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("const = 1;")
    page.keyboard.press("Control+s")
    expect(page.locator(".source-card .note.bad")).to_contain_text(
        "SyntaxError: variable name expected (Visits.js:7:7)"
    )

    page.keyboard.press("Control+a")
    page.keyboard.insert_text(DENIES)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".side .difference").first).to_be_visible()
    page.get_by_text("Recorded execution").click()
    page.locator(".side select").select_option(day.logins[0])
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Open the replay")).to_be_visible()
    check_access(page)
    screenshot(page, "action")

    page.keyboard.press("Control+Shift+Enter")
    expect(page.locator("dialog .cm-mergeView")).to_be_visible()
    check_access(page)
    page.locator("dialog button.primary").click()
    expect(page.locator("dialog")).to_have_count(0)
    found = day.send("GET", f"/api/v2/actions/actions/{day.visits}")
    assert (found["deployed_version"]["number"], found["deployed_version"]["code"]) == (2, DENIES)


def test_a_flow_is_put_into_another_order_by_the_keyboard(day: Day, page: Page) -> None:
    opened(page, day, "triggers/post-login")
    expect(page.locator(".flow-item-name a")).to_have_text(["Visits", "Roles"])
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".flow-item-name a")).to_have_text(["Roles", "Visits"])
    check_access(page)
    screenshot(page, "flow")
    page.keyboard.press("Control+s")
    expect(page.locator(".toast").first).to_be_visible()
    assert day.bound() == ["Roles", "Visits"]


def test_the_tail_shows_a_login_that_comes(day: Day, page: Page) -> None:
    opened(page, day, "executions?live=1")
    expect(page.locator(".dot.beating")).to_be_visible()
    before = page.locator(".execution-row").count()
    day.login("auth0|tail")
    expect(page.locator(".execution-row")).to_have_count(before + 1)


def test_an_execution_is_looked_at_run_again_and_tried_with_a_draft(day: Day, page: Page) -> None:
    opened(page, day, f"executions/{day.logins[1]}")
    expect(page.locator(".timeline .call").first).to_be_visible()
    page.keyboard.press("]")
    expect(page.locator(".call-detail")).to_be_visible()
    check_access(page)
    screenshot(page, "execution")
    expect(page.locator("img[src=x]")).to_have_count(0)

    page.get_by_role("button", name="Replay").click()
    expect(page.locator("h2", has_text="Replay")).to_be_visible()
    page.get_by_role("button", name="Try draft of").first.click()
    expect(page.locator("h2", has_text="Draft of")).to_be_visible()


def test_a_rollout_is_aborted(day: Day, page: Page) -> None:
    path = f"/api/v2/actions/actions/{day.roles}"
    day.send("PATCH", path, {"code": ROLES.replace("?? []", "?? null")})
    deadline = time.monotonic() + 120
    while day.send("GET", path)["status"] != "built":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    plan = {
        "stages": [{"canary": {"percent": 50, "events": 1_000}}, {"promote": True}],
        "guards": {"failed": {}},
    }
    started = day.send("POST", f"{path}/rollouts", plan)["id"]
    opened(page, day, f"rollouts/{day.roles}/{started}")
    expect(page.locator(".stages")).to_be_visible()
    check_access(page)
    page.locator("button.danger").first.click()
    page.locator("dialog button.danger").click()
    expect(page.locator(".badge", has_text="aborted").first).to_be_visible()
    assert day.send("GET", f"{path}/rollouts/{started}")["state"] == "aborted"


def test_the_audit_trail_tells_who_did_it(day: Day, page: Page) -> None:
    opened(page, day, "settings/audit")
    rows = page.locator("tr", has_text=re.compile(r"action\.deploy"))
    expect(rows.first).to_contain_text(day.served.client_id[:16])
    expect(page.locator("tr", has_text="session.sign_in").first).to_be_visible()


@pytest.mark.parametrize(
    "path",
    [
        "triggers",
        "actions",
        "executions",
        "rollouts",
        "simulate",
        *(f"settings/{part}" for part in ("recording", "hosts", "clients", "hooks", "sessions", "audit")),
    ],
)
def test_the_other_pages_are_for_everybody(day: Day, page: Page, path: str) -> None:
    opened(page, day, path)
    expect(page.get_by_text("Loading")).to_have_count(0)
    check_access(page)
