"""What the time-outs and aborts of HTTP clients come to: the request is cancelled, and its place is free."""

from __future__ import annotations

import pytest

from sandbox.egress import EgressPolicy, HttpEgress
from tests.packages.actions import run
from tests.sandbox.egress.aborted import hanging, javascript_body
from tests.sandbox.egress.test_aborts import left_behind

CLIENTS = [
    ("axios@1.21.1", "require('axios').get(SLOW, { timeout: 30 })"),
    ("axios@1.21.1", "require('axios').get(SLOW, { signal: AbortSignal.timeout(30) })"),
    ("axios@0.27.2", "require('axios').get(SLOW, { timeout: 30 })"),
    ("axios@0.21.4", "require('axios').get(SLOW, { timeout: 30 })"),
    ("got@11.8.6", "require('got')(SLOW, { timeout: 30, retry: 0 })"),
    ("got@14.6.6", "require('got').default(SLOW, { timeout: { request: 30 }, retry: { limit: 0 } })"),
    ("node-fetch@2.7.0", "require('node-fetch')(SLOW, { timeout: 30 })"),
    ("node-fetch@3.3.2", "require('node-fetch').default(SLOW, { signal: AbortSignal.timeout(30) })"),
    ("superagent@10.2.3", "require('superagent').get(SLOW).timeout(30)"),
    (
        "request@2.88.2",
        "new Promise((done, fail) => "
        "require('request')({ url: SLOW, timeout: 30 }, (e, r) => (e ? fail(e) : done(r))))",
    ),
]


@pytest.mark.parametrize(("package", "request_"), CLIENTS)
def test_a_request_that_a_package_gives_up_is_cancelled(package: str, request_: str) -> None:
    with hanging() as peer:
        text = f"exports.onExecutePostLogin = async () => {{ {javascript_body(request_, peer)} }};"
        ran = run(text, package, egress=HttpEgress(EgressPolicy(allow_private=True)))
        assert ran.result.failure is None, ran.result.failure
        assert ran.log == ["at once"]
        assert left_behind(ran.result) == set()
