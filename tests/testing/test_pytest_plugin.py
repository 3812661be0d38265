"""The pytest plugin: case files are tests, and the fixture runs Actions."""

from __future__ import annotations

import pytest

from tests.testing.plugins import plugin_arguments

pytest_plugins = ["pytester"]

WELCOME = """
exports.onExecutePostLogin = async (event, api) => {
  console.log("hello", event.user.given_name);
  if (event.user.given_name === "Eve") throw new Error("not you");
};
"""
CASES = """
trigger: post-login
actions: [welcome.js]
cases:
  - {name: good, expect: {decision: allow, logs: [hello Maya]}}
  - {name: bad, patch: {user: {given_name: Eve}}, expect: {decision: allow}}
  - {name: later, skip: not yet, expect: {decision: allow}}
  - {name: broken, actions: [no.js], expect: {decision: allow}}
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.path.joinpath("welcome.js").write_text(WELCOME)
    return pytester


class TestCaseFiles:
    def test_they_are_collected_and_tell_what_differs(self, project: pytest.Pytester) -> None:
        project.path.joinpath("a.case.yaml").write_text(CASES)
        result = project.runpytest(*plugin_arguments())
        result.assert_outcomes(passed=1, failed=2, skipped=1)
        result.stdout.fnmatch_lines(
            [
                "*$.decision: expected 'allow', found 'failed'*",
                "*throw: not you (welcome.js:*",
                "*welcome: log: hello Eve*",
                "*no.js*",
            ]
        )
        assert "Traceback" not in result.stdout.str()

    def test_a_file_that_cannot_be_used_is_a_collection_error(self, project: pytest.Pytester) -> None:
        project.path.joinpath("a.case.yaml").write_text("{trigger: post-login, expects: {}}")
        result = project.runpytest(*plugin_arguments())
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(["*did you mean expect?*"])

    def test_they_can_be_left_out(self, project: pytest.Pytester) -> None:
        project.path.joinpath("a.case.yaml").write_text(CASES)
        result = project.runpytest(*plugin_arguments(), "--no-actionbox-cases")
        assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED

    def test_one_case_can_be_chosen(self, project: pytest.Pytester) -> None:
        project.path.joinpath("a.case.yaml").write_text(CASES)
        project.runpytest(*plugin_arguments(), "a.case.yaml::good").assert_outcomes(passed=1)

    def test_other_yaml_is_left_alone(self, project: pytest.Pytester) -> None:
        project.path.joinpath("case.yaml").write_text(CASES)
        result = project.runpytest(*plugin_arguments())
        assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


class TestFixture:
    def test_everything_it_offers(self, project: pytest.Pytester) -> None:
        project.makepyfile(
            '''
            import pytest
            from runner import Limits

            def test_paths_are_relative_to_the_test_file(actionbox):
                ada = {"user": {"given_name": "Ada"}}
                outcome = actionbox.run("welcome.js", trigger="post-login", patch=ada)
                assert outcome.actions[0].logs[0].text == "hello Ada"

            def test_inline_sources_stubs_and_requests(actionbox):
                action = actionbox.python("""
            async def on_execute_post_login(event, api):
                reply = await fetch("https://api.example/x", method="POST", json={"k": event.secrets.KEY})
                print(reply.json()["n"], api.cache.get("c").value)
            """, secrets={"KEY": "own"})
                outcome = actionbox.run(
                    [action, actionbox.javascript("exports.onExecutePostLogin = async () => {};")],
                    trigger="post-login",
                    secrets={"KEY": "for all", "MORE": "x"},
                    fetch=[{"url": "https://api.example/*", "answer": {"json": {"n": 5}}}],
                    cache={"c": "kept"},
                    limits=Limits(wall_ms=60_000),
                    budget_ms=80_000,
                )
                assert outcome.actions[0].logs[0].text == "5 kept", outcome.failure
                assert [request.url for request in actionbox.requests] == ["https://api.example/x"]
                assert "own" in actionbox.requests[0].text

            def test_a_clock_a_seed_and_a_directory(actionbox):
                action = actionbox.javascript("""
            exports.onExecutePostLogin = async (event, api) => {
              const { roles } = await api.roles.getUserEffectiveRoles();
              console.log(new Date().toISOString(), Math.random(), roles[0].name);
            };""")
                roles = [{"id": "r1", "name": "staff", "type": "x"}]
                options = {"clock": "2025-03-16T08:00:00Z", "seed": 3, "roles": roles}
                first = actionbox.run(action, trigger="post-login", **options)
                second = actionbox.run(action, trigger="post-login", **options)
                text = first.actions[0].logs[0].text
                assert text == second.actions[0].logs[0].text
                assert text.startswith("2025-03-16T08:00:00.000Z 0.")
                assert text.endswith("staff")

            def test_a_form_and_a_token(actionbox):
                action = actionbox.python("""
            async def on_execute_post_login(event, api):
                if event.user.given_name == "Maya":
                    api.prompt.render("ap_1")
                else:
                    api.redirect.send_user_to("https://site.example/")

            async def on_continue_post_login(event, api):
                if event.prompt:
                    print("form", event.prompt.fields.a)
                else:
                    print("token", api.redirect.validate_token(secret="k" * 32)["n"])
            """)
                asked = actionbox.run(action, trigger="post-login")
                done = actionbox.resume(asked, prompt={"fields": {"a": "b"}})
                assert done.actions[0].logs[0].text == "form b"
                asked = actionbox.run(action, trigger="post-login", patch={"user": {"given_name": "Ada"}})
                done = actionbox.resume(asked, token={"secret": "k" * 32, "claims": {"n": 7}, "in": "query"})
                assert done.actions[0].logs[0].text == "token 7"

            def test_what_is_not_suspended_cannot_resume(actionbox):
                outcome = actionbox.run("welcome.js", trigger="post-login")
                with pytest.raises(ValueError, match="not suspended"):
                    actionbox.resume(outcome)

            def test_check_names_every_difference(actionbox):
                outcome = actionbox.run("welcome.js", trigger="post-login")
                actionbox.check(outcome, {"decision": "allow", "actions": [{"name": "welcome"}]})
                with pytest.raises(AssertionError, match="decision") as caught:
                    actionbox.check(outcome, {"decision": "deny", "leg": 2})
                assert "$.leg" in str(caught.value)

            def test_load_takes_a_policy_by_name(actionbox):
                action = actionbox.load("welcome.js", fail_policy="open")
                eve = {"user": {"given_name": "Eve"}}
                assert actionbox.run(action, trigger="post-login", patch=eve).ok
                assert actionbox.event("post-login", eve)["user"]["given_name"] == "Eve"
            '''
        )
        result = project.runpytest(*plugin_arguments())
        result.assert_outcomes(passed=7)
