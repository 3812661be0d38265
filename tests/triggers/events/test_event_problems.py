"""Refused events: which place, what was expected, what was found, and what was probably meant."""

from __future__ import annotations

import json
import time

import pytest

from tests.triggers.events.checking import check_event
from triggers import EventError, Problem
from triggers.events import example_event
from triggers.events.model.json_check import MAX_BYTES, MAX_DEPTH
from triggers.values.problems import MAX_PROBLEMS


def problems(event, trigger_id: str = "post-login") -> list[Problem]:
    with pytest.raises(EventError) as caught:
        check_event(trigger_id, event)
    return list(caught.value.problems)


@pytest.fixture
def event() -> dict:
    return example_event("post-login")


def test_a_wrong_type_is_named_with_its_place(event):
    event["user"]["identities"][0]["isSocial"] = "true"
    assert problems(event) == [
        Problem("$.user.identities[0].isSocial", "a boolean", 'a string ("true")'),
    ]


@pytest.mark.parametrize(
    ("section", "name", "value", "expected", "found"),
    [
        ("user", "email", 7, "a string", "a number (7)"),
        ("user", "email_verified", 1, "a boolean", "a number (1)"),
        ("user", "app_metadata", [], "an object", "an empty list"),
        ("user", "identities", {}, "a list", "an empty object"),
        ("user", "user_id", None, "a string", "null"),
        ("stats", "logins_count", True, "a number", "a boolean (true)"),
        ("stats", "logins_count", "17", "a number", 'a string ("17")'),
        ("request", "geoip", "NL", "an object", 'a string ("NL")'),
        ("secrets", "API_KEY", 5, "a string", "a number (5)"),
        ("transaction", "requested_scopes", "openid", "a list", 'a string ("openid")'),
    ],
)
def test_nothing_is_coerced(event, section, name, value, expected, found):
    event[section][name] = value
    assert problems(event) == [Problem(f"$.{section}.{name}", expected, found)]


@pytest.mark.parametrize("count", [0, 17, 1.5, -1, 2**60])
def test_whole_and_broken_numbers_are_numbers(event, count):
    event["stats"]["logins_count"] = count
    assert check_event("post-login", event)["stats"]["logins_count"] is count


@pytest.mark.parametrize("value", [None, 3, "event", [], True, b"{}", {1: 2}])
def test_an_event_is_an_object(value):
    assert problems(value)[0].path in {"$", "$.1"}


def test_optional_parts_may_be_null_and_stay_null(event):
    event["organization"] = None
    event["user"]["nickname"] = None
    event["experiment"] = None
    checked = check_event("post-login", event)
    assert checked["organization"] is checked["user"]["nickname"] is checked["experiment"] is None


def test_a_session_may_be_empty_but_not_half_there(event):
    event["session"] = {}
    check_event("post-login", event)
    event["session"] = {"user_id": "auth0|1"}
    assert problems(event) == [Problem("$.session.id", "a string", "nothing")]


def test_what_the_host_adds_may_be_left_out(event):
    del event["secrets"], event["configuration"], event["transaction"]["metadata"]
    assert "secrets" not in check_event("post-login", event)


def test_undocumented_values_of_documented_enumerations_pass(event):
    event["transaction"]["protocol"] = "oauth3-telepathy"
    check_event("post-login", event)


def test_the_requested_token_type_may_be_null_but_not_missing():
    event = example_event("custom-token-exchange")
    event["transaction"]["requested_token_type"] = None
    check_event("custom-token-exchange", event)
    del event["transaction"]["requested_token_type"]
    assert problems(event, "custom-token-exchange") == [
        Problem("$.transaction.requested_token_type", "a string", "nothing"),
    ]


@pytest.mark.parametrize("trigger_id", ["custom-email-provider", "custom-phone-provider"])
def test_the_sender_is_checked_under_its_json_name(trigger_id):
    event = example_event(trigger_id)
    event["notification"]["from"] = 12
    assert problems(event, trigger_id) == [Problem("$.notification.from", "a string", "a number (12)")]


