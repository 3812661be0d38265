"""Every hook of every provider: through each case of the outcome table, and through what must be refused.

A provider's own module of tests has what these cannot know: its mapping, and its signature's vectors.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.hooks.effects import Effect
from runner.hooks.model import GOES_ON, Case, Defaults, Hook, Provider, RefusedError, Result
from runner.hooks.providers import PROVIDERS, example_of
from runner.jobs.policy import is_asynchronous
from tests.drawn import examples
from tests.hooks.sending import Line, line, post, wrong
from tests.serving.server import Server
from triggers import EventError, get_trigger

ALL = [(provider, hook) for provider in PROVIDERS.values() for hook in provider.hooks.values()]
IDS = [f"{provider.name}-{hook.name}" for provider, hook in ALL]
every = pytest.mark.parametrize(("provider", "hook"), ALL, ids=IDS)
LOGS = "console.log(event.hook.name);"
MESSAGES = ("custom-phone-provider", "custom-email-provider")
DENIES = {
    "post-login": 'api.access.deny("not today");',
    "credentials-exchange": 'api.access.deny("invalid_request", "not today");',
    "pre-user-registration": 'api.access.deny("internal", "not today");',
    "password-reset-post-challenge": 'api.access.deny("not today");',
    "post-credential-validation": 'api.authentication.deny("not today");',
}
SUSPENDS = {
    "post-login": 'api.redirect.sendUserTo("https://harbor.example/ask");',
    "password-reset-post-challenge": 'api.redirect.sendUserTo("https://harbor.example/ask");',
}


def blocking(hook: Hook) -> bool:
    return get_trigger(hook.triggers[0]).blocking


@pytest.fixture(scope="module")
def lines(whole: Server) -> dict[str, Line]:
    """A hook of each kind, of one tenant: hooks of the same trigger share their Actions."""
    client = whole.client()
    deployed: dict[Any, Any] = {}
    return {
        f"{provider.name}-{hook.name}": replace(
            line(whole, provider.name, hook.name, client), _deployed=deployed
        )
        for provider, hook in ALL
    }


def executions(hooked: Line) -> list[dict[str, Any]]:
    """Of this hook, among the newest of all."""
    names = {"provider": hooked.provider.name, "hook": hooked.hook.name}
    return [item for item in hooked.executions() if names.items() <= item["hook"].items()]


def ids(hooked: Line) -> list[str]:
    return sorted(item["id"] for item in executions(hooked))


@pytest.fixture
def hooked(lines: dict[str, Line], provider: Provider, hook: Hook) -> Iterator[Line]:
    found = lines[f"{provider.name}-{hook.name}"]
    yield found
    found.client.bind(trigger=hook.triggers[0])


# --- the declarations ---


@every
def test_examples_make_events(provider: Provider, hook: Hook) -> None:
    payload = example_of(provider, hook)
    trigger = hook.trigger_of(payload)
    assert trigger in hook.triggers
    event = provider.event_of(hook, payload, trigger, Defaults(), "harbor")
    get_trigger(trigger).parse_event(event)
    assert event["tenant"] == {"id": "harbor"}
    assert event["hook"]["provider"] == provider.name
    assert hook.budget_ms <= hook.max_budget_ms < hook.limit_ms
    assert Effect.SUSPENSION not in hook.carries
    assert not hook.carries & hook.elsewhere


@every
def test_only_leave_to_go_on_is_read_as_such(provider: Provider, hook: Hook) -> None:
    payload = example_of(provider, hook)
    for case in Case:
        # A message that is given up may be told as if it had gone out: the provider would send it for ever.
        may = case in GOES_ON or (case is Case.DROPPED and hook.triggers[0] in MESSAGES)
        for sent, message in ((payload, ""), (payload, "because"), ({}, "")):
            if may and not sent:
                continue
            answer = provider.response_of(hook, sent, Result(case, message, status=401, retry_after=2))
            if case in GOES_ON or not may:
                assert provider.goes_on(hook, answer) is may, (case, answer)
            if case is Case.REFUSED:
                assert answer.status == (200 if provider.fails_open else 401), answer


@every
@examples(15)
@given(data=st.data())
def test_a_payload_is_an_event_or_refused(provider: Provider, hook: Hook, data: st.DataObject) -> None:
    """Whatever is wrong with it: nothing but a `RefusedError`, or an event that its trigger refuses."""
    payload = data.draw(mutated(example_of(provider, hook)))
    with contextlib.suppress(RefusedError, EventError):
        trigger = hook.trigger_of(payload)
        if trigger is not None:
            event = provider.event_of(hook, payload, trigger, Defaults(), "harbor")
            get_trigger(trigger).parse_event(event)
            provider.response_of(hook, payload, Result(Case.ALLOWED))


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("=") | st.floats(0, 1)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """A value with one of its members gone, or in another's place."""
    value = json.loads(json.dumps(value))
    at, parent, key = value, cast(Any, None), cast(Any, None)
    for _ in range(draw(st.integers(1, 6))):
        if isinstance(at, dict) and at:
            parent, key = at, draw(st.sampled_from(sorted(at)))
        elif isinstance(at, list) and at:
            parent, key = at, draw(st.integers(0, len(at) - 1))
        else:
            break
        at = parent[key]
    if parent is None:
        return value
    if isinstance(parent, dict) and draw(st.booleans()):
        del parent[key]
    else:
        parent[key] = draw(VALUES)
    return value


