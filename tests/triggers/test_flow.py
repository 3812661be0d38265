"""What the next Action sees, deny semantics, suspension and resumption, the round trip of the state."""

from __future__ import annotations

from typing import Any

import pytest

from tests.triggers.driver import ABSENT, Flow, error
from triggers import CommitError, FlowState, ResumeError, Services, resume

CONTINUE = "onContinuePostLogin"
OTP, EMAIL, PHONE = {"type": "otp"}, {"type": "email"}, {"type": "phone"}


def passed(kind: str) -> dict:
    return {"name": "mfa", "type": kind, "timestamp": "2026-01-01T00:00:00.000Z"}


# --- what the next Action sees (reference/triggers.md section 6) ---


def test_profile_metadata_shows_in_the_next_action_only() -> None:
    flow = Flow("post-login")
    session = flow.session()
    session.call("user.setUserMetadata", ["colour", "red"])
    session.call("user.setAppMetadata", ["customer_no", None])
    assert session.event["user"]["user_metadata"] == {"theme": "dark"}
    flow.state = session.commit()
    after = flow.session().event["user"]
    assert after["user_metadata"] == {"theme": "dark", "colour": "red"}
    assert after["app_metadata"] == {}
    assert flow.effects.user_metadata == {"colour": "red"}
    assert flow.effects.app_metadata == {"customer_no": None}


@pytest.mark.parametrize(
    ("call", "path", "value"),
    [
        (("transaction.setMetadata", "a", 1), ["transaction", "metadata"], {"a": 1}),
        (("session.setMetadata", "a", "1"), ["session", "metadata"], {"a": "1"}),
        (("session.setCookieMode", "non-persistent"), ["session", "cookie"], {"mode": "non-persistent"}),
    ],
)
def test_live_members_show_at_once_and_later(call: tuple, path: list[str], value: object) -> None:
    flow = Flow("post-login")
    session = flow.session()
    reply = session.call(call[0], list(call[1:]))
    assert reply == {"recorded": True, "event": [(path, value)]}
    assert session.event[path[0]][path[1]] == value
    flow.state = session.commit()
    assert flow.session().event[path[0]][path[1]] == value


def test_claims_show_nowhere() -> None:
    flow = Flow("credentials-exchange").action(("accessToken.setCustomClaim", "https://x.example/a", 1))
    assert flow.session().event["accessToken"]["customClaims"] == {}


def test_what_an_action_makes_of_its_event_stays_with_it() -> None:
    flow = Flow("post-login")
    session = flow.session()
    session.event["user"]["user_metadata"]["x"] = 1
    flow.state = session.commit()
    assert flow.session().event["user"]["user_metadata"] == {"theme": "dark"}


# --- deny ---


def test_deny_keeps_what_else_the_action_asked_for() -> None:
    flow = Flow("post-login")
    session = flow.session()
    calls: list[tuple[str, list[Any]]] = [
        ("user.setAppMetadata", ["a", 1]),
        ("access.deny", ["no"]),
        ("idToken.setCustomClaim", ["https://x.example/a", 1]),
    ]
    for path, arguments in calls:
        session.call(path, arguments)
    assert session.halts == "deny"
    effects = session.commit().effects()
    assert effects.decision == "deny"
    assert effects.app_metadata == {"a": 1}
    assert effects.id_token_claims == {"https://x.example/a": 1}


def test_the_first_reason_stands() -> None:
    flow = Flow("post-login").action(
        ("access.deny", "first"), ("access.deny", "second"), ("validation.error", "c", "third")
    )
    assert (flow.effects.denial.reason, flow.effects.denial.kind) == ("first", "access")


