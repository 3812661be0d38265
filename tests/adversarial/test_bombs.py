"""Values that are larger than they look (threat-model C6, M2, M3, M4, M6): each ends by a cap of its own,
and never in a fault of ours."""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sandbox.core.caps import (
    MAX_API_ARGUMENT_BYTES,
    MAX_ERROR_MESSAGE_BYTES,
    MAX_FETCHES,
    MAX_JSON_DEPTH,
    MIB,
    Limits,
)
from sandbox.egress import StubEgress, parse_stubs
from sandbox.python.failures import from_trap
from tests.adversarial.arena import PATIENT, attack, commands, ended, printed
from tests.flow.actions import javascript, python

CLAIM = "https://claims.example/x"
GRAPH_JS = "let o = [1]; for (let i = 0; i < 40; i++) o = [o, o];"
GRAPH_PY = "o = [1]\nfor _ in range(40): o = [o, o]\n"

TOO_LARGE_JS = {
    "claim of 12 MB": f"api.idToken.setCustomClaim('{CLAIM}', 'x'.repeat(12e6))",
    "claim of 12 MB in UTF-8": f"api.idToken.setCustomClaim('{CLAIM}', '€'.repeat(4e6))",
    "claim name of 5 MB": "api.idToken.setCustomClaim('x'.repeat(5e6), 1)",
    "reason of 5 MB": "api.access.deny('x'.repeat(5e6))",
    "cache value of 5 MB": "api.cache.set('a', 'x'.repeat(5e6))",
    "claim that doubles": f"{GRAPH_JS} api.idToken.setCustomClaim('{CLAIM}', o)",
    "metadata that doubles": f"{GRAPH_JS} api.user.setUserMetadata('a', {{ o }})",
    "app metadata that doubles": f"{GRAPH_JS} api.user.setAppMetadata('a', o)",
    "token payload that doubles": f"{GRAPH_JS} api.redirect.encodeToken({{ secret: 'x'.repeat(32), payload: {{ o }} }})",
    "100,000 wide": "api.user.setUserMetadata('a', Array.from({ length: 1e5 }, (_, i) => i))",
    "100,000 keys": "const o = {}; for (let i = 0; i < 1e5; i++) o['k' + i] = i; api.user.setUserMetadata('a', o)",
    "2,000 deep": "let o = 1; for (let i = 0; i < 2000; i++) o = [o]; api.user.setUserMetadata('a', o)",
    "100,000 deep": "let o = 1; for (let i = 0; i < 1e5; i++) o = { o }; api.user.setUserMetadata('a', o)",
    "sparse": "const a = []; a.length = 2 ** 32 - 1; api.user.setUserMetadata('a', a)",
    "200,000 commands": "for (let i = 0; i < 2e5; i++) api.idToken.setCustomClaim('a', i)",
    "200,000 commands, errors caught": "for (let i = 0; i < 2e5; i++) try { api.idToken.setCustomClaim('a', i) } catch {}",
    "1 MiB of commands": "for (;;) api.access.deny('x'.repeat(20000))",
    "random bytes": "for (;;) crypto.getRandomValues(new Uint8Array(65536))",
    "large queries": "for (;;) try { api.cache.get('x'.repeat(2e5)) } catch {}",
}
TOO_LARGE_PY = {
    "claim of 12 MB": f"api.id_token.set_custom_claim('{CLAIM}', 'x' * 12_000_000)",
    "claim of 12 MB in UTF-8": f"api.id_token.set_custom_claim('{CLAIM}', '€' * 4_000_000)",
    "claim name of 5 MB": "api.id_token.set_custom_claim('x' * 5_000_000, 1)",
    "reason of 5 MB": "api.access.deny('x' * 5_000_000)",
    "cache value of 5 MB": "api.cache.set('a', 'x' * 5_000_000)",
    "claim that doubles": f"{GRAPH_PY}api.id_token.set_custom_claim('{CLAIM}', o)",
    "metadata that doubles": f"{GRAPH_PY}api.user.set_user_metadata('a', {{'o': o}})",
    "dictionary that doubles": "o = {'a': 1}\nfor _ in range(40): o = {'a': o, 'b': o}\napi.user.set_app_metadata('a', o)",
    "token payload that doubles": f"{GRAPH_PY}api.redirect.encode_token(secret='x' * 32, payload={{'o': o}})",
    "100,000 wide": "api.user.set_user_metadata('a', list(range(100_000)))",
    "100,000 keys": "api.user.set_user_metadata('a', {str(i): i for i in range(100_000)})",
    "2,000 deep": "o = 1\nfor _ in range(2_000): o = [o]\napi.user.set_user_metadata('a', o)",
    "100,000 deep": "o = 1\nfor _ in range(100_000): o = {'o': o}\napi.user.set_user_metadata('a', o)",
    "range without end": "api.user.set_user_metadata('a', range(10**12))",
    "200,000 commands": "for i in range(200_000): api.id_token.set_custom_claim('a', i)",
    "200,000 commands, errors caught": "for i in range(200_000):\n    try: api.id_token.set_custom_claim('a', i)\n    except BaseException: pass",
    "1 MiB of commands": "while True: api.access.deny('x' * 20_000)",
    "random bytes": "import secrets\nwhile True: secrets.token_bytes(60_000)",
    "large queries": "while True:\n    try: api.cache.get('x' * 200_000)\n    except Exception: pass",
}  # fmt: skip


