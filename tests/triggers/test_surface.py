"""The vocabulary of surfaces and its wire format."""

from __future__ import annotations

import pytest

from triggers import get_trigger
from triggers.engine.surface import Method, Option, Options, Parameter, Surface


def test_the_wire_format_of_docs_decisions_0002() -> None:
    wire = get_trigger("post-login").surface.wire()
    assert wire["access"] == {"deny": ["api", ["reason"], None, ["reason"]]}
    assert wire["session"]["revoke"] == ["void", ["reason"], ["preserveRefreshTokens"], ["reason"]]
    assert wire["multifactor"]["enable"] == ["api", ["provider"], ["allowRememberBrowser", "providerOptions"]]
    assert wire["cache"]["get"] == ["value", ["key"]]
    assert wire["roles"]["getUserEffectiveRoles"] == ["promise", [], ["take", "from"]]
    assert wire["redirect"]["canRedirect"] == ["value", []]


def test_two_members_cannot_share_a_path() -> None:
    method = Method("a.b", "query", "value", "Twice.", value=str)
    with pytest.raises(ValueError, match="same path"):
        Surface((method, method))


def test_arguments_are_one_object_by_name() -> None:
    method = Method(
        "a.b",
        "command",
        "void",
        "An example.",
        parameters=(Parameter("first", str, "One."), Parameter("second", bool, "Two.", required=False)),
        options=Options((Option("third", int | float, "Three.", required=True),), name="more"),
    )
    schema = method.arguments.json_schema()
    assert schema["required"] == ["first"]
    assert list(schema["properties"]) == ["first", "second", "more"]
    assert method.namespace == "a"
    assert method.name == "b"


def test_a_member_that_does_not_exist() -> None:
    assert get_trigger("event-stream").surface.get("access.deny") is None