@pytest.mark.parametrize(
    "other",
    [
        ("redirect.sendUserTo", "https://x.example/"),
        ("prompt.render", "ap_1"),
        ("authentication.challengeWith", OTP),
        ("authentication.enrollWithAny", [{"type": "phone"}]),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_deny_beats_a_suspension(other: tuple, first: bool) -> None:
    calls = [("access.deny", "no"), other] if first else [other, ("access.deny", "no")]
    flow = Flow("post-login").action(*calls)
    assert flow.state.suspension is None
    assert flow.effects.decision == "deny"
    assert flow.effects.redirect is None


def test_halts_says_what_comes_next() -> None:
    flow = Flow("post-login")
    session = flow.session()
    assert session.halts is None
    session.call("redirect.sendUserTo", ["https://x.example/"])
    assert session.halts == "suspend"
    session.call("access.deny", [])
    assert session.halts == "deny"


# --- redirect ---


def test_a_redirect_resumes_in_the_same_actions_continue_handler() -> None:
    flow = Flow("post-login").action()
    flow.action(("redirect.sendUserTo", "https://x.example/a?b=1&c=2", {"query": {"b": "3", "d": "ü &"}}))
    waiting = flow.state.suspension
    assert waiting.kind == "redirect"
    assert (waiting.action, waiting.resume_action, waiting.resume_handler) == (1, 1, CONTINUE)
    assert waiting.redirect.url == "https://x.example/a?c=2&b=3&d=%C3%BC+%26&state=state-1"
    assert waiting.redirect.state == "state-1"
    assert flow.effects.redirect == waiting.redirect
    request = {**flow.state.event["request"], "method": "POST", "body": {"ok": "1"}}
    flow.proceed(request=request)
    assert flow.state.suspension is None
    assert flow.effects.redirect is None
    assert flow.session(CONTINUE).event["request"] == request
    assert flow.index == 1


def test_the_last_redirect_of_an_action_wins() -> None:
    flow = Flow("post-login").action(
        ("redirect.sendUserTo", "https://x.example/a"), ("redirect.sendUserTo", "https://x.example/b")
    )
    assert flow.effects.redirect.url == "https://x.example/b?state=state-1"


def test_state_in_the_url_is_replaced_by_the_engines() -> None:
    flow = Flow("post-login").action(("redirect.sendUserTo", "https://x.example/?state=mine&x=1"))
    assert flow.effects.redirect.url == "https://x.example/?x=1&state=state-1"


@pytest.mark.parametrize(
    "event",
    [
        {"request.query": {"prompt": "none"}},
        {"transaction.protocol": "oauth2-refresh-token"},
        {"transaction.protocol": "oauth2-password"},
        {"transaction.protocol": "oauth2-resource-owner"},
        {"transaction.protocol": "oauth2-webauthn"},
        {"transaction.protocol": "oauth2-access-token"},
        {"transaction.protocol": "oauth2-resource-owner-jwt-bearer"},
        {"transaction.protocol": "oauth2-token-exchange"},
        {"transaction.protocol": "oidc-ciba"},
        {"transaction.protocol": "wstrust-usernamemixed"},
    ],
)
@pytest.mark.parametrize("call", [("redirect.sendUserTo", "https://x.example/"), ("prompt.render", "ap_1")])
def test_where_no_redirect_is_possible_the_flow_ends(event: dict, call: tuple) -> None:
    flow = Flow("post-login", event)
    session = flow.session()
    session.call(call[0], list(call[1:]))
    session.call("user.setAppMetadata", ["a", 1])
    assert session.halts == "deny"
    flow.state = session.commit()
    assert flow.state.suspension is None
    assert flow.effects.denial.code == flow.effects.denial.kind == "interaction_required"
    assert call[0] in flow.effects.denial.reason
    assert flow.effects.app_metadata == {"a": 1}


# --- forms ---


def test_a_form_resumes_with_its_result() -> None:
    flow = Flow("post-login").action(("prompt.render", "ap_1", {"fields": {"a": 1}, "vars": {"b": 2}}))
    assert flow.effects.prompt.model_dump() == {"id": "ap_1", "fields": {"a": 1}, "vars": {"b": 2}}
    assert flow.state.suspension.resume_handler == CONTINUE
    flow.proceed(prompt={"fields": {"a": "x"}})
    assert flow.session(CONTINUE).event["prompt"] == {"id": "ap_1", "fields": {"a": "x"}}
    flow.action(handler=CONTINUE)
    assert flow.session().event["prompt"]["fields"] == {"a": "x"}


def test_another_resumption_forgets_the_form() -> None:
    flow = Flow("post-login").action(("prompt.render", "ap_1")).proceed(prompt={})
    flow.action(("redirect.sendUserTo", "https://x.example/"), handler=CONTINUE).proceed()
    assert "prompt" not in flow.session(CONTINUE).event


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("prompt.render", "ap_1"), ("prompt.render", "ap_2")),
        (("prompt.render", "ap_1"), ("redirect.sendUserTo", "https://x.example/")),
        (("redirect.sendUserTo", "https://x.example/"), ("prompt.render", "ap_1")),
        (("redirect.sendUserTo", "https://x.example/"), ("authentication.challengeWith", OTP)),
        (("authentication.enrollWith", OTP), ("prompt.render", "ap_1")),
    ],
)
def test_an_action_suspends_in_one_way_or_fails(first: tuple, second: tuple) -> None:
    session = Flow("post-login").session()
    assert "error" not in session.call(first[0], list(first[1:]))
    reply = session.call(second[0], list(second[1:]))
    assert reply["error"]["code"] == "aborted"
    with pytest.raises(CommitError, match=second[0]):
        session.commit()


