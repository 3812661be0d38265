"""Python stubs: sound for mypy, strict with wrong Actions, and true to the guest."""

from __future__ import annotations

import ast
import importlib.util
import re
import textwrap
from pathlib import Path

import pytest
from mypy import api as mypy

import sandbox
from triggers import all_triggers, get_trigger
from triggers.events.model.introspection import walk
from triggers.generate.typings import python, python_module
from triggers.generate.typings.names import camel_case, python_name, snake_case

TRIGGERS = all_triggers()
GUEST = Path(sandbox.__file__).parent / "python" / "guest" / "actionbox"
GOOD = """
    from typing import TYPE_CHECKING

    if TYPE_CHECKING:
        from post_login import Api, Event, OnExecutePostLogin, console, fetch, http

    async def on_execute_post_login(event: "Event", api: "Api") -> None:
        if event.organization and event.organization.metadata.plan == "trial":
            api.access.deny(f"no trial for {event.user.user_id.upper()}")
        record = api.cache.get("seen")
        if record:
            console.log(record.value.upper(), record["expires_at"] + 1)
        page = await api.roles.get_user_effective_roles(take=5)
        names = [role.name for role in page.roles]
        api.id_token.set_custom_claim("https://harbor.example/roles", names).multifactor.enable("any")
        api.multifactor.enable("duo", allow_remember_browser=True)
        api.authentication.challenge_with(
            {"type": "phone", "options": {"preferredMethod": "sms"}}, additional_factors=[{"type": "otp"}]
        )
        await api.groups.get_user_groups(take=5, from_="next")
        response = await fetch("https://harbor.example", json={"key": event.secrets.API_KEY}, timeout=3)
        print(response.json()["state"], event.user.favourite.colour)
        print(http.get("https://harbor.example").status)
        token: str = api.redirect.encode_token(secret=event.secrets.KEY, payload={"name": event.user.name})
        api.redirect.send_user_to("https://harbor.example", query={"token": token})

    if TYPE_CHECKING:
        handler: OnExecutePostLogin = on_execute_post_login
"""
OPEN = """
    from custom_token_exchange import Actor, Api, Event, UserAttributes

    async def on_execute_custom_token_exchange(event: Event, api: Api) -> None:
        attributes: UserAttributes = {"user_id": "7", "email": "maya@harbor.example"}
        api.authentication.set_user_by_connection(
            "people", attributes, creation_behavior="none", update_behavior="none"
        )
        api.authentication.set_user_by_connection(
            "people", {"user_id": "7", "berth": "N-14"}, creation_behavior="none", update_behavior="none"
        )
        actor: Actor = {"sub": "agent", "act": {"sub": "desk"}}
        api.authentication.set_actor(actor)
        api.authentication.set_actor({"sub": "agent", "kind": "partner"})
"""
WRONG = {
    "api.access.deny(1)": 'Argument 1 to "deny"',
    'api.acces.deny("no")': '"Api" has no attribute "acces"',
    "event.client.secret": '"LoginClient" has no attribute "secret"',
    "event.user.email.upper()": '"None" of "str | None" has no attribute "upper"',
    'api.multifactor.enable("sms")': 'Argument 1 to "enable"',
    'api.redirect.encode_token(secret="s")': 'Missing named argument "payload"',
    'api.redirect.send_user_to("https://x.example", queri={})': 'Unexpected keyword argument "queri"',
    'api.authentication.challenge_with({"type": "fax"})': 'Argument 1 to "challenge_with"',
    'api.idToken.set_custom_claim("a", 1)': '"Api" has no attribute "idToken"',
    "api.transaction.set_metadata('a', [])": 'Argument 2 to "set_metadata"',
}


