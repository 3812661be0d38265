"""Allow-lists of Actions in files: declared beside them, in both languages, and in case files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner import Runner, Settings, load_action
from runner.flow.programs import ProgramCache
from runner.model.caps import MAX_ALLOW_RULES
from runner.model.errors import ActionError, InputError
from runner.testing.cases.load import load_cases
from runner.testing.cases.run import run_case
from sandbox.egress import parse_stubs
from sandbox.egress.doubles.stub import StubEgress
from sandbox.egress.policy.allow import AllowRule
from triggers import get_trigger

SCRIPTS = {
    "sms.js": "exports.onExecutePostLogin = async () => { await fetch('https://api.sms.example/v1/send'); "
    "await fetch('https://other.example/'); };",
    "sms.py": "async def on_execute_post_login(event, api):\n"
    "    await fetch('https://api.sms.example/v1/send')\n    await fetch('https://other.example/')\n",
}
RULES = ["GET api.sms.example/v1"]


def declare(folder: Path, name: str, rules: object) -> Path:
    (folder / name).write_text(SCRIPTS[name])
    if name.endswith(".js"):
        (folder / "package.json").write_text(json.dumps({"actionbox": {"allow": {name: rules}}}))
    else:
        (folder / "pyproject.toml").write_text(
            f"[tool.actionbox.allow]\n{json.dumps(name)} = {json.dumps(rules)}\n"
        )
    return folder / name


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_run_refuses_what_is_not_declared(tmp_path: Path, name: str) -> None:
    action = load_action(declare(tmp_path, name, RULES))
    assert action.allow == (AllowRule("api.sms.example", frozenset({"GET"}), ("/v1",)),)
    egress = StubEgress(parse_stubs([{"url": "*", "answer": {"status": 200}}]))
    runner = Runner(settings=Settings(), egress=egress)
    outcome = runner.run("post-login", get_trigger("post-login").example_event, [action])
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.detail["rule"]) == ("egress", "allow-list")
    assert "other.example" in outcome.failure.message


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_is_not_named_is_not_narrowed(tmp_path: Path, name: str) -> None:
    declare(tmp_path, name, RULES)
    other = tmp_path / f"other{Path(name).suffix}"
    other.write_text(SCRIPTS[name])
    assert load_action(other).allow is None
    assert load_action(declare(tmp_path, name, [])).allow == ()
    assert load_action(tmp_path / name, allow=(AllowRule("a.example"),)).allow == (AllowRule("a.example"),)


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ("a.example", "must be a list of texts"),
        ([1], "must be a list of texts"),
        (["https://a.example"], "without http:// or https://"),
        (["a.example"] * (MAX_ALLOW_RULES + 1), f"at most {MAX_ALLOW_RULES} are taken"),
    ],
)
def test_what_cannot_be_used_says_where(tmp_path: Path, name: str, rules: object, problem: str) -> None:
    path = declare(tmp_path, name, rules)
    with pytest.raises(ActionError, match=f"allow.{name}.*{problem}"):
        load_action(path)


def test_the_most_rules_are_taken(tmp_path: Path) -> None:
    action = load_action(declare(tmp_path, "sms.js", ["a.example"] * MAX_ALLOW_RULES))
    assert action.allow is not None
    assert len(action.allow) == MAX_ALLOW_RULES


def test_a_list_that_names_no_files(tmp_path: Path) -> None:
    path = tmp_path / "sms.js"
    path.write_text(SCRIPTS["sms.js"])
    (tmp_path / "package.json").write_text('{"actionbox": {"allow": ["a.example"]}}')
    with pytest.raises(ActionError, match="must name files"):
        load_action(path)


CASE = """trigger: post-login
actions: [{{file: sms.js, allow: {rules}}}]
fetch: [{{url: "*", answer: {{status: 200}}}}]
expect: {expect}
"""


@pytest.mark.parametrize(
    ("rules", "expect"),
    [
        ('["*.sms.example", other.example]', "{decision: allow}"),
        ("[api.sms.example]", "{decision: failed, failure: {code: egress, detail: {rule: allow-list}}}"),
    ],
)
def test_a_case_says_it_too(tmp_path: Path, rules: str, expect: str) -> None:
    (tmp_path / "sms.js").write_text(SCRIPTS["sms.js"])
    path = tmp_path / "sms.case.yaml"
    path.write_text(CASE.format(rules=rules, expect=expect))
    (case,) = load_cases(path)
    result = run_case(case, ProgramCache())
    assert result.status == "passed", result


def test_a_case_with_a_rule_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "sms.case.yaml"
    path.write_text(CASE.format(rules='["http://a"]', expect="{decision: allow}"))
    with pytest.raises(InputError, match=r"actions\[0\].allow.*without http://"):
        load_cases(path)