def test_a_form_in_the_continue_handler_is_a_new_form() -> None:
    flow = Flow("post-login").action(("prompt.render", "ap_1")).proceed(prompt={})
    flow.action(("prompt.render", "ap_2"), handler=CONTINUE)
    assert flow.effects.prompt.id == "ap_2"


# --- challenges and enrolments ---


def test_a_challenge_resumes_at_the_next_action() -> None:
    flow = Flow("post-login").action(
        ("authentication.challengeWith", OTP, {"additionalFactors": [EMAIL]}),
        (
            "authentication.challengeWithAny",
            [EMAIL, {"type": "phone", "options": {"preferredMethod": "sms"}}],
        ),
    )
    waiting = flow.state.suspension
    assert waiting.kind == "challenge"
    assert (waiting.action, waiting.resume_action) == (0, 1)
    assert waiting.resume_handler == "onExecutePostLogin"
    assert [step.model_dump(mode="json") for step in flow.effects.steps] == [
        {"kind": "challenge", "factors": [OTP, EMAIL], "picker": False},
        {
            "kind": "challenge",
            "factors": [EMAIL, {"type": "phone", "options": {"preferredMethod": "sms"}}],
            "picker": True,
        },
    ]
    before = flow.state.event["authentication"]["methods"]
    flow.proceed(methods=[passed("otp")])
    assert flow.session().event["authentication"]["methods"] == [*before, passed("otp")]


def test_results_of_an_enrolment() -> None:
    flow = Flow("post-login").action(("authentication.enrollWith", {"type": "webauthn-roaming"}))
    assert flow.state.suspension.kind == "enroll"
    flow.proceed(enrolled=[{"type": "webauthn-roaming"}])
    assert flow.session().event["user"]["enrolledFactors"] == [OTP, {"type": "webauthn-roaming"}]


def test_factors_passed_in_this_transaction_are_left_out() -> None:
    flow = Flow("post-login").action(("authentication.challengeWith", OTP)).proceed(methods=[passed("otp")])
    flow.action(("authentication.challengeWith", OTP, {"additionalFactors": [EMAIL]}))
    assert flow.effects.steps[0].factors == (EMAIL,)
    flow.proceed(methods=[passed("email")])
    flow.action(("authentication.challengeWithAny", [OTP, EMAIL]))
    assert flow.state.suspension is None


def test_push_and_push_notification_are_one_factor() -> None:
    flow = Flow("post-login").action(("authentication.challengeWith", {"type": "push"}))
    flow.proceed(methods=[passed("push-notification")])
    assert flow.action(("authentication.challengeWith", {"type": "push"})).state.suspension is None


def test_enrolled_factors_need_no_enrolment() -> None:
    assert Flow("post-login").action(("authentication.enrollWith", OTP)).state.suspension is None
    unknown = Flow("post-login", {"user.enrolledFactors": ABSENT})
    assert unknown.action(("authentication.enrollWith", OTP)).state.suspension is not None


def test_four_commands_and_not_five() -> None:
    flow = Flow("post-login", {"user.enrolledFactors": []})
    flow.action(("authentication.challengeWith", OTP), ("authentication.enrollWith", OTP)).proceed(
        methods=[{"name": "mfa", "type": "otp"}], enrolled=[{"type": "otp"}]
    )
    flow.action(("authentication.challengeWithAny", [EMAIL])).proceed(
        methods=[{"name": "mfa", "type": "email"}]
    )
    session = flow.session()
    assert "error" not in session.call("authentication.enrollWithAny", [[{"type": "phone"}]])
    assert "at most 4 challenges and enrolments" in error(
        session.call("authentication.challengeWith", [EMAIL])
    )
    with pytest.raises(CommitError, match="at most 4"):
        session.commit()


def test_a_token_exchange_cannot_challenge() -> None:
    session = Flow("post-login", {"transaction.protocol": "oauth2-token-exchange"}).session()
    assert "not possible in a token exchange" in error(session.call("authentication.challengeWith", [OTP]))
    with pytest.raises(CommitError):
        session.commit()


def test_a_delegated_session_cannot_be_challenged() -> None:
    flow = Flow("post-login", {"session.actor": {"sub": "agent"}})
    flow.action(("authentication.challengeWith", EMAIL))
    assert flow.effects.denial.code == "interaction_required"


ENABLE = ("multifactor.enable", "any", {"allowRememberBrowser": False})
STEPS = [
    ("authentication.challengeWith", EMAIL),
    ("authentication.challengeWithAny", [EMAIL]),
    ("authentication.enrollWith", {"type": "recovery-code"}),
    ("authentication.enrollWithAny", [{"type": "recovery-code"}]),
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[0])
def test_multifactor_and_steps_of_the_flow_both_reach_the_platform(step: tuple) -> None:
    for flow in (
        Flow("post-login").action(ENABLE, step),
        Flow("post-login").action(step, ENABLE),
        Flow("post-login").action(ENABLE).action(step),
    ):
        assert len(flow.effects.steps) == 1
        multifactor = flow.effects.multifactor
        assert (multifactor.provider, multifactor.allow_remember_browser) == ("any", False)
        assert flow.effects.warnings == ()
        done = flow.proceed(methods=[{"name": "mfa", "type": "email"}], enrolled=[]).action()
        assert done.effects.steps == ()
        assert done.effects.multifactor is None