@pytest.fixture(scope="module")
def verdict(tmp_path_factory) -> dict[str, list[str]]:
    """What mypy says about each stub, the right Actions and the wrong one, by file name."""
    folder = tmp_path_factory.mktemp("typings")
    for trigger in TRIGGERS:
        (folder / f"{python_module(trigger.id)}.pyi").write_text(python(trigger))
    (folder / "good.py").write_text(textwrap.dedent(GOOD))
    (folder / "open.py").write_text(textwrap.dedent(OPEN))
    (folder / "wrong.py").write_text(wrong_action())
    paths = [str(path) for path in sorted(folder.iterdir())]
    cache = f"--cache-dir={folder / 'cache'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPYPATH", str(folder))
        report, problems, _ = mypy.run(["--strict", "--config-file=", "--no-error-summary", cache, *paths])
    assert problems == ""
    found: dict[str, list[str]] = {}
    for line in report.splitlines():
        found.setdefault(Path(line.partition(":")[0]).name, []).append(line)
    return found


def wrong_action() -> str:
    head = "from post_login import Api, Event\n\ndef on_execute_post_login(event: Event, api: Api) -> None:\n"
    return head + "".join(f"    {line}\n" for line in WRONG)


def test_stubs_and_right_actions_have_no_errors(verdict):
    assert {name: lines for name, lines in verdict.items() if name != "wrong.py"} == {}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_line_is_an_error(verdict, line):
    number = 4 + list(WRONG).index(line)
    said = [text for text in verdict["wrong.py"] if f".py:{number}: error: " in text]
    assert any(WRONG[line] in text for text in said), said


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.id)
def test_every_handler_member_and_property_is_declared(trigger):
    text = python(trigger)
    for handler in trigger.handlers:
        assert f"Type of `{snake_case(handler)}`" in text
    for method in trigger.surface.methods:
        assert f"    def {snake_case(method.name)}(self" in text
    for path, _ in walk(trigger.event_model):
        assert re.search(rf"^    {python_name(path.rpartition('.')[2])}: ", text, re.M), path


def test_the_header_names_the_triggers_own_handler():
    head = ast.get_docstring(ast.parse(python(get_trigger("password-reset-post-challenge"))))
    assert head is not None
    assert "async def on_execute_post_challenge(event: " in head
    assert "from password_reset_post_challenge import Api, Event, console, fetch, http" in head


def test_names_follow_the_rule_of_the_guest():
    spec = importlib.util.spec_from_file_location("guest_records", GUEST / "records.py")
    assert spec is not None
    records = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(records)
    for trigger in TRIGGERS:
        for path, _ in walk(trigger.event_model):
            name = path.rpartition(".")[2]
            assert camel_case(snake_case(name)) == records.camel_case(records.snake_case(name))
            record = records.Record({name: "found"})
            assert getattr(record, python_name(name)) == "found"


def members(tree: ast.Module, owner: str) -> set[str]:
    (found,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == owner)
    names = {node.name for node in found.body if isinstance(node, ast.FunctionDef)}
    assigned = [target for node in found.body if isinstance(node, ast.Assign) for target in node.targets]
    assigned += [node.target for node in found.body if isinstance(node, ast.AnnAssign)]
    names |= {target.id for target in assigned if isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def test_http_and_console_are_those_of_the_guest():
    stub = ast.parse(python(get_trigger("event-stream")))
    web = ast.parse((GUEST / "web.py").read_text())
    console = ast.parse((GUEST / "console.py").read_text())
    assert members(stub, "Http") == members(web, "Http")
    assert members(stub, "Console") == members(console, "Console")
    assert members(web, "Response") <= members(stub, "Response")
    request = ast.parse((GUEST / "request.py").read_text())
    (known,) = (node for node in request.body if isinstance(node, ast.ClassDef) and node.name == "Options")
    (made,) = (node for node in known.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    options = {argument.arg for argument in made.args.kwonlyargs}
    (fetch,) = (node for node in stub.body if isinstance(node, ast.FunctionDef) and node.name == "fetch")
    assert {argument.arg for argument in fetch.args.kwonlyargs} == options | {"method"}