def test_a_misspelt_required_property_is_recognised(event):
    event["user"]["userId"] = event["user"].pop("user_id")
    (problem,) = problems(event)
    assert str(problem) == "$.user.user_id: expected a string, found nothing; did you mean it by userId?"


def test_problems_are_sorted_and_capped_and_the_rest_is_counted(event):
    event["user"]["identities"] = [{"isSocial": 0}] * 40
    event["client"] = 0
    with pytest.raises(EventError) as caught:
        check_event("post-login", event)
    paths = [problem.path for problem in caught.value.problems]
    assert paths[0] == "$.client"
    assert paths == sorted(paths)
    assert len(paths) == MAX_PROBLEMS
    assert str(caught.value).endswith("and 21 more")


def test_a_mass_of_wrong_items_is_counted_without_being_listed(event):
    event["user"]["identities"] = [0] * 200_000
    started = time.monotonic()
    with pytest.raises(EventError) as caught:
        check_event("post-login", event)
    assert caught.value.total == 200_000
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NaN", "a number that is finite as a 64-bit float"),
        ("-Infinity", "a number that is finite as a 64-bit float"),
        ("1e999", "a number that is finite as a 64-bit float"),
        ("1" + "0" * 400, "a number that is finite as a 64-bit float"),
        (r'"\ud800"', "valid Unicode (no lone surrogates)"),
        (r'{"\udfff": 1}', "property names that are valid Unicode"),
    ],
)
def test_what_pythons_parser_accepts_beyond_json_is_refused_even_in_open_parts(event, text, expected):
    event["user"]["user_metadata"]["odd"] = json.loads(text)
    (problem,) = problems(event)
    assert problem.path == "$.user.user_metadata.odd"
    assert problem.expected == expected


@pytest.mark.parametrize("value", [{1}, (1,), b"x", 1j, object(), type("Text", (str,), {})("x")])
def test_python_values_that_are_not_json_are_refused(event, value):
    event["user"]["user_metadata"]["odd"] = value
    (problem,) = problems(event)
    assert problem.expected in {"a JSON value", "valid Unicode (no lone surrogates)"}


def test_messages_carry_no_control_characters_and_stay_short(event):
    event["user"]["email_verified"] = "\x1b[31m" + "x" * 10_000
    event["user"]["user_metadata"]["\x00" * 500] = float("nan")
    text = "\n".join(str(problem) for problem in problems(event))
    assert "\x1b" not in text
    assert "\x00" not in text
    assert len(text) < 500


def nested(depth: int) -> dict:
    value: dict = {}
    for _ in range(depth - 1):
        value = {"in": value}
    return value


def test_depth_is_bounded(event):
    event["extra"] = nested(MAX_DEPTH - 1)
    check_event("post-login", event)
    event["extra"] = nested(MAX_DEPTH)
    (problem,) = problems(event)
    assert problem.expected == f"at most {MAX_DEPTH} levels of nesting"


def test_depth_far_beyond_the_interpreters_stack_is_a_plain_refusal(event):
    event["extra"] = nested(100_000)
    assert problems(event)[0].expected == f"at most {MAX_DEPTH} levels of nesting"


def test_a_cycle_is_a_plain_refusal(event):
    event["self"] = event
    assert problems(event)[0].expected == f"at most {MAX_DEPTH} levels of nesting"


def test_shared_references_do_not_unfold_without_end(event):
    laugh: list = []
    for _ in range(MAX_DEPTH - 2):
        laugh = [laugh, laugh]
    event["extra"] = laugh
    (problem,) = problems(event)
    assert str(problem) == f"$: expected at most {MAX_BYTES} bytes of JSON, found more"
    event["early"] = event["user"]["user_metadata"]["odd"] = float("inf")
    assert problems(event)[0].path in {"$", "$.user.user_metadata.odd"}


def padded(event: dict, size: int) -> dict:
    event["pad"] = ""
    used = len(json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode())
    event["pad"] = "x" * (size - used)
    return event


def test_size_is_bounded(event):
    check_event("post-login", padded(event, MAX_BYTES))
    (problem,) = problems(padded(event, MAX_BYTES + 1))
    assert str(problem) == f"$: expected at most {MAX_BYTES} bytes of JSON, found {MAX_BYTES + 1} bytes"