@pytest.mark.parametrize("name", TOO_LARGE_JS)
def test_javascript_sends_too_much(name: str) -> None:
    ended(attack(javascript(TOO_LARGE_JS[name]), limits=PATIENT), "output")


@pytest.mark.parametrize("name", TOO_LARGE_PY)
def test_python_sends_too_much(name: str) -> None:
    ended(attack(python(TOO_LARGE_PY[name]), limits=PATIENT), "output")


NO_JSON_JS = {
    "cycle": "const o = []; o.push(o); api.user.setUserMetadata('a', o)",
    "BigInt": "api.user.setUserMetadata('a', 10n)",
    "trap that throws": "api.user.setUserMetadata('a', new Proxy({}, { ownKeys() { throw 1 } }))",
    "revoked proxy": "const p = Proxy.revocable({}, {}); p.revoke(); api.user.setUserMetadata('a', p.proxy)",
    "getter that throws": "api.user.setUserMetadata('a', { get a() { throw new Error('x') } })",
}
NO_JSON_PY = {
    "cycle": "o = []\no.append(o)\napi.user.set_user_metadata('a', o)",
    "bytes": "api.user.set_user_metadata('a', b'x')",
    "generator": "api.user.set_user_metadata('a', (i for i in ()))",
    "the event": "api.user.set_user_metadata('a', api)",
    "a function": "api.user.set_user_metadata('a', print)",
}


@pytest.mark.parametrize("name", NO_JSON_JS)
def test_javascript_sends_what_is_no_json(name: str) -> None:
    ended(attack(javascript(NO_JSON_JS[name]), limits=PATIENT), "throw")


@pytest.mark.parametrize("name", NO_JSON_PY)
def test_python_sends_what_is_no_json(name: str) -> None:
    ended(attack(python(NO_JSON_PY[name]), limits=PATIENT), "throw")


def test_numbers_that_json_has_not() -> None:
    """Documented conversions in both languages: not a number becomes null."""
    for action in (
        javascript("api.user.setUserMetadata('a', [NaN, 1 / 0, -0, 1e308])"),
        python("api.user.set_user_metadata('a', [float('nan'), float('inf'), -0.0, 1e308])"),
    ):
        [(_, (_, values))] = commands(attack(action, limits=PATIENT))
        assert values == [None, None, 0, 1e308]


