"""Arguments of `fetch` that are refused: one class in each language, and the same end of the execution."""

from __future__ import annotations

import json

import pytest

import sandbox
from sandbox import Language, Limits, Request, Source
from sandbox.core.failure import Failure, FailureCode
from sandbox.egress import EgressPolicy, HttpEgress
from sandbox.port.live import LivePort
from tests.sandbox.ports import FakeApi

SITE = "https://a.example/"
HANDLERS = {
    Language.JAVASCRIPT: "exports.onExecutePostLogin = async () => { await %s; };",
    Language.PYTHON: "async def on_execute_post_login(event, api):\n    await %s\n",
}
CLASSES = {Language.JAVASCRIPT: "TypeError", Language.PYTHON: "FetchArgumentError"}


def failure(language: Language, call: str) -> Failure:
    limits = Limits(wall_ms=60_000)
    name = "action.js" if language is Language.JAVASCRIPT else "action.py"
    program = sandbox.build(Source(language, name, HANDLERS[language] % call), limits)
    port = LivePort(FakeApi(), HttpEgress(EgressPolicy()), limits)
    ran = sandbox.run(program, Request("onExecutePostLogin", "{}", json.dumps({})), limits, port)
    assert ran.failure is not None
    return ran.failure


URLS = ["/relative", "", "http://", "https://u:p@a.example/", "http://[::1", "http://a b/"]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("language", Language)
def test_a_url_that_is_none(language: Language, url: str) -> None:
    found = failure(language, f"fetch({url!r})")
    assert (found.code, found.error_name) == (FailureCode.THROW, CLASSES[language])


@pytest.mark.parametrize(
    ("javascript", "python"),
    [
        ("{ method: 'a b' }", "method='a b'"),
        ("{ method: 'TRACE' }", "method='TRACE'"),
        ("{ method: 'A'.repeat(100) }", "method='A' * 100"),
        ("{ headers: { 'a b': 'x' } }", "headers={'a b': 'x'}"),
        ("{ headers: { a: 'x\\ny' } }", "headers={'a': 'x\\ny'}"),
        ("{ headers: { a: '\\u20ac' } }", "headers={'a': '\\u20ac'}"),
        ("{ headers: 5 }", "headers=5"),
        ("{ redirect: 'sometimes' }", "redirect='sometimes'"),
        ("{ signal: 5 }", "timeout='soon'"),
    ],
)
def test_options_that_cannot_be_used(javascript: str, python: str) -> None:
    for language, options in ((Language.JAVASCRIPT, javascript), (Language.PYTHON, python)):
        found = failure(language, f"fetch('{SITE}', {options})")
        assert (found.code, found.error_name) == (FailureCode.THROW, CLASSES[language]), options


@pytest.mark.parametrize(
    ("javascript", "python", "rule"),
    [
        ("fetch('ftp://a.example/')", "fetch('ftp://a.example/')", "scheme"),
        ("fetch('http://a.example:25/')", "fetch('http://a.example:25/')", "port"),
        ("fetch('http://127.0.0.1/')", "fetch('http://127.0.0.1/')", "private-address"),
        (f"fetch('{SITE}' + 'x'.repeat(1e5))", f"fetch('{SITE}' + 'x' * 100_000)", "url"),
        (
            f"fetch('{SITE}', {{ headers: {{ a: 'x'.repeat(1e5) }} }})",
            f"fetch('{SITE}', headers={{'a': 'x' * 100_000}})",
            "headers",
        ),
        (
            f"fetch('{SITE}', {{ method: 'POST', body: 'x'.repeat(6e6) }})",
            f"fetch('{SITE}', method='POST', body='x' * 6_000_000)",
            "too-large",
        ),
    ],
)
def test_what_is_refused_for_where_it_goes_or_its_size(javascript: str, python: str, rule: str) -> None:
    for language, call in ((Language.JAVASCRIPT, javascript), (Language.PYTHON, python)):
        found = failure(language, call)
        assert (found.code, found.detail["rule"]) == (FailureCode.EGRESS, rule), call


def test_pythons_is_a_type_error_and_a_value_error() -> None:
    refused = "lambda: fetch('https://a.example/', nonsense=1)"
    caught = f"attempt({refused})\n\ndef attempt(call):\n    try:\n        call()\n"
    caught += "    except ValueError as e:\n        raise RuntimeError(isinstance(e, TypeError), e.rule)\n"
    found = failure(Language.PYTHON, caught)
    assert (found.error_name, found.message) == ("RuntimeError", "(True, 'option')")
