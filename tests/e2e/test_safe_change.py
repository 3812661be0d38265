"""One Action's way through safe change, in a service of two replicas.

A draft that denies administrators is refused, one that fails for three users in a hundred goes back by
itself, a good one is promoted, and a login that failed runs again elsewhere with nothing but its id.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from runner.client import RuntimeClient
from runner.client.http import ServiceError
from runner.model.outcome import FlowOutcome, VersionRecord
from runner.store import KeyRing
from tests import forked
from tests.e2e.serving import Served, serve
from tests.postgres import new_database
from triggers import get_trigger

ACTIONS = "/api/v2/actions/actions"
GATE = """\
exports.onExecutePostLogin = async (event, api) => {
  api.idToken.setCustomClaim("roles", event.authorization.roles);
};
"""
DENIES_ADMINS = GATE.replace(
    "  api.", '  if (event.authorization.roles.includes("admin")) api.access.deny("no");\n  api.'
)
FAILS_FOR_SOME = GATE.replace(
    "  api.", '  if (event.stats.logins_count % 33 === 0) throw new Error("the 33rd");\n  api.'
)
GOOD = GATE + "// says the same\n"


class Site:
    """Two replicas on one database, asked in turns."""

    def __init__(self, replicas: list[Served]) -> None:
        self.replicas = replicas
        self.api = replicas[0].api()
        self._turns: Iterator[RuntimeClient] = itertools.cycle([item.runtime() for item in replicas])
        self._users = itertools.count(1)
        body = {"name": "gate", "code": GATE, "supported_triggers": [{"id": "post-login", "version": "v3"}]}
        self.action = self.api.send("POST", ACTIONS, body=body).value["id"]
        self.deploy()
        bindings = [{"ref": {"type": "action_id", "value": self.action}}]
        self.api.send("PATCH", "/api/v2/actions/triggers/post-login/bindings", body={"bindings": bindings})
        self.api.send("PATCH", "/api/v2/record-policy", body={"policy": "all"})

    def draft(self, code: str) -> None:
        self.api.send("PATCH", f"{ACTIONS}/{self.action}", body={"code": code})
        deadline = time.monotonic() + 60
        while self.api.send("GET", f"{ACTIONS}/{self.action}").value["status"] != "built":
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def deploy(self) -> None:
        self.api.send("POST", f"{ACTIONS}/{self.action}/deploy", query={"wait": True})

    def login(self, *roles: str) -> FlowOutcome:
        """A new user, on the replica whose turn it is."""
        number, example = next(self._users), get_trigger("post-login").example_event
        event = {
            **example,
            "user": {**example["user"], "user_id": f"auth0|{number}"},
            "authorization": {"roles": list(roles)},
            "stats": {"logins_count": number},
        }
        outcome = next(self._turns).invoke("post-login", event)
        assert isinstance(outcome, FlowOutcome)
        return outcome

    def roll_out(self, *stages: dict[str, Any]) -> str:
        body = {"stages": [*stages, {"promote": True}], "alpha": 0.1}
        return str(self.api.send("POST", f"{ACTIONS}/{self.action}/rollouts", body=body).value["id"])

    def rollout(self, rollout: str) -> dict[str, Any]:
        return dict(self.api.send("GET", f"{ACTIONS}/{self.action}/rollouts/{rollout}").value)

    def until(self, rollout: str, state: str, logins: int) -> list[FlowOutcome]:
        """New users log in until the rollout is in a state; their outcomes."""
        outcomes = []
        for number in range(logins):
            outcomes.append(self.login("member"))
            if number % 10 == 9 and self.rollout(rollout)["state"] == state:
                return outcomes
        raise AssertionError(self.rollout(rollout))

    def numbers(self) -> set[int | None]:
        """Of the versions that both replicas run."""
        return {version_of(self.login()).number for _ in range(4)}


def version_of(outcome: FlowOutcome) -> VersionRecord:
    (action,) = outcome.actions
    assert action.version is not None
    return action.version


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    KeyRing.create(tmp_path / "keys.json")
    settings: dict[str, Any] = {"DATABASE_URL": new_database()}
    with ExitStack() as stack:
        one = stack.enter_context(serve(tmp_path, **settings))
        other = stack.enter_context(serve(tmp_path, known=one, **settings))
        yield Site([one, other])


def test_a_change_that_does_harm_goes_back_and_one_that_holds_goes_live(site: Site, tmp_path: Path) -> None:
    admin = site.login("admin").execution_id
    site.api.send("PUT", "/api/v2/actions/lockout", body={"rules": [{"role": "admin"}]})
    recorded(site, admin)
    site.draft(DENIES_ADMINS)
    with pytest.raises(ServiceError, match=admin) as refused:
        site.deploy()
    assert refused.value.status == 409
    assert site.numbers() == {1}

    site.api.send("PATCH", "/api/v2/record-policy", body={"policy": "failures"})
    site.draft(FAILS_FOR_SOME)
    canary = site.roll_out({"canary": {"percent": 30, "events": 10_000}})
    outcomes = site.until(canary, "rolled_back", 3_000)
    found = site.rollout(canary)
    assert "failed" in found["reason"]
    failed = [item for item in outcomes if item.decision == "failed"]
    assert failed
    ran = {(version_of(item).number, version_of(item).arm) for item in outcomes}
    assert ran <= {(1, "control"), (2, "canary"), (1, None)}
    assert {version_of(item).arm for item in failed} == {"canary"}
    assert site.numbers() == {1}

    site.draft(GOOD)
    good = site.roll_out({"canary": {"percent": 50, "events": 20}})
    site.until(good, "promoted", 500)
    assert site.numbers() == {3}

    execution = failed[0].execution_id
    recorded(site, execution)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    own = {name: value for name, value in os.environ.items() if not name.startswith("ACTIONBOX_")}
    own |= {name: os.environ[name] for name in ("ACTIONBOX_CACHE",) if name in os.environ}
    own |= {"ACTIONBOX_PROFILES": str(elsewhere), "NO_COLOR": "1"}
    connected = {**own, **site.replicas[1].environment()}
    assert forked.run(("login", connected["ACTIONBOX_URL"]), connected).returncode == 0
    done = forked.run(("replay", execution), own)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the 33rd" in done.stdout
    assert "all as recorded" in done.stdout


def recorded(site: Site, execution: str) -> None:
    """Records are stored when their answers have gone out."""
    deadline = time.monotonic() + 30
    while True:
        try:
            site.api.send("GET", f"/runtime/v1/executions/{execution}/record")
        except ServiceError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
