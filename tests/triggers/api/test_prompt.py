"""`api.prompt.render`."""

from __future__ import annotations

import pytest

from tests.triggers.driver import Flow, error
from triggers.values.json_value import size

TRIGGERS = ["post-login", "password-reset-post-challenge"]


def keys(count: int) -> dict[str, int]:
    return {f"k{n}": n for n in range(count)}


@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize(
    "arguments",
    [
        ["a"],
        ["i" * 48],
        ["ap_1", None],
        ["ap_1", {}],
        ["ap_1", {"fields": keys(24), "vars": keys(24)}],
        ["ap_1", {"fields": {"_": 1, "A9_": 2, "f" * 50: 3}}],
        ["ap_1", {"vars": {"any key.$": [None]}}],
        ["ap_1", {"vars": {"a": "x" * (24_576 - size({"vars": {"a": ""}}))}}],
        ["ap_1", {"fields": None}],
    ],
)
def test_forms_within_their_limits(trigger: str, arguments: list) -> None:
    flow = Flow(trigger).action(("prompt.render", *arguments))
    assert flow.effects.prompt.id == arguments[0]


@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "promptId is required"),
        ([""], "promptId must not be empty"),
        ([5], "promptId must be a string, not 5"),
        (["i" * 49], "promptId must have at most 48 characters, not 49"),
        (["a", []], "promptOptions must be an object"),
        (["a", {"field": {}}], "promptOptions.field is not a known option"),
        (["a", {"fields": []}], "promptOptions.fields must be an object"),
        (["a", {"fields": keys(25)}], "promptOptions.fields must have at most 24 keys, not 25"),
        (["a", {"vars": keys(25)}], "promptOptions.vars must have at most 24 keys, not 25"),
        (["a", {"fields": {"1a": 1}}], 'the field name "1a" must match'),
        (["a", {"fields": {"": 1}}], 'the field name "" must match'),
        (["a", {"fields": {"a-b": 1}}], "must match"),
        (["a", {"fields": {"a\n": 1}}], "must match"),
        (["a", {"fields": {"ä": 1}}], "must match"),
        (["a", {"fields": {"f" * 51: 1}}], "must match"),
        (["a", {"vars": {"a": "x" * (24_577 - size({"vars": {"a": ""}}))}}], "takes 24577 bytes"),
    ],
)
def test_forms_beyond_their_limits(trigger: str, arguments: list, says: str) -> None:
    assert says in error(Flow(trigger).call("prompt.render", *arguments))
