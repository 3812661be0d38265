"""What editors complete: every path and member of a trigger, with its description."""

from __future__ import annotations

import pytest

from triggers import get_trigger, known_triggers
from triggers.generate.completions import Written, completions


@pytest.mark.parametrize("language", ["javascript", "python"])
def test_every_type_that_is_named_is_there(language: Written) -> None:
    for trigger in known_triggers():
        found = completions(trigger, language)
        assert found.types["Event"]
        named = {member.of for members in found.types.values() for member in members if member.of}
        assert named <= found.types.keys()
        assert len(found.api) == len(trigger.surface.methods)
        assert all(call.about and "\n" not in call.signature for call in found.api)


def test_names_are_those_of_the_language() -> None:
    login = get_trigger("post-login")
    script, python = completions(login, "javascript"), completions(login, "python")
    assert script.handlers == ("onExecutePostLogin", "onContinuePostLogin")
    assert python.handlers == ("on_execute_post_login", "on_continue_post_login")
    paths = {call.path: call.signature for call in script.api}
    assert paths["idToken.setCustomClaim"].startswith("setCustomClaim(key: string, value?:")
    assert {call.path for call in python.api} > {"id_token.set_custom_claim", "access.deny"}
    (user,) = (member for member in script.types["Event"] if member.name == "user")
    assert "email" in {member.name for member in script.types[user.of]}
