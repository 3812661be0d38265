"""The fidelity stamp: right about what happens when the redacted form is run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from runner import Runner
from runner.flow.programs import ProgramCache
from runner.model.action import Action
from runner.privacy.fidelity import Fidelity
from runner.privacy.redaction import redacted
from runner.replay.record import comparable
from sandbox.egress import StubEgress, parse_stubs
from tests.flow.actions import both, javascript, python
from tests.flow.fixtures import PROGRAMS
from tests.privacy.corpus import KEY, Leg, cases, leg_of, legs


def run(runner: Runner, event: dict[str, Any], *actions: Action) -> Leg:
    traces: list[Any] = []
    outcome = replace(runner, observer=traces.append).run("post-login", event, list(actions))
    return leg_of("", traces[-1], outcome)


def check(leg: Leg) -> Fidelity:
    """The stamp of a leg, which was compared with what both forms do."""
    found = leg.fidelity(PROGRAMS)
    assert leg.replayed(PROGRAMS, leg.record, False).same
    shown, _ = redacted(leg.record, KEY)
    strict, lenient = (leg.replayed(PROGRAMS, shown, how) for how in (False, True))
    assert (found.verdict == "exact") == strict.same
    ended = comparable(lenient.outcome)
    alike = (
        not lenient.divergences
        and ended["decision"] == shown.outcome["decision"] == leg.record.outcome["decision"]
        and [item["status"] for item in ended["actions"]]
        == [item["status"] for item in leg.record.outcome["actions"]]
    )
    assert alike or not found.reproduces, (leg.name, str(found))
    assert not alike or found.verdict != "unknown"
    return found


EXACT_JS = """
const [name, domain] = event.user.email.toLowerCase().split("@");
const parts = event.user.name.split(" ");
console.log(`user ${event.user.email} of ${domain}`, JSON.stringify({ name, parts }));
api.idToken.setCustomClaim("https://x.example/mail", event.user.email.toUpperCase());
api.cache.set(event.user.user_id, JSON.stringify({ ip: event.request.ip, created: event.user.created_at }));
const kept = JSON.parse(api.cache.get(event.user.user_id).value);
api.user.setUserMetadata("seen", kept);
const answer = await fetch(`https://api.example/users/${encodeURIComponent(event.user.email)}`, {
  method: "POST", body: JSON.stringify({ id: event.user.user_id, tier: event.user.app_metadata.tier }),
});
if ((await answer.json()).email === event.user.email) api.accessToken.setCustomClaim("known", true);
"""
EXACT_PY = """
name, domain = event.user.email.lower().split("@")
print(f"user {event.user.email} of {domain}", name.title())
api.id_token.set_custom_claim("https://x.example/mail", {"mail": event.user.email, "ip": event.request.ip})
if event.user.app_metadata.get("tier") == "gold":
    api.access_token.set_custom_claim("tier", "gold")
"""


@pytest.fixture
def login(event: dict[str, Any]) -> dict[str, Any]:
    user = {
        **event["user"],
        "email": "Ada.Lovelace@mill.example",
        "name": "Ada Lovelace",
        "app_metadata": {"tier": "gold"},
    }
    return {**event, "user": user}


@pytest.fixture
def stubbed(runner: Runner) -> Runner:
    answer = {"json": {"email": "Ada.Lovelace@mill.example", "note": "Enchantress of Numbers"}}
    stubs = [
        {"url": "https://api.example/users/Ada.Lovelace%40mill.example", "method": "POST", "answer": answer}
    ]
    return replace(runner, egress=StubEgress(parse_stubs(stubs)))


@pytest.mark.parametrize("action", [javascript(EXACT_JS), python(EXACT_PY)], ids=["javascript", "python"])
def test_what_is_passed_on_taken_apart_and_compared_is_exact(
    stubbed: Runner, login: dict[str, Any], action: Action
) -> None:
    leg = run(stubbed, login, action)
    assert leg.record.outcome["failure"] is None
    found = check(leg)
    assert (found.verdict, found.call) == ("exact", "")
    text = redacted(leg.record, KEY)[0].model_dump_json()
    for gone in ("Lovelace", "lovelace", "mill.example", "Enchantress"):
        assert gone not in text


def test_a_hash_is_the_same_decision(runner: Runner, login: dict[str, Any]) -> None:
    body = """
const { createHash } = require("crypto");
api.idToken.setCustomClaim("avatar", createHash("md5").update(event.user.email).digest("hex"));
if (event.authorization.roles.length > 9) api.access.deny("no");
"""
    found = check(run(runner, login, javascript(body)))
    assert found.verdict == "same decision"
    assert "setCustomClaim" in found.call


def test_a_comparison_with_a_value_that_was_masked_differs_there(
    runner: Runner, login: dict[str, Any]
) -> None:
    body = """
if event.user.email == "Ada.Lovelace@mill.example":
    api.access.deny("not you")
"""
    found = check(run(runner, login, python(body)))
    assert (found.verdict, found.field) == ("differs", "user.email")
    assert "access.deny" in found.call
    assert str(found).startswith("differs at entry 1 of Action 1")
    assert str(found).endswith("because user.email was masked")


def test_both_legs_of_a_flow(runner: Runner, login: dict[str, Any]) -> None:
    action = both(
        "api.redirect.sendUserTo('https://site.example/ask', { query: { mail: event.user.email } });",
        "api.idToken.setCustomClaim('back', event.request.query.answer + ' ' + event.user.email);",
    )
    traces: list[Any] = []
    watched = replace(runner, observer=traces.append)
    asked = watched.run("post-login", login, [action])
    assert asked.suspension is not None
    first = leg_of("first", traces[-1], asked)
    request = {**login["request"], "query": {"state": asked.suspension.state, "answer": "yes please"}}
    done = watched.resume(asked.suspension.handle, request=request)
    second = leg_of("second", traces[-1], done)
    assert (check(first).verdict, check(second).verdict) == ("exact", "exact")
    assert "Lovelace" not in redacted(second.record, KEY)[0].model_dump_json()


def test_a_record_that_does_not_replay_says_nothing(runner: Runner, login: dict[str, Any]) -> None:
    leg = run(runner, login, python("print('x')"))
    altered = leg.record.model_copy(update={"outcome": {**leg.record.outcome, "decision": "deny"}})
    assert replace(leg, record=altered).fidelity(PROGRAMS).verdict == "unknown"


def test_another_secret_says_nothing(runner: Runner, login: dict[str, Any]) -> None:
    leg = run(runner, login, python("print(event.secrets.KEY[:2])", secrets={"KEY": "the-key-of-then"}))
    (digest,) = leg.secrets
    found = replace(leg, secrets={digest: {"KEY": "the-key-of-now"}}).fidelity(PROGRAMS)
    assert (found.verdict, found.call) == ("unknown", "wrong_secret")


def test_of_the_corpus_the_stamp_is_right() -> None:
    """The first case of each file; `python -m bench fidelity` takes all of them."""
    firsts = {case.path: case for case in reversed(cases())}
    chosen = [case for _, case in sorted(firsts.items())][::3]
    programs = ProgramCache()
    found = [check(leg) for leg in legs(chosen, programs)]
    assert len(found) >= 20
    assert sum(stamp.reproduces for stamp in found) >= 0.9 * len(found)


def test_a_stamp_is_json() -> None:
    stamp = Fidelity(verdict="differs", call="entry 1 of Action 1: x", field="user.email")
    assert Fidelity.model_validate_json(json.dumps(stamp.model_dump(mode="json"))) == stamp