def test_an_integer_of_many_digits_is_refused() -> None:
    ended(attack(python("api.user.set_user_metadata('a', 10 ** 400)"), limits=PATIENT), "invalid_command")
    ended(attack(python("api.user.set_user_metadata('a', 1 << 20_000)"), limits=PATIENT), "output")


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("language", ["javascript", "python"])
def test_arguments_at_the_cap_and_one_above(language: str, size: int) -> None:
    """`deny` has no cap of its own; the list around its reason takes four bytes."""
    room = MAX_API_ARGUMENT_BYTES - len('[""]') + size
    action = (
        javascript(f"api.access.deny('x'.repeat({room}))")
        if language == "javascript"
        else python(f"api.access.deny('x' * {room})")
    )
    outcome = attack(action, limits=PATIENT)
    if size:
        ended(outcome, "output")
    else:
        assert commands(outcome) == [("access.deny", ["x" * room])]


@pytest.mark.parametrize("language", ["javascript", "python"])
@pytest.mark.parametrize("extra", [0, 1])
def test_depth_at_the_cap_and_one_above(language: str, extra: int) -> None:
    levels = (
        (MAX_JSON_DEPTH if language == "javascript" else 60 + 1) - 1 + extra
    )  # the list of arguments is one
    body = {
        "javascript": f"let o = 1; for (let i = 0; i < {levels}; i++) o = [o]; api.user.setUserMetadata('a', o)",
        "python": f"o = 1\nfor _ in range({levels} - 1): o = [o]\napi.user.set_user_metadata('a', o)",
    }[language]
    outcome = attack(javascript(body) if language == "javascript" else python(body), limits=PATIENT)
    if extra:
        ended(outcome, "output")
    else:
        assert outcome.failure is None, outcome.failure


LOGS = {
    "javascript, 40 MB": (javascript("console.log('x'.repeat(40e6))"), 40_000_000),
    "javascript, nested groups": (
        javascript("for (let i = 0; i < 1000; i++) console.group(); console.log('x\\n'.repeat(1000))"),
        None,
    ),
    "javascript, doubling": (
        javascript(f"{GRAPH_JS} console.log(o); console.log('%o %O %j', o, o, 1)"),
        None,
    ),
    "javascript, 100,000 deep": (
        javascript("let o = 1; for (let i = 0; i < 1e5; i++) o = [o]; console.log(o)"),
        None,
    ),
    "javascript, sparse": (javascript("const a = []; a.length = 2 ** 32 - 1; console.log(a)"), None),
    "javascript, everything": (
        javascript("console.log(globalThis, require, module, process, api, event)"),
        None,
    ),
    "javascript, many": (
        javascript("for (let i = 0; i < 20000; i++) console.log('x'.repeat(100))"),
        2_000_000,
    ),
    "python, 40 MB": (python("print('x' * 40_000_000)"), 40_000_000),
    "python, many": (python("for i in range(20_000): print('x' * 100)"), 2_000_000),
    "python, without an end": (python("for i in range(1000): print('x' * 1000, end='')"), 1_000_000),
}


@pytest.mark.parametrize("name", LOGS)
def test_logs_are_cut_and_say_how_much(name: str) -> None:
    action, size = LOGS[name]
    outcome = attack(action, limits=replace(PATIENT, memory_bytes=192 * MIB, wall_ms=120_000))
    assert outcome.failure is None, outcome.failure
    kept = sum(len(line.text.encode()) for line in outcome.actions[0].logs)
    assert kept < 300_000
    if size is not None and "40 MB" not in name:
        assert kept + outcome.actions[0].logs_cut_bytes >= size
        assert printed(outcome)[-1].endswith("bytes more")


