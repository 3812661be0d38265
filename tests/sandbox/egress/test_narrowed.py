"""A second allow-list, that of an Action, narrows whatever way out there is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner import Runner
from sandbox.egress import AllowRule, Egress, EgressPolicy, HttpEgress, StubEgress, parse_stubs
from sandbox.egress.narrowing import narrowed
from tests.sandbox.egress.fetching import fetch, rule
from tests.sandbox.egress.peers import redirect, response, serving
from tests.sandbox.ports import live
from tests.workers.pools import EVENT, javascript

LOCAL = EgressPolicy(allow_private=True)


def through(egress: Egress, url: str) -> Any:
    return fetch(live(egress=egress), url)


def test_every_hop_of_a_real_request_must_be_on_the_list() -> None:
    with serving(here=response(b"here")) as other:
        away = redirect(other.url("/here", host="localhost"))
        with serving(here=response(b"here"), away=away) as peer:
            egress = narrowed(HttpEgress(LOCAL), (AllowRule("127.0.0.1"),))
            assert through(egress, peer.url("/here"))["ok"]["body"] == b"here"
            assert rule(through(egress, peer.url("/away"))) == "allow-list"
            assert rule(through(egress, other.url("/here", host="localhost"))) == "allow-list"
            assert other.requests == []


def test_both_lists_must_permit() -> None:
    operators = HttpEgress(replace(LOCAL, allow=(AllowRule("a.example"),)))
    assert rule(through(narrowed(operators, (AllowRule("b.example"),)), "http://b.example/")) == "allow-list"
    assert rule(through(narrowed(operators, (AllowRule("b.example"),)), "http://a.example/")) == "allow-list"


def test_what_is_shared_with_the_wider_one() -> None:
    wide = HttpEgress(LOCAL)
    narrow = wide.narrowed((AllowRule("a.example"),))
    assert narrow.tls is wide.tls
    assert narrow.resolver is wide.resolver


@pytest.mark.parametrize(
    ("url", "answer"), [("https://a.example/", "ok"), ("https://b.example/", "allow-list")]
)
def test_stubs_are_narrowed_by_the_url(url: str, answer: str) -> None:
    stubs = StubEgress(parse_stubs([{"url": "https://*.example/", "answer": {"text": "x"}}]))
    found = through(narrowed(stubs, (AllowRule("a.example"),)), url)
    assert ("ok" if "ok" in found else rule(found)) == answer
    assert rule(through(narrowed(stubs, (AllowRule("a.example"),)), "no url")) == "url"
    assert len(stubs.requests) == (answer == "ok")


def test_no_list_narrows_nothing() -> None:
    egress = StubEgress()
    assert narrowed(egress, None) is egress


def test_a_runner_narrows_by_action() -> None:
    stubs = StubEgress(parse_stubs([{"url": "https://*.example/", "answer": {"text": "x"}}]))
    get = 'await fetch("https://a.example/").catch((error) => console.log(error.cause.message));'
    actions = [javascript(get), javascript(get, name="b", allow=(AllowRule("b.example"),))]
    outcome = Runner(egress=stubs).run("post-login", EVENT, actions)
    assert outcome.actions[0].logs == ()
    assert outcome.actions[1].logs[0].text == "GET https://a.example is not on the egress allow-list."
