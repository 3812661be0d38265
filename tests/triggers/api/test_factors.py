"""Factor objects, `multifactor.enable` and `recordMethod`."""

from __future__ import annotations

import pytest

from tests.triggers.driver import Flow, error

CONTINUE = "onContinuePostLogin"
CHALLENGES = [
    "otp",
    "email",
    "webauthn-platform",
    "webauthn-roaming",
    "recovery-code",
    "phone",
    "push",
    "push-notification",
]
ENROLLMENTS = [
    "otp",
    "webauthn-platform",
    "webauthn-roaming",
    "recovery-code",
    "phone",
    "push",
    "push-notification",
]


def flow_of(trigger: str = "post-login") -> Flow:
    return Flow(trigger, {"user.enrolledFactors": []})


@pytest.mark.parametrize("trigger", ["post-login", "password-reset-post-challenge"])
@pytest.mark.parametrize("kind", CHALLENGES)
def test_factors_to_challenge(trigger: str, kind: str) -> None:
    flow = flow_of(trigger).action(("authentication.challengeWith", {"type": kind}))
    assert flow.effects.steps[0].factors == ({"type": kind},)


@pytest.mark.parametrize("kind", ENROLLMENTS)
def test_factors_to_enrol(kind: str) -> None:
    flow = flow_of().action(("authentication.enrollWithAny", [{"type": kind}]))
    assert (flow.effects.steps[0].kind, flow.effects.steps[0].picker) == ("enroll", True)


@pytest.mark.parametrize(
    "factor",
    [
        {"type": "phone", "options": {"preferredMethod": "sms"}},
        {"type": "phone", "options": {"preferredMethod": "voice"}},
        {"type": "phone", "options": {"preferredMethod": "both"}},
        {"type": "phone", "options": {}},
        {"type": "push-notification", "options": {"otpFallback": True}},
        {"type": "otp", "options": {"anything": [1]}},
    ],
)
def test_options_of_factors(factor: dict) -> None:
    flow = flow_of().action(("authentication.challengeWith", factor, {"additionalFactors": [factor]}))
    assert flow.effects.steps[0].factors == (factor, factor)


@pytest.mark.parametrize(
    ("factor", "says"),
    [
        (None, "factor must be an object"),
        ("otp", "factor must be an object"),
        ({}, "factor must be an object with a type, not {}"),
        ({"type": None}, "factor has the type"),
        ({"type": "sms"}, 'factor has the type "sms", which is not one of "otp", "email"'),
        (
            {"type": "phone", "options": {"preferredMethod": "fax"}},
            "factor.options.preferredMethod must be one of",
        ),
        ({"type": "phone", "options": []}, "factor.options must be an object, not []"),
        ({"type": "push", "options": {"otpFallback": 1}}, "factor.options.otpFallback must be true or false"),
        ({"type": "otp", "options": "x"}, "factor.options must be an object"),
    ],
)
def test_factors_that_are_refused(factor: object, says: str) -> None:
    assert says in error(flow_of().call("authentication.challengeWith", factor))


def test_email_cannot_be_enrolled() -> None:
    assert 'factor has the type "email"' in error(
        flow_of().call("authentication.enrollWith", {"type": "email"})
    )


@pytest.mark.parametrize("name", ["challengeWithAny", "enrollWithAny"])
@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ([], "factors must not be empty"),
        (None, "factors must be an array, not null"),
        ({"type": "otp"}, "factors must be an array"),
        ([{"type": "otp"}, {"type": "x"}], 'factors[1] has the type "x"'),
    ],
)
def test_lists_that_are_refused(name: str, factors: object, says: str) -> None:
    assert says in error(flow_of().call(f"authentication.{name}", factors))


def test_additional_factors_that_are_refused() -> None:
    reply = flow_of().call(
        "authentication.challengeWith", {"type": "otp"}, {"additionalFactors": [{"type": "x"}]}
    )
    assert 'options.additionalFactors[0] has the type "x"' in error(reply)


# --- multifactor ---


@pytest.mark.parametrize("provider", ["none", "any", "guardian", "google-authenticator", "duo"])
def test_providers(provider: str) -> None:
    effect = Flow("post-login").action(("multifactor.enable", provider)).effects.multifactor
    assert effect.model_dump() == {
        "provider": provider,
        "allow_remember_browser": False,
        "provider_options": None,
    }


def test_duo_takes_an_account() -> None:
    account = {"host": "h", "ikey": "i", "skey": "s", "username": "u"}
    flow = Flow("post-login").action(
        ("multifactor.enable", "any"),
        ("multifactor.enable", "duo", {"allowRememberBrowser": True, "providerOptions": account}),
    )
    assert flow.effects.multifactor.provider_options == account
    assert flow.effects.multifactor.allow_remember_browser is True


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "provider is required"),
        (["sms"], "provider must be one of"),
        (["any", {"allowRememberBrowser": "yes"}], "options.allowRememberBrowser must be true or false"),
        (["any", 5], "options must be an object, not 5"),
        (
            ["duo", {"providerOptions": {"host": "h", "ikey": "i"}}],
            "options.providerOptions.skey is required",
        ),
        (
            ["guardian", {"providerOptions": {"host": "h", "ikey": "i", "skey": "s"}}],
            "options.providerOptions is for the provider duo only",
        ),
    ],
)
def test_multifactor_that_is_refused(arguments: list, says: str) -> None:
    assert says in error(Flow("post-login").call("multifactor.enable", *arguments))


def test_the_duo_key_is_never_quoted() -> None:
    account = {"host": "h", "ikey": "i", "skey": ["hunter2"]}
    assert "hunter2" not in error(
        Flow("post-login").call("multifactor.enable", "duo", {"providerOptions": account})
    )


# --- recordMethod ---


def returned() -> Flow:
    return Flow("post-login").action(("redirect.sendUserTo", "https://x.example/")).proceed()


def test_a_custom_method_is_recorded_in_the_continue_handler() -> None:
    flow = returned().action(("authentication.recordMethod", "https://x.example/stepup"), handler=CONTINUE)
    assert flow.effects.recorded_methods[0].model_dump() == {
        "name": "https://x.example/stepup",
        "timestamp": "2023-11-14T22:13:20.000Z",
    }


def test_and_nowhere_else() -> None:
    assert "is for the continue handler only" in error(
        Flow("post-login").call("authentication.recordMethod", "https://x.example/")
    )
    assert "continue handler" in error(returned().call("authentication.recordMethod", "https://x.example/"))


@pytest.mark.parametrize("url", ["stepup", "ftp://x.example/", "urn:x", "javascript:1", "", 5, None])
def test_a_method_is_named_by_a_web_url(url: object) -> None:
    assert "provider_url" in error(returned().session(CONTINUE).call("authentication.recordMethod", [url]))