MESSAGES = {
    "message": "throw new Error('x'.repeat(5e6))",
    "name": "const e = new Error('x'); e.name = 'n'.repeat(5e6); throw e",
    "stack": "const e = new Error('x'); e.stack = 'n'.repeat(5e6); throw e",
    "code": "const e = new Error('x'); e.code = 'n'.repeat(5e6); throw e",
    "string": "throw 'x'.repeat(5e6)",
    "causes": "let e = new Error('x'.repeat(1e5)); for (let i = 0; i < 2000; i++) e = new Error('x'.repeat(1e4), { cause: e }); throw e",
    "cycle of causes": "const e = new Error('x'); e.cause = e; throw e",
    "members": "throw new AggregateError(Array(1000).fill(new Error('x'.repeat(1e5))), 'x')",
    "graph": f"{GRAPH_JS} throw o",
    "graph as cause": f"{GRAPH_JS} throw new Error('x', {{ cause: o }})",
    "long file names": "eval('//# sourceURL=' + 'x'.repeat(1e6) + '\\nthrow new Error(1)')",
}
MESSAGES_PY = {
    "message": "raise ValueError('x' * 5_000_000)",
    "arguments": "raise ValueError(*['x' * 10_000] * 500)",
    "notes": "e = ValueError('x')\nfor _ in range(100): e.add_note('y' * 50_000)\nraise e",
    "causes": "def f(n):\n    try:\n        if n: f(n - 1)\n        raise ValueError('z' * 10_000)\n    except ValueError as e: raise ValueError('y' * 10_000) from e\nf(100)",
    "members": "raise ExceptionGroup('x' * 10_000, [ValueError('y' * 100_000)] * 100)",
    "nested groups": "e = ValueError('x')\nfor _ in range(50): e = ExceptionGroup('g' * 1000, [e, e])\nraise e",
}  # fmt: skip


@pytest.mark.parametrize("name", [*MESSAGES, *(f"python {name}" for name in MESSAGES_PY)])
def test_error_texts_are_cut(name: str) -> None:
    action = python(MESSAGES_PY[name[7:]]) if name.startswith("python ") else javascript(MESSAGES[name])
    failure = ended(attack(action, limits=PATIENT), "throw").failure
    assert failure is not None
    assert failure.message != "(no message)"
    assert len(failure.message.encode()) <= MAX_ERROR_MESSAGE_BYTES + 100
    assert len(repr(failure)) < 60_000


