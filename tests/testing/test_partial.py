"""Partial events: what is given stands, what a whole event needs comes from the example."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.flow.programs import ProgramCache
from runner.testing.cases.load import load_cases
from runner.testing.cases.run import run_case
from runner.testing.partial_event import completed
from tests.e2e.conftest import Cli, cli, folder  # noqa: F401 - fixtures
from triggers import EventError, all_triggers, get_trigger


@st.composite
def parts(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A trigger and a part of its example, by members at any depth."""
    trigger = draw(st.sampled_from(sorted(item.id for item in all_triggers())))

    def part(value: Any) -> Any:
        if not isinstance(value, dict):
            return copy.deepcopy(value)
        return {key: part(item) for key, item in value.items() if draw(st.booleans())}

    return trigger, part(get_trigger(trigger).example_event)


@given(parts())
def test_any_part_of_the_example_is_whole_again(drawn: tuple[str, dict[str, Any]]) -> None:
    trigger, part = get_trigger(drawn[0]), drawn[1]
    before = copy.deepcopy(part)
    made = completed(trigger, part)
    trigger.parse_event(made.event)
    assert part == before
    if made.filled:
        assert made.event == trigger.example_event
        assert made.sentence(trigger).startswith("filled in from the example event of")
    else:
        assert made.event == part, "it was whole"
        assert made.sentence(trigger) == ""


def test_objects_are_laid_over_and_all_else_replaces() -> None:
    trigger = get_trigger("post-login")
    example = trigger.example_event
    part = {"user": {"app_metadata": {"x": 1}, "identities": []}, "request": {"query": {"a": "b"}}}
    made = completed(trigger, part)
    assert made.event["user"]["app_metadata"] == {**example["user"]["app_metadata"], "x": 1}
    assert made.event["user"]["identities"] == []
    assert made.event["request"]["query"]["a"] == "b"
    assert made.event["client"] == example["client"]
    assert "client" in made.filled
    assert not any(path.startswith("client.") for path in made.filled), "a whole object is named once"
    assert "and " in made.sentence(trigger)
    assert len(made.sentence(trigger).splitlines()) == 1


@pytest.mark.parametrize("part", [{"user": 7}, {"user": None}, {"user": {"user_id": 7}}, {"stats": []}])
def test_what_is_wrong_stays_wrong(part: dict[str, Any]) -> None:
    trigger = get_trigger("post-login")
    with pytest.raises(EventError):
        trigger.parse_event(completed(trigger, part).event)


def test_patches_come_last() -> None:
    trigger = get_trigger("post-login")
    patch = {"user": {"name": None}, "stats": {"logins_count": 3}}
    made = completed(trigger, {"user": {"email": "a@b.example"}}, [patch])
    assert made.event["user"]["email"] == "a@b.example"
    assert "name" not in made.event["user"]
    assert "user.name" not in made.filled
    assert made.event["stats"]["logins_count"] == 3
    assert completed(trigger, trigger.example_event, [{"user": None}]).event.get("user") is None


def test_on_the_command_line(cli: Cli) -> None:  # noqa: F811
    Path("part.json").write_text('{"user": {"email": "part@quay.example"}}')
    done = cli("run", "welcome.js", "--event", "part.json")
    assert done.status == 0, done.err
    assert "welcome part@quay.example" in done.out
    assert done.err.count("filled in from the example event of post-login") == 1
    refused = cli("run", "welcome.js", "--event", "part.json", "--strict")
    assert refused.status == 2
    assert "event" in refused.err
    assert "filled in" not in refused.err
    whole = cli("event", "post-login").out
    Path("whole.json").write_text(whole)
    assert "filled in" not in cli("run", "welcome.js", "--event", "whole.json").err
    assert cli("run", "welcome.js", "--event", "whole.json", "--strict").status == 0


CASE = """
trigger: post-login
actions: [welcome.js]
event: { user: { email: part@quay.example } }
expect:
  decision: allow
  logs: ["welcome part@quay.example"]
"""


def test_in_case_files(cli: Cli) -> None:  # noqa: F811
    Path("part.case.yaml").write_text(CASE)
    done = cli("test", ".")
    assert done.status == 0, done.out
    assert "filled in from the example event of post-login: event." in done.out
    refused = cli("test", ".", "--strict")
    assert refused.status == 2
    assert "filled in" not in refused.out


def test_a_case_of_the_library(folder: Any) -> None:  # noqa: F811
    (folder / "part.case.yaml").write_text(CASE)
    (case,) = load_cases(folder / "part.case.yaml")
    result = run_case(case, ProgramCache())
    assert result.status == "passed"
    assert result.filled.startswith("filled in from the example event of post-login")
    assert run_case(case, ProgramCache(), strict=True).status == "unusable"
