"""Case files: read strictly, run as written, compared with every difference named."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import InputError, ProgramCache
from runner.testing.cases.junit import write_junit
from runner.testing.cases.load import find_case_files, load_cases, load_stubs
from runner.testing.cases.run import CaseResult, run_case
from runner.testing.cases.yaml import parse_yaml
from tests.flow.fixtures import PROGRAMS

ECHO = """
exports.onExecutePostLogin = async (event, api) => {
  console.log("now", new Date().toISOString());
  console.log("color", event.user.user_metadata.color, event.secrets.KEY, event.configuration.region);
  api.idToken.setCustomClaim("random", Math.random());
  api.idToken.setCustomClaim("cached", api.cache.get("k")?.value);
  api.idToken.setCustomClaim("rule", api.rules.wasExecuted("rul_1"));
  const { groups } = await api.groups.getUserGroups();
  api.idToken.setCustomClaim("teams", groups.map((group) => group.name));
};
"""
ASK = """
async def on_execute_post_login(event, api):
    token = api.redirect.encode_token(secret=event.secrets.KEY, payload={})
    api.redirect.send_user_to("https://site.example/ask", query={"token": token})

async def on_continue_post_login(event, api):
    claims = api.redirect.validate_token(secret=event.secrets.KEY)
    print(event.request.method, event.request.query.answer, claims["color"])
    api.user.set_user_metadata("color", claims["color"])
"""
CALL = """
async def on_execute_post_login(event, api):
    for name in ["one", "two"]:
        reply = await fetch("https://api.example/" + name, method="POST", json={"name": name})
        print(name, reply.status)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("echo.js", ECHO), ("ask.py", ASK), ("call.py", CALL)):
        (tmp_path / name).write_text(text)
    return tmp_path


def write(folder: Path, text: str, name: str = "a.case.yaml") -> Path:
    (folder / name).write_text(dedent(text))
    return folder / name


def run(folder: Path, text: str) -> list[CaseResult]:
    return [run_case(case, PROGRAMS) for case in load_cases(write(folder, text))]


def run_one(folder: Path, text: str) -> CaseResult:
    (result,) = run(folder, text)
    return result


