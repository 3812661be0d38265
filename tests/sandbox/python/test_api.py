"""Calls of the api from Python Actions."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.core.failure import FailureCode
from tests.sandbox.ports import FakeApi
from tests.sandbox.python.actions import Runner


def test_commands_cross_in_order_with_camel_case_paths(runner: Runner) -> None:
    result = runner.body("api.id_token.set_custom_claim('https://x/roles', ['a']).access.deny(reason='no')")
    assert [(c.path, c.arguments) for c in result.commands] == [
        ("idToken.setCustomClaim", ["https://x/roles", ["a"]]),
        ("access.deny", ["no"]),
    ]


def test_keyword_arguments_become_the_options_object(runner: Runner) -> None:
    result = runner.body("api.multifactor.enable('any', allow_remember_browser=False)")
    assert result.commands[0].arguments == ["any", {"allowRememberBrowser": False}]


def test_an_options_dict_may_use_either_spelling(runner: Runner) -> None:
    result = runner.body(
        "api.multifactor.enable('any', {'allow_remember_browser': True, 'providerOptions': {}})"
    )
    assert result.commands[0].arguments == ["any", {"allowRememberBrowser": True, "providerOptions": {}}]


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("deny(1, ValueError('m'))", [1, "m"]),
        ("deny('c', reason=ValueError('m'))", ["c", "m"]),
        ("deny('c', KeyError('m'))", ["c", "'m'"]),
        ("deny('c', ValueError())", ["c", "ValueError"]),
        ("deny('c', ExceptionGroup('m', [ValueError('inner')]))", ["c", "m (1 sub-exception)"]),
        ("deny('c', Odd())", ["c", "Odd"]),
        ("deny('c', 'text')", ["c", "text"]),
        ("deny('c', None)", ["c", None]),
        ("deny('c')", ["c"]),
        ("revoke(ValueError('m'), keep=True)", ["m", {"keep": True}]),
        ("refuse(reason=ValueError('m'), other=1)", [{"reason": "m", "other": 1}]),
        ("refuse({'reason': ValueError('m')})", [{"reason": "m"}]),
        ("refuse(ValueError('m'))", ["m"]),
    ],
)
def test_an_exception_stands_for_its_message_where_one_is_wanted(
    runner: Runner, call: str, arguments: list[Any]
) -> None:
    lines = f"""
class Odd(Exception):
    def __str__(self):
        raise ValueError('cannot be shown')
api.spoken.{call}"""
    result = runner.body(lines)
    assert result.failure is None, result.failure
    assert result.commands[0].arguments == arguments


def test_an_exception_has_no_json_form_elsewhere(runner: Runner) -> None:
    for call in (
        "deny(ValueError('m'), 'r')",
        "refuse(other=ValueError('m'))",
        "revoke('r', ValueError('m'))",
    ):
        result = runner.body(f"api.spoken.{call}")
        assert result.failure is not None
        assert result.failure.message == "A value of type ValueError has no JSON form."


def test_an_unknown_member_names_the_nearest(runner: Runner) -> None:
    result = runner.body("api.access.denny('x')")
    assert result.failure is not None
    assert result.failure.code is FailureCode.THROW
    assert result.failure.error_name == "AttributeError"
    assert "did you mean 'deny'?" in result.failure.message
    assert result.failure.place is not None
    assert (result.failure.place.line, result.failure.place.excerpt) == (2, "    api.access.denny('x')")


def test_a_refused_call_that_is_not_caught_is_an_invalid_command(runner: Runner) -> None:
    api = FakeApi(access__deny={"error": {"name": "TypeError", "message": "reason must be a string"}})
    result = runner.body("api.access.deny(1)", api=api)
    assert result.failure is not None
    assert result.failure.code is FailureCode.INVALID_COMMAND
    assert result.failure.message == "reason must be a string"


def test_a_refused_call_is_the_builtin_exception_it_stands_for(runner: Runner) -> None:
    api = FakeApi(access__deny={"error": {"name": "RangeError", "message": "too long"}})
    lines = """
try:
    api.access.deny('x')
except ValueError as error:
    print(error, isinstance(error, ApiError))"""
    assert runner.printed(lines, api=api) == ["too long True"]


def test_queries_answer_and_promises_are_awaited(runner: Runner) -> None:
    api = FakeApi(cache__get={"ok": {"value": "v"}}, roles__getUserEffectiveRoles={"ok": [{"name": "admin"}]})
    lines = """
print(api.cache.get('k').value)
roles = await api.roles.get_user_effective_roles(take=5)
print(roles[0].name)"""
    assert runner.printed(lines, api=api) == ["v", "admin"]
    assert api.calls[1] == ("roles.getUserEffectiveRoles", [{"take": 5}])


def test_live_members_change_the_event_at_once(runner: Runner) -> None:
    api = FakeApi(user__setAppMetadata={"recorded": True, "event": [(["user", "app_metadata", "n"], 2)]})
    lines = "api.user.set_app_metadata('n', 2)\nprint(event.user.app_metadata.n)"
    assert runner.printed(lines, {"user": {"app_metadata": {"n": 1}}}, api=api) == ["2"]