def test_multifactor_beside_steps_that_need_no_asking() -> None:
    flow = Flow("post-login", {"user.enrolledFactors": [{"type": "recovery-code"}]})
    flow.action(ENABLE, ("authentication.enrollWith", {"type": "recovery-code"}))
    assert flow.effects.steps == ()
    assert flow.effects.multifactor is None


@pytest.mark.parametrize("provider", ["none", "guardian", "duo"])
def test_a_provider_that_is_not_asked_is_warned_about(provider: str) -> None:
    flow = Flow("post-login").action(
        ("multifactor.enable", provider), ("authentication.challengeWith", EMAIL)
    )
    assert flow.effects.multifactor.provider == provider
    assert any("overridden" in warning for warning in flow.effects.warnings)


# --- resume ---


def test_what_is_not_suspended_cannot_be_resumed() -> None:
    with pytest.raises(ResumeError, match="not suspended"):
        resume(Flow("post-login").state)


@pytest.mark.parametrize(
    ("calls", "what", "says"),
    [
        ([("prompt.render", "ap_1")], {}, "waits for a form"),
        ([("redirect.sendUserTo", "https://x.example/")], {"prompt": {}}, "not on a form"),
        ([("authentication.challengeWith", EMAIL)], {"prompt": {}}, "suspended on a challenge"),
        ([("prompt.render", "ap_1")], {"prompt": {"fields": []}}, "prompt.fields must be an object"),
        ([("prompt.render", "ap_1")], {"prompt": []}, "prompt must be an object"),
        ([("authentication.challengeWith", EMAIL)], {"methods": [{}]}, r"methods\[0\].name must be a string"),
        ([("authentication.challengeWith", EMAIL)], {"methods": {}}, "methods must be an array"),
        (
            [("authentication.challengeWith", EMAIL)],
            {"methods": [], "enrolled": [5]},
            r"enrolled\[0\] must be an object",
        ),
        ([("authentication.challengeWith", EMAIL)], {}, "waits for a challenge"),
        ([("authentication.challengeWith", EMAIL)], {"enrolled": []}, "waits for a challenge"),
        ([("authentication.enrollWith", PHONE)], {}, "waits for an enrolment"),
        ([("authentication.challengeWith", EMAIL)], {"request": "x"}, "request must be an object"),
        ([("authentication.challengeWith", EMAIL)], {"request": {"a": {1}}}, "request holds a set"),
    ],
)
def test_resuming_with_what_does_not_fit(calls: list, what: dict, says: str) -> None:
    flow = Flow("post-login").action(*calls)
    with pytest.raises(ResumeError, match=says):
        resume(flow.state, **what)


def test_a_suspended_state_survives_storage_and_goes_on() -> None:
    flow = Flow("post-login").action(("transaction.setMetadata", "step", 1))
    flow.action(("prompt.render", "ap_1", {"vars": {"n": 0.5}}), ("user.setUserMetadata", "é", [1, None]))
    stored = FlowState.from_json(flow.state.to_json())
    assert stored == flow.state
    flow.state = stored
    flow.proceed(prompt={"vars": {"n": 0.5}}).action(("access.deny", "no"), handler=CONTINUE)
    assert flow.effects.transaction_metadata == {"step": 1}
    assert flow.effects.denial.action == 1


def test_effects_serialise() -> None:
    flow = Flow("post-login").action(
        ("idToken.setCustomClaim", "https://x.example/a", {"b": [1.5, None]}),
        ("session.revoke", "stolen"),
        ("samlResponse.setAttribute", "a", ["b"]),
    )
    effects = flow.effects
    assert type(effects).model_validate_json(effects.model_dump_json()) == effects


def test_two_redirects_keep_their_own_states() -> None:
    flow = Flow("post-login").action(("redirect.sendUserTo", "https://x.example/"))
    flow.proceed().with_services(redirect_state="state-2")
    assert flow.state.redirect_state == "state-1"
    flow.action(("redirect.sendUserTo", "https://y.example/"), handler=CONTINUE)
    assert flow.effects.redirect.url == "https://y.example/?state=state-2"
    assert flow.proceed().state.redirect_state == "state-2"


def test_services_make_a_state_of_their_own() -> None:
    assert len(Services().redirect_state) >= 32
