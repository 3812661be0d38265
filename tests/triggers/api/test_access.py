"""`api.access` and `api.validation`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.triggers.driver import ABSENT, Flow, error

DENYING = ["post-login", "pre-user-registration", "password-reset-post-challenge"]


@pytest.mark.parametrize("trigger", DENYING)
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], ""),
        ([None], ""),
        (["because"], "because"),
        ([5], "5"),
        ([True], "true"),
        ([{"a": [1]}], '{"a":[1]}'),
        (["x" * 5000], "x" * 4096),
        (["\U0001f600" * 3000], "\U0001f600" * 2048),
    ],
)
def test_a_deny_always_denies(trigger: str, arguments: list, reason: str) -> None:
    flow = Flow(trigger).action(("access.deny", *arguments))
    assert flow.effects.decision == "deny"
    assert flow.effects.denial.reason == reason


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([{"reason": "a stolen password"}], "a stolen password"),
        ([], ""),
        ([None], ""),
        ([{}], ""),
        ([{"reason": None}], ""),
        ([{"reason": 5, "other": 1}], "5"),
        (["bare"], "bare"),
        ([0], "0"),
        ([[1]], "[1]"),
        ([{"reason": "x" * 5000}], "x" * 4096),
        ([{"reason": "first"}, "extra"], "first"),
    ],
)
def test_a_credential_is_refused_whatever_the_reason(arguments: list, reason: str) -> None:
    flow = Flow("post-credential-validation").action(
        ("authentication.deny", *arguments), ("transaction.setMetadata", "kept", 1)
    )
    denial = flow.effects.denial
    assert (denial.kind, denial.code, denial.reason) == ("credential", "invalid_user_password", reason)
    assert flow.effects.transaction_metadata == {"kept": 1}
    assert flow.action(("authentication.deny", {"reason": "later"})).effects.denial.reason == reason


@pytest.mark.parametrize("transaction", [ABSENT, None, {}, {"correlation_id": "c"}])
def test_a_checked_credential_always_has_a_transaction(transaction: object) -> None:
    flow = Flow("post-credential-validation", {"transaction": transaction})
    assert flow.session().event["transaction"]["metadata"] == {}
    assert flow.effects.transaction_metadata is None


def test_deny_in_post_login_is_access_denied() -> None:
    denial = Flow("post-login").action(("access.deny", "no")).effects.denial
    assert (denial.kind, denial.code, denial.user_message, denial.action) == (
        "access",
        "access_denied",
        None,
        0,
    )


def test_deny_of_a_signup_has_a_message_for_the_user() -> None:
    denial = Flow("pre-user-registration").action(("access.deny", "domain", "Not here")).effects.denial
    assert (denial.code, denial.reason, denial.user_message) == ("extensibility_error", "domain", "Not here")


@pytest.mark.parametrize("code", ["invalid_scope", "invalid_request", "server_error"])
def test_deny_of_a_token_has_a_code(code: str) -> None:
    denial = Flow("credentials-exchange").action(("access.deny", code, "why")).effects.denial
    assert (denial.code, denial.reason) == (code, "why")
    assert Flow("credentials-exchange").action(("access.deny", code)).effects.denial.reason == ""


@pytest.mark.parametrize(
    ("code", "kept"), [("access_denied", "access_denied"), ("x" * 5000, "x" * 4096)], ids=["other", "long"]
)
def test_a_token_is_denied_whatever_the_code(code: str, kept: str) -> None:
    effects = Flow("credentials-exchange").action(("access.deny", code, "why")).effects
    assert (effects.denial.code, effects.denial.reason) == (kept, "why")
    assert "none of invalid_scope, invalid_request, server_error" in effects.warnings[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([""], "code must not be empty"),
        ([5], '"server_error" or a string, not 5'),
        ([None], '"server_error" or a string, not null'),
        ([["server_error"]], '"server_error" or a string, not ["server_error"]'),
        ([], "code is required and was left out"),
    ],
)
def test_deny_of_a_token_needs_a_code(arguments: list, says: str) -> None:
    assert says in error(Flow("credentials-exchange").call("access.deny", *arguments))


def test_a_near_miss_is_told() -> None:
    effects = Flow("credentials-exchange").action(("access.deny", "server-error")).effects
    assert effects.warnings[0].endswith("; did you mean server_error?")
    assert Flow("credentials-exchange").action(("access.deny", "server_error")).effects.warnings == ()


@pytest.mark.parametrize(("code", "reason"), [("x", "y"), ("c" * 1024, "r" * 4096)])
def test_deny_of_an_exchange_within_its_limits(code: str, reason: str) -> None:
    denial = Flow("custom-token-exchange").action(("access.deny", code, reason)).effects.denial
    assert (denial.code, denial.reason) == (code, reason)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["", "r"], "code must not be empty"),
        (["c" * 1025, "r"], "code must have at most 1024 characters, not 1025"),
        (["\U0001f600" * 513, "r"], "code must have at most 1024 characters, not 1026"),
        (["c", ""], "reason must not be empty"),
        (["c", "r" * 4097], "reason must have at most 4096 characters, not 4097"),
        (["c"], "reason is required and was left out"),
        ([5, "r"], "code must be a string, not 5"),
    ],
)
def test_deny_of_an_exchange_beyond_its_limits(arguments: list, says: str) -> None:
    assert says in error(Flow("custom-token-exchange").call("access.deny", *arguments))


def test_rejecting_a_subject_token() -> None:
    flow = Flow("custom-token-exchange").action(("access.rejectInvalidSubjectToken", "r" * 4096))
    assert (flow.effects.denial.kind, flow.effects.denial.code) == (
        "invalid_subject_token",
        "invalid_request",
    )
    for bad in ("", "r" * 4097, None, 5):
        assert "reason" in error(Flow("custom-token-exchange").call("access.rejectInvalidSubjectToken", bad))


@pytest.mark.parametrize("trigger", ["post-login", "pre-user-registration"])
def test_validation_errors(trigger: str) -> None:
    flow = Flow(trigger).action(("validation.error", "c" * 100, "m" * 100))
    denial = flow.effects.denial
    assert (denial.kind, denial.code, denial.user_message) == ("validation", "c" * 100, "m" * 100)
    tried: list[tuple[list[Any], str]] = [
        (["c" * 101, "m"], "errorCode must have at most 100 characters, not 101"),
        (["c", "m" * 101], "errorMessage must have at most 100 characters, not 101"),
        (["", "m"], "errorCode must not be empty"),
        (["c", ""], "errorMessage must not be empty"),
        (["c"], "errorMessage is required"),
        ([], "errorCode is required"),
        ([1, "m"], "errorCode must be a string, not 1"),
    ]
    for arguments, says in tried:
        assert says in error(Flow(trigger).call("validation.error", *arguments))
