"""Node's larger modules: streams, zlib, http and https as clients, and the small ones that libraries load."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.core.failure import FailureCode
from sandbox.egress import StubEgress, parse_stubs
from tests.sandbox.javascript.conftest import Evaluate, Run


def stubs(*items: dict[str, Any]) -> StubEgress:
    return StubEgress(parse_stubs(list(items)))


def handler(body: str) -> str:
    return f"exports.onExecutePostLogin = async () => {{\n{body}\n}};"


@pytest.mark.parametrize(
    "name",
    [
        "stream", "stream/promises", "stream/web", "stream/consumers", "string_decoder", "http", "https",
        "zlib", "punycode", "os", "async_hooks", "diagnostics_channel", "tty", "perf_hooks", "constants",
        "sys",
    ],
)  # fmt: skip
def test_each_is_found_with_and_without_its_scheme(succeed: Run, name: str) -> None:
    ran = succeed(handler(f"console.log(require('{name}') === require('node:{name}'))"))
    assert ran.log == ["true"]


def test_streams(succeed: Run) -> None:
    ran = succeed(
        handler(
            "const { Readable, Transform, pipeline } = require('stream');\n"
            "const transform = (c, e, done) => done(null, String(c).toUpperCase());\n"
            "const upper = new Transform({ transform });\n"
            "const out = [];\n"
            "const { pipeline: run } = require('stream/promises');\n"
            "await run(Readable.from(['a', 'b']), upper, async function (source) {\n"
            "  for await (const part of source) out.push(String(part));\n});\n"
            "console.log(out.join(String()));"
        )
    )
    assert ran.log == ["AB"]


def test_zlib_there_and_back(succeed: Run) -> None:
    ran = succeed(
        handler(
            "const zlib = require('zlib'); const { promisify } = require('util');\n"
            "const ways = [['gzip', 'gunzip'], ['deflate', 'inflate'], ['deflateRaw', 'inflateRaw']];\n"
            "const text = 'x'.repeat(1000);\nfor (const [there, back] of ways) {\n"
            "  const packed = await promisify(zlib[there])(text);\n"
            "  console.log(packed.length < 100, zlib[`${back}Sync`](packed).toString() === text);\n}\n"
            "try { zlib.gunzipSync(Buffer.from('no')) } catch (e) { console.log(e.code) }\n"
            "const packed = await new Promise((done) => zlib.createGzip().on('data', done).end('y'));\n"
            "console.log(packed.length > 10);"
        )
    )
    assert ran.log == ["true true"] * 3 + ["Z_DATA_ERROR", "true"]


HTTPS = """
const https = require('https');
const read = (response) => new Promise((done, fail) => {
  let text = ''; response.setEncoding('utf8');
  response.on('data', (part) => { text += part; }).on('end', () => done(text)).on('error', fail);
});
const send = (options, body) => new Promise((done, fail) => {
  const request = https.request(options, done); request.on('error', fail); request.end(body);
});
"""


def test_https_get_and_post(succeed: Run) -> None:
    egress = stubs(
        {"url": "https://api.example/a", "answer": {"json": {"ok": 1}, "headers": {"x-one": "1"}}},
        {"url": "https://api.example/b", "method": "POST", "answer": {"status": 201, "text": "made"}},
    )
    body = (
        "const first = await new Promise((done) => https.get('https://api.example/a', done));\n"
        "console.log(first.statusCode, first.headers['x-one'], await read(first));\n"
        "const second = await send({ hostname: 'api.example', path: '/b', method: 'POST',"
        " headers: { 'Content-Type': 'text/plain', 'Content-Length': 2 } }, 'hi');\n"
        "console.log(second.statusCode, await read(second));"
    )
    assert succeed(HTTPS + handler(body), egress=egress).log == ['200 1 {"ok": 1}', "201 made"]


def test_https_failures_are_events_and_typed(run: Run) -> None:
    caught = handler("try { await send({ host: 'gone.example' }) } catch (e) { console.log(e.code, e.rule) }")
    assert run(HTTPS + caught, egress=stubs()).log == ["ERR_ACCESS_DENIED no-stub"]
    assert run(HTTPS + handler("await send({ host: 'gone.example' })"), egress=stubs()).failure.code is (
        FailureCode.EGRESS
    )


def test_async_local_storage(succeed: Run) -> None:
    ran = succeed(
        handler(
            "const { AsyncLocalStorage } = require('async_hooks'); const store = new AsyncLocalStorage();\n"
            "await store.run(7, async () => { await null; console.log(store.getStore()); });\n"
            "console.log(store.getStore());"
        )
    )
    assert ran.log == ["7", "undefined"]


@pytest.mark.parametrize("name", ["fs", "node:fs/promises", "child_process", "net", "worker_threads", "vm"])
def test_those_that_reach_outside_are_refused(run: Run, name: str) -> None:
    failure = run(handler(f"require('{name}')")).failure
    assert failure.message.startswith(f"Cannot use module '{name}' in an Action: ")


def test_standard_output_and_error_join_the_console(succeed: Run) -> None:
    ran = succeed(
        handler(
            "process.stdout.write('one\\n'); console.log('two');\n"
            "process.stderr.write(Buffer.from('three'));\n"
            "console.log(process.stdout.isTTY, process.stderr.fd, require('tty').isatty(1));\n"
            "await new Promise((done) => process.stdout.write('6f6b', 'hex', done));\n"
            "process.stdout.write(''); try { process.stdout.write(null) } catch (e) { console.log(e.code) }"
        )
    )
    kept = [(line.level, line.text) for line in ran.result.logs]
    assert kept == [
        ("log", "one"), ("log", "two"), ("error", "three"), ("log", "undefined 2 false"), ("log", "ok"),
        ("log", "ERR_INVALID_ARG_TYPE"),
    ]  # fmt: skip


def test_the_old_predicates_of_util(evaluate: Evaluate) -> None:
    expression = (
        "[util.isString('a'), util.isFunction(util._extend), util._extend({ a: 1 }, { b: 2 }),"
        " util.isRegExp(/x/),"
        " util.isDate(1), util.isError(new TypeError()), util.isNullOrUndefined(null), util.isPrimitive({}),"
        " util.isBuffer(Buffer.alloc(1))]"
    )
    assert evaluate(expression, "const util = require('util');") == [
        True, True, {"a": 1, "b": 2}, True, False, True, True, False, True,
    ]  # fmt: skip