class TestRunning:
    def test_all_circumstances_of_a_case_reach_the_action(self, folder: Path) -> None:
        text = """
            trigger: post-login
            actions: [{file: echo.js, configuration: {region: eu}}]
            patch: {user: {user_metadata: {color: red}}}
            secrets: {KEY: abc}
            seed: 7
            cache: {k: kept}
            executed_rules: [rul_1]
            directory: {groups: [{id: g1, name: staff, group_type: tenant}], roles: []}
            cases:
              - name: red
                clock: 2025-03-12T09:00:00Z
                expect:
                  decision: allow
                  effects:
                    id_token_claims: {random: {$any: true}, cached: kept, rule: true, teams: [staff]}
                  logs: ["now 2025-03-12T09:00:00.000Z", color red abc eu]
              - name: blue
                clock: 1741770000.5
                patch: {user: {user_metadata: {color: blue}}}
                secrets: {KEY: other}
                expect:
                  logs: [{$regex: "^now 2025-03-12T09:00:00.500Z$"}, color blue other eu]
        """
        red, blue = run(folder, text)
        assert list(map(str, red.differences)) == []
        assert (red.status, red.differences, red.problem) == ("passed", (), None)
        assert (blue.status, blue.differences, blue.problem) == ("passed", (), None)
        assert red.outcome is not None
        assert blue.outcome is not None
        claims = [
            result.outcome.effects.id_token_claims["random"] for result in (red, blue) if result.outcome
        ]
        assert claims[0] == claims[1], "a seed repeats randomness"

    def test_a_case_without_event_runs_on_the_example(self, folder: Path) -> None:
        result = run_one(folder, "{trigger: post-login, actions: [echo.js], expect: {decision: allow}}")
        assert result.status == "passed"

    def test_an_event_file_and_an_event_in_place(self, folder: Path) -> None:
        from triggers import get_trigger

        event = get_trigger("post-login").example_event
        event["user"]["user_metadata"]["color"] = "green"
        import json

        (folder / "e.json").write_text(json.dumps(event))
        by_file = "{trigger: post-login, actions: [echo.js], event: e.json, expect: {logs: [color green]}}"
        assert run_one(folder, by_file).status == "passed"
        in_place = json.dumps(
            {
                "trigger": "post-login",
                "actions": ["echo.js"],
                "event": event,
                "expect": {"logs": ["color green"]},
            }
        )
        assert run_one(folder, in_place).status == "passed"

    def test_differences_name_path_expected_and_found(self, folder: Path) -> None:
        text = """
            trigger: post-login
            actions: [echo.js]
            expect:
              decision: deny
              effects: {id_token_claims: {rule: true}}
              logs: [never said]
              fetches: [{}]
        """
        result = run_one(folder, text)
        assert result.status == "failed"
        assert [item.path for item in result.differences] == [
            "$.decision",
            "$.effects.id_token_claims.rule",
            "$.logs[0]",
            "$.fetches",
        ]
        assert "never said" in result.differences[2].expected

    def test_log_texts_have_to_come_in_order(self, folder: Path) -> None:
        result = run_one(folder, "{trigger: post-login, actions: [echo.js], expect: {logs: [color, now]}}")
        assert [item.path for item in result.differences] == ["$.logs[1]"]

    def test_stubs_answer_and_requests_can_be_expected(self, folder: Path) -> None:
        text = """
            trigger: post-login
            actions: [call.py]
            fetch:
              - {url: https://api.example/*, answer: {status: 201}}
            cases:
              - name: first
                fetch: [{url: https://api.example/one, method: post, answer: {status: 418}, times: 1}]
                expect:
                  logs: [one 418, two 201]
                  fetches:
                    - {method: POST, url: https://api.example/one, json: {name: one}}
                    - {text: {$contains: two}, headers: {content-type: application/json}}
              - name: second
                expect: {fetches: {$length: 2}}
        """
        assert [(item.status, item.differences) for item in run(folder, text)] == [("passed", ())] * 2

    def test_without_a_stub_nothing_goes_out(self, folder: Path) -> None:
        text = "{trigger: post-login, actions: [call.py], expect: {failure: {code: egress}}}"
        assert run_one(folder, text).status == "passed"

    def test_fail_policies_limits_and_budget(self, folder: Path) -> None:
        (folder / "bad.py").write_text("def on_execute_post_login(event, api):\n    1 / 0\n")
        (folder / "spin.py").write_text("def on_execute_post_login(event, api):\n    while True: pass\n")
        text = """
            trigger: post-login
            budget_ms: 5000
            actions:
              - {file: bad.py, fail: open, name: broken}
              - {file: bad.py, fail: last_good, last_good: echo.js}
              - {file: spin.py, fail: open, limits: {wall_ms: 50}}
            expect:
              decision: allow
              timing: {budget_ms: 5000}
              actions:
                - {name: broken, status: failed, failure: {error_name: ZeroDivisionError}}
                - {status: ran, used_last_good: true}
                - {status: failed, failure: {code: timeout}}
        """
        result = run_one(folder, text)
        assert (result.status, result.differences) == ("passed", ())

    def test_skipped(self, folder: Path) -> None:
        text = "{trigger: post-login, actions: [echo.js], skip: later, expect: {decision: deny}}"
        assert run_one(folder, text).status == "skipped"


class TestSteps:
    def steps(self, resume: str, expect: str) -> str:
        return f"""
            trigger: post-login
            actions: [ask.py]
            secrets: {{KEY: a-key-of-thirty-two-characters!!}}
            steps:
              - expect: {{decision: suspended, suspension: {{kind: redirect}}}}
              - resume: {resume}
                expect: {expect}
        """

    def test_a_token_is_signed_and_the_state_filled_in(self, folder: Path) -> None:
        resume = (
            "{query: {answer: yes}, token: {secret: a-key-of-thirty-two-characters!!, claims: {color: red}}}"
        )
        expect = "{decision: allow, effects: {user_metadata: {color: red}}, logs: [POST yes red]}"
        result = run_one(folder, self.steps(resume, expect))
        assert (result.status, result.differences) == ("passed", ())

    @pytest.mark.parametrize(
        "token",
        [
            "{secret: another-key-of-thirty-two-characters, claims: {color: red}}",
            "{secret: a-key-of-thirty-two-characters!!, claims: {state: forged}}",
            "{secret: a-key-of-thirty-two-characters!!, claims: {sub: null}}",
            "{secret: a-key-of-thirty-two-characters!!, expires_in: -10}",
            "{secret: a-key-of-thirty-two-characters!!, parameter: other}",
        ],
    )
    def test_a_token_that_is_not_right_fails_the_action(self, folder: Path, token: str) -> None:
        result = run_one(folder, self.steps(f"{{token: {token}}}", "{decision: failed}"))
        assert (result.status, result.differences) == ("passed", ())

    @pytest.mark.parametrize(
        "resume", ["{state: false}", "{query: {state: forged}}", "{body: {state: forged}}"]
    )
    def test_a_refused_resume_can_be_expected(self, folder: Path, resume: str) -> None:
        result = run_one(folder, self.steps(resume, "{error: {code: invalid_request}}"))
        assert (result.status, result.differences) == ("passed", ())

    def test_an_error_that_does_not_come_is_a_difference(self, folder: Path) -> None:
        token = "{token: {secret: a-key-of-thirty-two-characters!!, claims: {color: red}}}"
        result = run_one(folder, self.steps(token, "{error: {code: invalid_request}}"))
        assert result.status == "failed"
        assert (result.step, result.differences[0].path) == (2, "$.error")

    def test_a_resume_after_no_suspension_is_unusable(self, folder: Path) -> None:
        text = """
            trigger: post-login
            actions: [echo.js]
            steps:
              - expect: {decision: allow}
              - resume: {}
                expect: {decision: allow}
        """
        result = run_one(folder, text)
        assert result.status == "unusable"
        assert "suspend" in str(result.problem)