# --- the table of outcomes, over HTTP ---


@every
def test_allowed(hooked: Line, provider: Provider, hook: Hook) -> None:
    hooked.bind(LOGS)
    answer = hooked.send()
    assert hooked.goes_on(answer), answer
    (execution,) = executions(hooked)
    assert execution["hook"]["provider"] == provider.name
    assert execution["hook"]["hook"] == hook.name
    if not is_asynchronous(hook.triggers[0]):
        assert execution["hook"]["result"] == "allowed"
        assert execution["results"][0]["logs"][0]["text"] == hook.name


@every
def test_denied(hooked: Line, hook: Hook) -> None:
    if hook.triggers[0] not in DENIES:
        pytest.skip("its trigger has nothing to deny")
    hooked.bind(DENIES[hook.triggers[0]])
    answer = hooked.send()
    assert not hooked.goes_on(answer), answer
    assert answer.status < 500
    assert executions(hooked)[0]["hook"]["result"] == "denied"


@every
def test_suspended(hooked: Line, hook: Hook) -> None:
    if hook.triggers[0] not in SUSPENDS:
        pytest.skip("its trigger suspends nothing")
    hooked.bind(SUSPENDS[hook.triggers[0]])
    answer = hooked.send()
    assert not hooked.goes_on(answer), answer
    (execution,) = executions(hooked)[:1]
    if execution["hook"]["result"] == "denied":  # nobody is there to be sent somewhere, as in a refresh
        assert execution["decision"] == "deny"
        return
    assert execution["hook"]["result"] == "suspended"
    assert execution["hook"]["dropped"][0]["effect"] == "suspension"


WAITING = [(provider, hook) for provider, hook in ALL if not is_asynchronous(hook.triggers[0])]
"""Those that are answered once the Actions have run."""
FAILING = [
    *((provider, hook, 'throw new Error("down");') for provider, hook in WAITING),
    *((*found, "while (true) {}") for found in {found[0].name: found for found in WAITING}.values()),
]


@pytest.mark.parametrize(
    ("provider", "hook", "code"),
    FAILING,
    ids=[f"{provider.name}-{hook.name}-{code.split()[0]}" for provider, hook, code in FAILING],
)
def test_failed(hooked: Line, hook: Hook, code: str) -> None:
    path = f"//api/v2/identity-provider-hooks/{hooked.id}"
    hangs = "while" in code
    if hangs:
        assert hooked.client.call("PATCH", path, {"budget_ms": 400}).status == 200
    hooked.bind(code)
    answer = hooked.send()
    assert not hooked.goes_on(answer), answer
    results = ("failed", "timed_out") if hangs else ("failed",)  # a busy machine may not begin in time
    assert executions(hooked)[0]["hook"]["result"] in results
    assert hooked.client.call("PATCH", path, {"budget_ms": None}).status == 200