FETCHES: dict[str, tuple[Any, set[str] | None]] = {
    "javascript, not awaited": (javascript("for (let i = 0; i < 200; i++) fetch('https://a.example/').catch(() => {})"), None),
    "javascript, all awaited": (
        javascript("const r = await Promise.allSettled(Array.from({ length: 300 }, () => fetch('https://a.example/'))); console.log(r.filter((x) => x.status === 'fulfilled').length)"),
        None,
    ),
    "javascript, body above the cap": (
        javascript("await fetch('https://a.example/', { method: 'POST', body: 'x'.repeat(3e6) })"),
        {"egress"},
    ),
    "javascript, body far above the cap": (
        javascript("await fetch('https://a.example/', { method: 'POST', body: 'x'.repeat(6e6) })"),
        {"egress"},
    ),
    "javascript, URL of 20 kB": (javascript("await fetch('https://a.example/' + 'x'.repeat(20000))"), {"egress"}),
    "javascript, 5,000 headers": (
        javascript("const h = new Headers(); for (let i = 0; i < 5000; i++) h.append('a' + i, 'x'); await fetch('https://a.example/', { headers: h })"),
        {"egress"},
    ),
    "python, all awaited": (
        python("import asyncio\nr = await asyncio.gather(*[fetch('https://a.example/') for _ in range(300)], return_exceptions=True)\nprint(sum(not isinstance(x, Exception) for x in r))"),
        None,
    ),
    "python, body above the cap": (python("await fetch('https://a.example/', method='POST', body='x' * 3_000_000)"), {"egress", "output"}),
    "python, URL of 1 MB": (python("await fetch('https://a.example/' + 'x' * 1_000_000)"), {"egress"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FETCHES)
def test_requests_have_caps(name: str) -> None:
    action, codes = FETCHES[name]
    stubs = StubEgress(
        parse_stubs([{"url_prefix": "https://a.example/", "answer": {"status": 200, "text": "ok"}}])
    )
    outcome = attack(action, limits=replace(PATIENT, memory_bytes=128 * MIB), egress=stubs)
    if codes is not None:
        ended(outcome, codes)
    else:
        assert outcome.failure is None, outcome.failure
    if "all awaited" in name:
        assert printed(outcome) == [str(MAX_FETCHES)]


TEN_THOUSAND = {
    "javascript, all": javascript(
        "const all = await Promise.allSettled(Array.from({ length: 1e4 }, () => fetch('https://a.example/')));"
        "const refused = all.filter((end) => end.status === 'rejected');"
        "console.log(all.length - refused.length, refused.at(-1).reason.cause.message)"
    ),
    "javascript, not awaited": javascript(
        "let last; for (let i = 0; i < 1e4; i++) fetch('https://a.example/').catch((error) => { last = error });"
        f"for (let i = 0; i < {MAX_FETCHES}; i++) await new Promise((done) => setTimeout(done));"
        f"console.log({MAX_FETCHES}, last.cause.message)"
    ),
    "python, all": python(
        "import asyncio\n"
        "all = await asyncio.gather(*[fetch('https://a.example/') for _ in range(10_000)], return_exceptions=True)\n"
        "refused = [end for end in all if isinstance(end, Exception)]\n"
        "print(len(all) - len(refused), refused[-1])"
    ),
    "python, blocking": python(
        "made = 0\n"
        "for _ in range(10_000):\n"
        "    try:\n"
        "        http.get('https://a.example/')\n"
        "        made += 1\n"
        "    except Exception as error:\n"
        "        last = error\n"
        "print(made, last)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEN_THOUSAND)
def test_requests_beyond_the_most_are_refused_at_once(name: str) -> None:
    """Refusals that were waited for one by one took 8 s."""
    stubs = StubEgress(parse_stubs([{"url": "https://a.example/", "answer": {"text": "ok"}}]))
    outcome = attack(TEN_THOUSAND[name], limits=replace(PATIENT, memory_bytes=128 * MIB), egress=stubs)
    assert outcome.failure is None, outcome.failure
    assert printed(outcome) == [f"{MAX_FETCHES} an execution may make {MAX_FETCHES} requests"]
    statistics = outcome.actions[0].statistics
    assert statistics is not None
    assert statistics.host_calls["fetch"] == MAX_FETCHES + 1
    assert statistics.host_calls["wait"] < 3 * MAX_FETCHES


PARSERS_JS = {
    "JSON.parse": "JSON.parse('['.repeat(1e5))",
    "JSON.stringify": "let o = 1; for (let i = 0; i < 1e5; i++) o = [o]; JSON.stringify(o)",
    "structuredClone": "let o = 1; for (let i = 0; i < 1e5; i++) o = [o]; structuredClone(o)",
    "flat": "let o = []; for (let i = 0; i < 1e5; i++) o = [o]; o.flat(Infinity)",
    "eval": "eval('['.repeat(1e5))",
    "Function": "new Function('('.repeat(1e5))",
    "recursion": "(function f() { f() })()",
    "getter": "const o = { get a() { return this.a } }; o.a",
    "proxy": "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.a",
    "toString": "const o = { toString() { return `${o}` } }; `${o}`",
    "sort": "(function f() { [1, 2].sort(f) })()",
    "replace": "(function f() { 'a'.replace('a', f) })()",
    "generators": "function* g() { yield* g() } [...g()]",
    "async": "await (async function f() { await f() })()",
    "bind": "let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null); f()",
    "prototypes": "let o = {}; for (let i = 0; i < 1e5; i++) o = Object.create(o); o.a",
    "regular expression": "new RegExp('('.repeat(1e5) + ')'.repeat(1e5))",
    "rope": "let s = ''; for (let i = 0; i < 1e5; i++) s = s + 'a'; s.length; s.at(0)",
}
PARSERS_PY = {
    "json.loads": "import json\njson.loads('[' * 100_000)",
    "json.dumps": "import json\no = []\nfor _ in range(100_000): o = [o]\njson.dumps(o)",
    "repr": "o = []\nfor _ in range(100_000): o = [o]\nrepr(o)",
    "deallocation": "o = []\nfor _ in range(500_000): o = [o]\no = None",
    "deallocation of others": "import itertools\no = iter(())\nfor _ in range(100_000): o = itertools.chain(o)\no = None",
    "recursion": "def f(): f()\nf()",
    "__getattr__": "class A:\n    def __getattr__(self, name): return getattr(self, name + 'x')\nA().a",
    "__str__": "class A:\n    def __str__(self): return str(self)\nstr(A())",
    "__eq__": "x, y = [], []\nfor _ in range(100_000): x, y = [x], [y]\nx == y",
    "hash": "o = ()\nfor _ in range(100_000): o = (o,)\nhash(o)",
    "sort": "def f(n): return sorted([1], key=lambda x: f(n + 1))\nf(0)",
    "generators": "def f(n): yield from f(n + 1)\nlist(f(0))",
    "coroutines": "async def f(n): return await f(n + 1)\nawait f(0)",
    "partial": "import functools\nf = print\nclass A:\n    def __call__(self): return A()()\nA()()",
    "regular expression": "import re\nre.compile('(' * 20_000 + ')' * 20_000)",
    "isinstance": "t = ()\nfor _ in range(100_000): t = (t, int)\nisinstance('', t)",
    "copy": "import copy\no = []\nfor _ in range(100_000): o = [o]\ncopy.deepcopy(o)",
}  # fmt: skip
OTHER_ENDS = {"regular expression": {"throw"}, "bind": {"throw", "stack", "memory"}}
HARMLESS = {"prototypes", "rope", "bind"}


@pytest.mark.parametrize("name", PARSERS_JS)
def test_javascript_recursion_ends(name: str) -> None:
    outcome = attack(javascript(PARSERS_JS[name]), limits=PATIENT)
    if outcome.failure is not None or name not in HARMLESS:
        ended(outcome, OTHER_ENDS.get(name, "stack"))


@pytest.mark.parametrize("name", PARSERS_PY)
def test_python_recursion_ends(name: str) -> None:
    ended(
        attack(python(PARSERS_PY[name]), limits=PATIENT), {"stack", "throw"} if name == "__str__" else "stack"
    )


def test_memory_that_is_wanted_while_its_want_is_reported() -> None:
    """CPython's own report of a MemoryError needs memory, and gives up without it."""
    lines = "import collections\nd = collections.deque()\nfor _ in range(10**6): d = collections.deque([d])"
    ended(attack(python(lines), limits=Limits(wall_ms=120_000, memory_bytes=48 * MIB)), {"memory", "stack"})


@pytest.mark.parametrize(
    "frame", ["libpython3.14.so!PyErr_PrintEx", "libpython3.14.so!fatal_error", "x.wasm!rust_begin_unwind"]
)
def test_an_interpreter_that_prints_its_last_words_wanted_memory(frame: str) -> None:
    """The trap is an import that is not there; what called it tells why."""
    missing = "unknown import: `wasi:cli/stderr@0.2.9#get-stderr` has not been defined"
    trap = RuntimeError(
        f"error while executing at wasm backtrace:\n    0: 0x1 - {frame}\n\nCaused by:\n    {missing}"
    )
    assert from_trap(trap, Limits()).code == "memory"
    other = RuntimeError(
        f"error while executing at wasm backtrace:\n    0: 0x1 - write\n\nCaused by:\n    {missing}"
    )
    assert from_trap(other, Limits()).code == "policy"