class TestUnusable:
    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("{trigger: post-logn, actions: [echo.js], expect: {decision: allow}}", "post-login"),
            ("{trigger: post-login, actions: [no.js], expect: {decision: allow}}", "no.js"),
            (
                "{trigger: post-login, actions: [echo.js], event: no.json, expect: {decision: allow}}",
                "no.json",
            ),
            (
                "{trigger: post-login, actions: [echo.js], event: {user: 5}, expect: {decision: allow}}",
                "$.user",
            ),
            (
                "{trigger: post-login, actions: [{file: echo.js, fail: last_good}], expect: {a: 1}}",
                "last_good",
            ),
        ],
    )
    def test_what_only_shows_when_it_runs(self, folder: Path, text: str, word: str) -> None:
        result = run_one(folder, text)
        assert result.status == "unusable"
        assert word in str(result.problem)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("{}", ["$.trigger: is missing"]),
            (
                "{trigger: post-login, actions: [a.js], limits: {wall_ms: 0}, expect: {a: 1}}",
                ["$.limits", "wall_ms"],
            ),
            ("[]", ["mapping"]),
            ("", ["mapping"]),
            ("{trigger: post-login, actions: [a.js]}", ["neither cases nor expect"]),
            ("{trigger: post-login, actions: [a.js], cases: []}", ["empty list"]),
            ("{trigger: post-login, expect: {a: 1}}", ["has no actions"]),
            (
                "{trigger: post-login, actions: [a.js], expects: {a: 1}}",
                ["$.expects", "did you mean expect?"],
            ),
            ("{trigger: post-login, actions: [a.js], expect: {}}", ["test nothing"]),
            ("{trigger: post-login, actions: [a.js], expect: {a: {$like: 1}}}", ["$.expect.a", "$like"]),
            ("{trigger: post-login, actions: [a.js], clock: noon, expect: {a: 1}}", ["$.clock", "ISO 8601"]),
            ("{trigger: post-login, actions: [a.js], secrets: {A: 1}, expect: {a: 1}}", ["$.secrets.A"]),
            ("{trigger: post-login, actions: [{name: x}], expect: {a: 1}}", ["$.actions[0].file"]),
            (
                "{trigger: post-login, actions: [{file: a.js, fail: maybe}], expect: {a: 1}}",
                ["$.actions[0].fail"],
            ),
            ("{trigger: post-login, actions: [a.js], fetch: [{uri: x}], expect: {a: 1}}", ["$.fetch", "uri"]),
            ("{trigger: post-login, actions: [a.js], expect: {a: 1}, steps: []}", ["both expect and steps"]),
            ("{trigger: post-login, actions: [a.js], steps: []}", ["no steps"]),
            ("{trigger: post-login, actions: [a.js], steps: [{resume: {}, expect: {a: 1}}]}", ["first step"]),
            (
                "{trigger: post-login, actions: [a.js], steps: [{expect: {a: 1}}, {expect: {a: 1}}]}",
                ["step 2 needs `resume`"],
            ),
            (
                "{trigger: t, actions: [a.js], cases: [{name: x, expect: {a: 1}}, {name: x, skip: y}]}",
                ["two cases", "'x'"],
            ),
            ("{trigger: post-login, actions: [a.js], cases: [{expect: {a: 1}}]}", ["$.cases[0].name"]),
            ("{trigger: post-login, actions: [a.js], cases: [{name: x}]}", ["'x'", "test nothing"]),
        ],
    )
    def test_what_shows_when_it_is_read(self, tmp_path: Path, text: str, words: list[str]) -> None:
        path = write(tmp_path, text)
        with pytest.raises(InputError) as caught:
            load_cases(path)
        for word in [str(path), *words]:
            assert word in caught.value.message

    @given(text=st.text(max_size=200))
    def test_any_text_is_cases_or_a_typed_error(
        self, text: str, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        path = tmp_path_factory.mktemp("case") / "a.case.yaml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
        with pytest.raises(InputError):
            load_cases(path)


class TestYaml:
    def test_scalars_are_those_of_yaml_1_2(self) -> None:
        text = (
            "{a: yes, b: no, c: 010, d: 12:30:00, e: 2025-01-01, f: true, g: null, h: ~,"
            " i: 1.5, j: .5, k: 1e3, l: on}"
        )
        assert parse_yaml(text, "case", "x") == {
            "a": "yes",
            "b": "no",
            "c": 10,
            "d": "12:30:00",
            "e": "2025-01-01",
            "f": True,
            "g": None,
            "h": None,
            "i": 1.5,
            "j": 0.5,
            "k": 1000.0,
            "l": "on",
        }

    def test_keys_are_strings(self) -> None:
        assert parse_yaml("{1: a, true: b, null: c}", "case", "x") == {"1": "a", "true": "b", "null": "c"}

    def test_anchors_and_merge_keys(self) -> None:
        assert parse_yaml("{a: &x {b: 1}, c: {<<: *x, d: 2}}", "case", "x")["c"] == {"b": 1, "d": 2}

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("a: 1\na: 2", "'a' is given twice (line 2, column 1)"),
            ("a: !!python/object/apply:os.getcwd []", "constructor"),
            ("a: !!timestamp 2025-01-01", "constructor"),
            ("? [a]\n: 1", "a key must be a string"),
            ("a: &x [*x]", "recursive"),
            ("&x [*x]", "deeper"),
            ("a: [", "line"),
            ("[" * 500, "not YAML"),
            ("\x00", "not YAML"),
        ],
    )
    def test_what_is_refused(self, text: str, word: str) -> None:
        with pytest.raises(InputError) as caught:
            parse_yaml(text, "case", "x")
        assert word in caught.value.message


