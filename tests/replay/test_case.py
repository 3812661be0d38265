"""Test cases made of records: `actionbox test` runs them green."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner import Action, InputError, Runner
from runner.flow.programs import ProgramCache
from runner.replay.case.make import write_case
from runner.replay.record import Recorder
from runner.replay.recorded import Recorded
from runner.testing.cases.load import load_cases
from runner.testing.cases.run import run_case
from sandbox.egress import StubEgress, parse_stubs
from tests.flow.actions import both, javascript, python
from tests.flow.fixtures import PROGRAMS
from triggers import MemoryCache, StaticDirectory
from triggers.engine.services import CacheRecord

JAVASCRIPT = """
    const before = api.cache.get("seen");
    const answer = await fetch("https://api.example/x", {
        method: "POST", body: JSON.stringify({user: event.user.user_id}),
        headers: {authorization: `Bearer ${event.secrets.KEY}`},
    });
    const {n} = await answer.json();
    console.log("n is", n, "for", event.user.email, "after", before && before.value);
    console.log("random", Math.random(), Date.now(), event.secrets.KEY);
    api.idToken.setCustomClaim("n", n);
    api.idToken.setCustomClaim("at", Date.now());
    api.idToken.setCustomClaim("lucky", Math.random());
    api.idToken.setCustomClaim("odd", {yes: "no", "$any": true, nothing: null, version: "010", day: "1e5"});
"""
PYTHON = """
import random, time
before = api.cache.get("seen")
answer = await fetch("https://api.example/x", method="POST", body='{"user": "' + event.user.user_id + '"}')
n = answer.json()["n"]
print("n is", n, "for", event.user.email, "after", before and before.value)
print("random", random.random(), time.time(), event.secrets.KEY)
api.id_token.set_custom_claim("n", n)
api.id_token.set_custom_claim("lucky", random.random())
"""
STUBS = [{"url": "https://api.example/x", "answer": {"json": {"n": 7}}}]


def busy(language: str) -> Action:
    make = javascript if language == "javascript" else python
    return make(JAVASCRIPT if language == "javascript" else PYTHON, secrets={"KEY": "a-secret-of-production"})


def flow(runner: Runner, event: dict[str, Any], actions: list[Action], query: dict[str, str]) -> Recorded:
    """The record of a flow, all its legs."""
    recorder = Recorder()
    runner = replace(runner, observer=recorder)
    outcome = runner.run("post-login", event, actions)
    legs = [recorder.record(outcome)]
    if outcome.suspension is not None:
        request = {**event["request"], "query": {"state": outcome.suspension.state, **query}}
        outcome = runner.resume(outcome.suspension.handle, request=request, secrets=actions)
        legs.append(recorder.record(outcome))
    return Recorded("it", tuple(legs))


def passes(path: Path) -> None:
    (case,) = load_cases(path)
    result = run_case(case, ProgramCache(), strict=True)
    assert result.status == "passed", (result.differences, result.problem)


@pytest.mark.parametrize("language", ["javascript", "python"])
def test_a_case_runs_green_and_says_what_came_out(
    runner: Runner, event: dict[str, Any], tmp_path: Path, language: str
) -> None:
    cache = MemoryCache()
    cache.set("seen", CacheRecord(value="yes", expires_at=2**53), 0)
    runner = replace(runner, egress=StubEgress(parse_stubs(STUBS)), caches=lambda _tenant, _trigger: cache)
    made = write_case(flow(runner, event, [busy(language)], {}), tmp_path / "login.case.yaml")
    passes(made.path)
    text = made.path.read_text()
    assert "a-secret-of-production" not in text
    assert "n is 7 for maya.okafor@harbor.example after yes" in text
    assert '"n": 7' in text
    assert "lucky:\n        $any: true" in text.replace('"', "")
    assert [path.parent for path in made.sources] == [tmp_path]
    source = made.sources[0]
    source.write_text(source.read_text().replace('"n", n', '"n", 8'))
    (case,) = load_cases(made.path)
    changed = run_case(case, ProgramCache())
    assert [item.path for item in changed.differences] == ["$.effects.id_token_claims.n"]


def test_a_flow_that_suspended_becomes_steps(runner: Runner, event: dict[str, Any], tmp_path: Path) -> None:
    action = both(
        "api.redirect.sendUserTo('https://site.example/ask');",
        "if (event.request.query.answer !== 'yes') api.access.deny('no consent');",
    )
    made = write_case(flow(runner, event, [action], {"answer": "no"}), tmp_path / "flow.case.yaml")
    (case,) = load_cases(made.path)
    assert [step.expect["decision"] for step in case.steps] == ["suspended", "deny"]
    passes(made.path)


def test_groups_and_roles_are_in_it(runner: Runner, event: dict[str, Any], tmp_path: Path) -> None:
    group: Any = {"id": "g1", "name": "Harbor"}
    directory = StaticDirectory(
        user_groups={event["user"]["user_id"]: [group]},
    )
    body = """
        const {groups} = await api.groups.getUserGroups();
        const {memberships} = await api.groups.hasGroupMembership(["Harbor", "Other"]);
        console.log(groups[0].name, memberships.Harbor.is_member, memberships.Other.is_member);
    """
    record = flow(replace(runner, directory=directory), event, [javascript(body)], {})
    if record.legs[0].outcome["failure"] is not None:
        pytest.skip(str(record.legs[0].outcome["failure"]["message"]))
    made = write_case(record, tmp_path / "groups.case.yaml")
    assert "Harbor true false" in made.path.read_text()
    passes(made.path)


def test_files_that_are_there_are_taken_as_they_are(
    runner: Runner, event: dict[str, Any], tmp_path: Path
) -> None:
    record = flow(runner, event, [javascript("api.access.deny('closed');")], {})
    name = record.legs[0].actions[0].source.filename
    (tmp_path / name).write_text("// mine\n" + record.legs[0].actions[0].source.text)
    made = write_case(record, tmp_path / "mine.case.yaml")
    assert made.sources == ()
    assert (tmp_path / name).read_text().startswith("// mine")
    passes(made.path)


def test_what_makes_no_case_is_told_and_leaves_nothing(
    runner: Runner, event: dict[str, Any], tmp_path: Path
) -> None:
    record = flow(runner, event, [javascript("if (Math.random() < 2) api.access.deny('x');")], {})
    second = record.legs[0].model_copy(update={"number": 2})
    with pytest.raises(InputError, match="first leg") as caught:
        write_case(replace(record, legs=(second,)), tmp_path / "a.case.yaml")
    assert caught.value.code == "no_case"
    outcome = {**record.legs[0].outcome, "decision": "allow"}
    with pytest.raises(InputError, match=r"\$\.decision: expected 'allow', found 'deny'"):
        write_case(record, tmp_path / "a.case.yaml", outcomes=[outcome], programs=PROGRAMS)
    with pytest.raises(InputError, match=r"ends in \.case\.yaml"):
        write_case(record, tmp_path / "a.yaml")
    assert list(tmp_path.iterdir()) == []