@every
def test_busy(whole: Server, hooked: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    hooked.bind(LOGS)
    before = ids(hooked)
    monkeypatch.setattr(whole.service.requests, "_each", 0)
    answer = hooked.send()
    assert not hooked.goes_on(answer), answer
    monkeypatch.undo()
    assert ids(hooked) == before


@every
def test_unavailable(whole: Server, hooked: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours in the middle of it, too."""
    hooked.bind(LOGS)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a fault for the test")

    monkeypatch.setattr(type(hooked.provider), "event_of", fail)
    answer = hooked.send()
    assert not hooked.goes_on(answer), answer
    assert b"a fault for the test" not in answer.body


@every
def test_timed_out(whole: Server, hooked: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is free in time."""
    if is_asynchronous(hooked.hook.triggers[0]):
        pytest.skip("it is accepted before it runs")
    hooked.bind(LOGS)
    path = f"//api/v2/identity-provider-hooks/{hooked.id}"
    assert hooked.client.call("PATCH", path, {"budget_ms": 50}).status == 200
    try:
        # What an earlier call has left to be dispatched may take the first one along.
        results = [timed_out(whole, hooked, monkeypatch) for _ in range(2)]
    finally:
        assert hooked.client.call("PATCH", path, {"budget_ms": None}).status == 200
    assert results[-1] == ("failed", "timed_out")


def timed_out(whole: Server, hooked: Line, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Decision and result of a call that no worker takes up."""
    plane = whole.app.state.plane
    with monkeypatch.context() as patch:
        patch.setattr(type(plane.workers._calls), "dispatch", lambda _: None)
        answer = hooked.send()
    plane.pooled._loop.call_soon_threadsafe(plane.workers._calls.dispatch)
    assert not hooked.goes_on(answer), answer
    (execution,) = executions(hooked)[:1]
    return execution["decision"], execution["hook"]["result"]


# --- what must not run ---


def refused(hooked: Line, answer: Any, *, low: int = 400) -> None:
    assert not hooked.goes_on(answer), answer
    if hooked.provider.fails_open:
        assert answer.status == 200, answer
    else:
        assert low <= answer.status < 500, answer


@every
def test_wrong_proofs(hooked: Line, lines: dict[str, Line], whole: Server) -> None:
    hooked.bind(LOGS)
    before = ids(hooked)
    text = json.dumps(hooked.example()).encode()
    named, body = hooked.provider.sign(hooked.hook, text, hooked.secret, time.time())
    url = hooked.client.url + hooked.path
    answers = [
        hooked.send(secret=wrong(hooked.secret)),
        hooked.send(path=hooked.path.replace(hooked.client.tenant, "nobody")),
        hooked.send(path=hooked.path.replace(hooked.client.tenant, whole.client().tenant)),
        post(url, b"{}", {}),
        post(url, b"", {}),
        post(url, b"x" * 100_000, {"content-type": "application/json"}),
    ]
    if hooked.provider.proofs:
        answers += [
            hooked.send(headers=dict.fromkeys(named, "")),
            hooked.send(headers=dict.fromkeys(named, "\xff" * 50)),
            hooked.send(headers=dict.fromkeys(named, "a" * 8_000)),
        ]
    for answer in answers:
        refused(hooked, answer)
    assert len({(answer.status, answer.body) for answer in answers[:5]}) == 1, "tells what there is"
    refused(hooked, hooked.send(path=f"{hooked.path}-not"))
    zipped = post(url, body, named | {"content-encoding": "gzip"})
    refused(hooked, zipped, low=415)
    assert ids(hooked) == before


ODD = [
    b"",
    b"null",
    b"[]",
    b"{",
    b"\xff",
    b'{"a":1,"a":2}',
    b'{"a":NaN}',
    b"[" * 100_000,
    b'"\\ud800"',
    b"{}",
]


@every
def test_bodies_that_are_none(hooked: Line) -> None:
    """Signed all the same."""
    before = ids(hooked)
    for raw in ODD:
        answer = hooked.send(raw=raw)
        assert answer.status < 500
        if raw != b"{}":
            refused(hooked, answer)
    assert ids(hooked) == before


@every
def test_a_body_that_is_too_large(hooked: Line) -> None:
    payload = hooked.example() | {"filling": "x" * 3_000_000}
    refused(hooked, hooked.send(payload), low=413)


@every
def test_disabled(hooked: Line) -> None:
    hooked.bind(LOGS)
    path = f"//api/v2/identity-provider-hooks/{hooked.id}"
    assert hooked.client.call("PATCH", path, {"enabled": False}).status == 200
    refused(hooked, hooked.send())
    assert hooked.client.call("PATCH", path, {"enabled": True}).status == 200
    assert hooked.goes_on(hooked.send())


@every
@examples(10)
@given(data=st.data())
def test_whatever_is_sent_is_answered(
    provider: Provider, hook: Hook, lines: dict[str, Line], data: st.DataObject
) -> None:
    """Never a fault of ours, and nothing runs but whole events."""
    hooked = lines[f"{provider.name}-{hook.name}"]
    signed = data.draw(st.booleans())
    payload = hooked.anew(data.draw(mutated(example_of(provider, hook))))
    if signed:
        answer = hooked.send(payload)
    else:
        values = st.text(
            st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=100
        )
        headers = {name: data.draw(values) for name in provider.proofs}
        secret = hooked.secret if provider.proofs else wrong(hooked.secret)
        answer = hooked.send(payload, headers=headers, secret=secret)
        refused(hooked, answer)
    assert answer.status < 500, answer