class TestFinding:
    def test_case_files_are_found_in_order_and_in_depth(self, tmp_path: Path) -> None:
        (tmp_path / "b").mkdir()
        for name in ("z.case.yaml", "b/a.case.yaml", "b/no.yaml", "a.case.yml"):
            (tmp_path / name).write_text("")
        found = [str(path.relative_to(tmp_path)) for path in find_case_files(tmp_path)]
        assert found == ["b/a.case.yaml", "z.case.yaml"]

    @pytest.mark.parametrize(("name", "code"), [("no", "not_found"), (".", "no_cases")])
    def test_nothing_to_find(self, tmp_path: Path, name: str, code: str) -> None:
        with pytest.raises(InputError) as caught:
            find_case_files(tmp_path / name)
        assert caught.value.code == code


class TestStubFiles:
    @pytest.mark.parametrize(
        "text", ["- url: https://a.example/", '[{"url": "https://a.example/"}]', "fetch: [{url: x}]"]
    )
    def test_a_list_or_a_mapping_with_one(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "s.yaml").write_text(text)
        assert len(load_stubs(tmp_path / "s.yaml")) == 1

    @pytest.mark.parametrize("text", ["a: 1", "- a", "- {url: x, status: 5}"])
    def test_what_is_none(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "s.yaml").write_text(text)
        with pytest.raises(InputError) as caught:
            load_stubs(tmp_path / "s.yaml")
        assert caught.value.code == "invalid_stubs"


def test_junit_xml_tells_the_ends_apart(folder: Path) -> None:
    text = """
        trigger: post-login
        actions: [echo.js]
        cases:
          - {name: good, expect: {decision: allow}}
          - {name: "bad \\e \\u202e", expect: {decision: deny}}
          - {name: broken, actions: [no.js], expect: {decision: allow}}
          - {name: later, skip: not yet, expect: {decision: allow}}
    """
    results = run(folder, text)
    write_junit(folder / "r.xml", results, [(folder / "x.case.yaml", "cannot be used")])
    root: Any = ET.parse(folder / "r.xml").getroot()
    first, second = root.findall("testsuite")
    assert {name: first.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    cases = first.findall("testcase")
    assert [
        case.find(tag) is not None
        for case, tag in zip(cases[1:], ("failure", "error", "skipped"), strict=True)
    ] == [
        True,
        True,
        True,
    ]
    assert "now" in cases[0].find("system-out").text
    assert "\\x1b" in cases[1].get("name")
    assert second.get("errors") == "1"
    with pytest.raises(InputError):
        write_junit(folder / "no" / "r.xml", results, [])


def test_programs_are_built_once(folder: Path) -> None:
    built: list[str] = []

    def build(source: Any) -> Any:
        import sandbox

        built.append(source.filename)
        return sandbox.build(source)

    programs = ProgramCache(build)
    text = "{trigger: post-login, actions: [echo.js, echo.js], expect: {decision: allow}}"
    for case in load_cases(write(folder, text)) * 2:
        assert run_case(case, programs).status == "passed"
    assert built == ["echo.js"]
