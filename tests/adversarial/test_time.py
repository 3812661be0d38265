"""Time (threat-model C1 to C5): spin in every place where an Action's code runs, not only in its handler.

Each attack ends in a typed failure under a small limit, or as what it is when nothing has to run it.
"""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

import socket

import pytest

import sandbox
from sandbox.core.caps import Limits
from sandbox.core.failure import BuildError
from sandbox.core.program import Language, Source
from sandbox.egress import EgressPolicy, HttpEgress
from tests.adversarial.arena import LIMITS, PATIENT, attack, ended, source
from tests.flow.actions import javascript, python
from tests.sandbox.egress.peers import response, serving

SPIN = "for (;;);"

JS_TEXTS = {
    "top level": SPIN,
    "top level of a class": f"class A {{ static {{ {SPIN} }} }}",
    "getter of the export": f"Object.defineProperty(exports, 'onExecutePostLogin', {{ get() {{ {SPIN} }} }})",
    "exports are a proxy": f"module.exports = new Proxy({{}}, {{ get() {{ {SPIN} }} }})",
    "keys of a proxy": f"module.exports = new Proxy({{}}, {{ get() {{}}, ownKeys() {{ {SPIN} }} }})",
    "handler is a proxy": f"exports.onExecutePostLogin = new Proxy(() => 1, {{ apply() {{ {SPIN} }} }})",
}

JS_BODIES = {
    "claim value getter": f"api.idToken.setCustomClaim('https://a.example/b', {{ get a() {{ {SPIN} }} }})",
    "claim value toJSON": f"api.idToken.setCustomClaim('https://a.example/b', {{ toJSON() {{ {SPIN} }} }})",
    "claim value proxy": f"api.user.setUserMetadata('a', new Proxy({{}}, {{ ownKeys() {{ {SPIN} }} }}))",
    "claim value proxy trap": f"api.user.setUserMetadata('a', new Proxy({{ a: 1 }}, {{ get() {{ {SPIN} }} }}))",
    "array proxy": "api.user.setUserMetadata('a', new Proxy([], { get(t, k) { return k === 'length' ? 1e9 : [] } }))",
    "message getter": f"throw Object.defineProperty(new Error(), 'message', {{ get() {{ {SPIN} }} }})",
    "name getter": f"throw Object.defineProperty(new Error(), 'name', {{ get() {{ {SPIN} }} }})",
    "cause getter": f"throw Object.defineProperty(new Error(), 'cause', {{ get() {{ {SPIN} }} }})",
    "code getter": f"throw Object.defineProperty(new Error(), 'code', {{ get() {{ {SPIN} }} }})",
    "message toString": f"const e = new Error(); e.message = {{ get [Symbol.toStringTag]() {{ {SPIN} }} }}; throw e",
    "thrown proxy": f"throw new Proxy(new Error(), {{ getPrototypeOf() {{ {SPIN} }} }})",
    "thrown tag": f"throw {{ get [Symbol.toStringTag]() {{ {SPIN} }} }}",
    "prepareStackTrace": f"Error.prepareStackTrace = () => {{ {SPIN} }}; throw new Error()",
    "captureStackTrace": f"Error.prepareStackTrace = () => {{ {SPIN} }}; Error.captureStackTrace(o = {{}}); o.stack",
    "toPrimitive": f"`${{{{ [Symbol.toPrimitive]() {{ {SPIN} }} }}}}`",
    "species": f"class A extends Array {{ static get [Symbol.species]() {{ {SPIN} }} }} new A(1, 2).map((x) => x)",
    "hasInstance": f"({{}}) instanceof {{ [Symbol.hasInstance]() {{ {SPIN} }} }}",
    "inspect of a tag": f"console.log({{ get [Symbol.toStringTag]() {{ {SPIN} }} }})",
    "inspect of a map": f"console.log(new (class extends Map {{ entries() {{ {SPIN} }} get size() {{ {SPIN} }} }})([[1, 2]]))",
    "custom inspect": f"console.log({{ [Symbol.for('nodejs.util.inspect.custom')]() {{ {SPIN} }} }})",
    "console label": f"console.count({{ toString() {{ {SPIN} }} }})",
    "console format": f"console.log('%s', {{ toString() {{ {SPIN} }} }}, '%d', {{ [Symbol.toPrimitive]() {{ {SPIN} }} }})",
    "finaliser": f"const r = new FinalizationRegistry(() => {{ {SPIN} }}); (() => r.register({{}}, 1))(); await new Promise((f) => setTimeout(f, 5)); {SPIN}",
    "generator": f"const g = (function* () {{ try {{ yield }} finally {{ {SPIN} }} }})(); g.next(); g.return()",
    "async generator": f"for await (const x of (async function* () {{ try {{ yield }} finally {{ {SPIN} }} }})()) break",
    "async iterator": "for await (const x of { [Symbol.asyncIterator]: () => ({ next: () => ({ done: false }) }) });",
    "returned thenable": f"return {{ then() {{ {SPIN} }} }}",
    "returned getter": f"return {{ get then() {{ {SPIN} }} }}",
    "nested thenables": "const t = { then(f) { f(t) } }; return t",
    "then on the prototype": f"Object.defineProperty(Object.prototype, 'then', {{ get() {{ {SPIN} }} }}); return {{}}",
    "promise constructor": f"Object.defineProperty(Promise.prototype, 'constructor', {{ get() {{ {SPIN} }} }}); await Promise.resolve()",
    "microtasks": "const f = () => Promise.resolve().then(f); await f()",
    "microtask flood": "for (;;) queueMicrotask(() => {}), await null",
    "catch everything": "for (;;) try { for (;;) try { throw 1 } catch {} finally { continue } } catch {}",
    "catch the engine's own": "const f = () => { try { f() } catch { f() } finally { f() } }; f()",
    "timer": f"setTimeout(() => {{ {SPIN} }}, 1); await new Promise(() => {{}})",
    "intervals": "setInterval(() => {}, 0); await new Promise(() => {})",
    "clone": f"structuredClone({{ get a() {{ {SPIN} }} }})",
    "headers": f"new Headers({{ *[Symbol.iterator]() {{ {SPIN} }} }})",
    "request body": f"await fetch('https://a.example/', {{ method: 'POST', body: {{ toString() {{ {SPIN} }} }} }})",
    "abort listener": f"const c = new AbortController(); c.signal.addEventListener('abort', () => {{ {SPIN} }}); c.abort()",
    "event listener": f"const e = new EventTarget(); e.addEventListener('x', () => {{ {SPIN} }}); e.dispatchEvent(new Event('x'))",
    "require": f"require('util').inspect({{ [require('util').inspect.custom]() {{ {SPIN} }} }})",
    "emitter": f"const e = new (require('events'))(); e.on('x', () => {{ {SPIN} }}); e.emit('x')",
    "regular expression": "/^(a+)+$/.test('a'.repeat(50) + 'b')",
    "look-behind": "/(?<=(a*)*)b/.exec('a'.repeat(50000))",
    "big integers": "let x = 7n ** 300000n; for (;;) x = x * x % 10n ** 200000n",
    "sparse array": "Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)",
    "typed array sort": "new Float64Array(1e6).sort(() => 1)",
    "normalisation": "for (;;) '\\u0344'.repeat(1e5).normalize('NFKD')",
    "hashing": "const b = Buffer.alloc(4e6); for (;;) require('crypto').createHash('sha512').update(b).digest()",
    "derivation": "require('crypto').pbkdf2Sync('p', 's', 700000, 64, 'sha512'); for (;;) require('crypto').pbkdf2Sync('p', 's', 700000, 64, 'sha512')",
    "scrypt": "for (;;) require('crypto').scryptSync('p', 's', 64)",
    "keys": "for (;;) require('crypto').generateKeyPairSync('rsa', { modulusLength: 4096 })",
}

SPINNING = "        while True: pass"

PYTHON_TEXTS = {
    "top level": "while True: pass",
    "class body": "class A:\n    while True: pass",
    "default argument": "def f(a=[i for i in iter(int, 1)]): pass",
    "decorator": "def d(f):\n    while True: pass\n@d\ndef on_execute_post_login(event, api): pass",
    "callable object": f"class H:\n    def __call__(self, event, api):\n{SPINNING}\non_execute_post_login = H()",
    "returned awaitable": f"class H:\n    def __await__(self):\n{SPINNING}\ndef on_execute_post_login(event, api): return H()",
}

PYTHON_BODIES = {
    "text of an error": f"class E(Exception):\n    def __str__(self):\n{SPINNING}\nraise E()",
    "text of a cause": f"class E(Exception):\n    def __str__(self):\n{SPINNING}\ntry: raise E()\nexcept E as e: raise ValueError('x') from e",
    "text of a member": f"class E(Exception):\n    def __str__(self):\n{SPINNING}\nraise ExceptionGroup('x', [E()])",
    "print": f"class V:\n    def __repr__(self):\n{SPINNING}\nprint([V()])",
    "format": f"class V:\n    def __format__(self, spec):\n{SPINNING}\nprint(f'{{V():x}}')",
    "hash": f"class V:\n    def __hash__(self):\n{SPINNING}\n{{V()}}",
    "equality": f"class V:\n    def __eq__(self, other):\n{SPINNING}\n    def __hash__(self): return 1\n{{V(), V()}}",
    "comparison": f"class V:\n    def __lt__(self, other):\n{SPINNING}\nsorted([V(), V()])",
    "iteration": "class V:\n    def __iter__(self): return self\n    def __next__(self): return 1\nlist(V())",
    "length": f"class V:\n    def __len__(self):\n{SPINNING}\nlen(V())",
    "truth": f"class V:\n    def __bool__(self):\n{SPINNING}\nif V(): pass",
    "index": f"class V:\n    def __index__(self):\n{SPINNING}\n[1][V()]",
    "attribute": f"class V:\n    def __getattr__(self, name):\n{SPINNING}\nV().a",
    "descriptor": f"class D:\n    @property\n    def a(self):\n{SPINNING}\nD().a",
    "context manager": f"class C:\n    def __enter__(self): pass\n    def __exit__(self, *e):\n{SPINNING}\nwith C(): raise ValueError",
    "async context manager": f"class C:\n    async def __aenter__(self): pass\n    async def __aexit__(self, *e):\n{SPINNING}\nasync with C(): pass",
    "async iterator": "class A:\n    def __aiter__(self): return self\n    async def __anext__(self): return 1\nasync for x in A(): pass",
    "async generator": "async def g():\n    try: yield 1\n    finally:\n        while True: pass\na = g()\nasync for x in a: break\nawait a.aclose()",
    "generator": "def g():\n    try: yield\n    finally:\n        while True: pass\nx = g()\nnext(x)\nx.close()",
    "awaitable": "class A:\n    def __await__(self):\n        while True: yield\nawait A()",
    "catch everything": "while True:\n    try:\n        while True: pass\n    except BaseException: continue\n    finally: continue",
    "catch recursion": "def f():\n    try: f()\n    except BaseException: f()\n    finally: f()\nf()",
    "tasks that refuse to end": "import asyncio\nasync def f():\n    while True:\n        try: await asyncio.sleep(0)\n        except BaseException: pass\nt = asyncio.create_task(f())\nawait asyncio.sleep(0)\nt.cancel()\nawait t",
    "callbacks": "import asyncio\nloop = asyncio.get_running_loop()\ndef again(): loop.call_soon(again)\nagain()\nawait asyncio.Event().wait()",
    "sleep": "import time\ntime.sleep(60)",
    "regular expression": "import re\nre.match('(a+)+$', 'a' * 50 + 'b')",
    "power": "x = 3 ** 100_000_000",
    "digits": "x = str(3 ** 8_000)\nwhile True: int(x)",
    "sort": "x = list(range(300_000))\nwhile True: x.sort(key=lambda n: -n)",
    "normalisation": "import unicodedata\nwhile True: unicodedata.normalize('NFKD', '\\ufdfa' * 10**5)",
    "derivation": "import hashlib\nwhile True: hashlib.pbkdf2_hmac('sha512', b'p', b's', 700_000)",
}  # fmt: skip

OTHER_ENDS = {
    "array proxy": {"timeout", "output"},
    "catch the engine's own": {"timeout", "stack"},
    "tasks that refuse to end": {"timeout"},
}


@pytest.mark.parametrize("name", JS_TEXTS)
def test_javascript_outside_the_handler(name: str) -> None:
    ended(
        attack(source(JS_TEXTS[name], Language.JAVASCRIPT)),
        {"timeout", "handler"} if "keys" in name else "timeout",
    )


@pytest.mark.parametrize("name", JS_BODIES)
def test_javascript(name: str) -> None:
    outcome = attack(javascript(f"api.access.deny('before');\n{JS_BODIES[name]}"))
    ended(outcome, OTHER_ENDS.get(name, "timeout"))


@pytest.mark.parametrize("name", PYTHON_TEXTS)
def test_python_outside_the_handler(name: str) -> None:
    ended(attack(source(PYTHON_TEXTS[name], Language.PYTHON)), {"timeout", "memory"})


@pytest.mark.parametrize("name", PYTHON_BODIES)
def test_python(name: str) -> None:
    outcome = attack(python(f"api.access.deny('before')\n{PYTHON_BODIES[name]}"))
    ended(outcome, {"timeout", "memory"} if name == "iteration" else "timeout")


QUEUED = {
    "microtask": f"Promise.resolve().then(() => {{ {SPIN} }})",
    "chain of microtasks": "const f = () => Promise.resolve().then(f); f()",
    "endless loop": "(async () => { for (;;) await null; })()",
    "endless ticks": "const f = () => process.nextTick(f); f()",
    "endless queueMicrotask": "const f = () => queueMicrotask(f); f()",
    "rejections without end": "const f = () => Promise.reject({ get [Symbol.for('nodejs.util.inspect.custom')]() { f(); } }); f()",
    "finaliser": f"globalThis.r = new FinalizationRegistry(() => {{ {SPIN} }}); (() => r.register({{}}, 1))()",
    "before a rejection": "const f = () => Promise.resolve().then(f); f(); throw new Error('x')",
}


@pytest.mark.parametrize("name", QUEUED)
def test_what_is_queued_when_the_handler_ends_is_bounded_by_its_time(name: str) -> None:
    text = f"exports.onExecutePostLogin = (event, api) => {{ api.access.deny('before'); {QUEUED[name]} }};"
    outcome = attack(source(text, Language.JAVASCRIPT))
    if (
        name != "rejections without end" or outcome.failure is not None
    ):  # nobody hears more than 2,000 of them
        ended(outcome, "timeout")


QUEUED_PYTHON = {
    "tasks": "import asyncio\nasync def f():\n    while True:\n        await asyncio.sleep(0)\nasyncio.create_task(f())",
    "callbacks": "import asyncio\nloop = asyncio.get_running_loop()\ndef f():\n    loop.call_soon(f)\nf()",
    "before an error": "import asyncio\nloop = asyncio.get_running_loop()\ndef f():\n    loop.call_soon(f)\nf()\nraise ValueError",
}


@pytest.mark.parametrize("name", QUEUED_PYTHON)
def test_tasks_that_are_ready_when_the_handler_ends_are_bounded_by_its_time(name: str) -> None:
    ended(attack(python(f"api.access.deny('before')\n{QUEUED_PYTHON[name]}")), "timeout")


LEFT_UNDONE = {
    "timer": f"setTimeout(() => {{ {SPIN} }}, 0)",
    "rejection": f"Promise.reject({{ get message() {{ {SPIN} }} }})",
    "late command": "setTimeout(() => api.access.deny('late'), 0); setImmediate(() => api.access.deny('late'))",
    "immediates without end": "const f = () => setImmediate(f); f()",
    "timers of zero without end": "const f = () => setTimeout(f); f()",
    "late error": "setImmediate(() => { throw new Error('late') })",
}


@pytest.mark.parametrize("name", LEFT_UNDONE)
def test_what_a_handler_does_not_wait_for_is_left_undone(name: str) -> None:
    text = f"exports.onExecutePostLogin = (event, api) => {{ {LEFT_UNDONE[name]} }};"
    outcome = attack(source(text, Language.JAVASCRIPT), limits=PATIENT)
    assert outcome.failure is None
    assert outcome.effects.decision == "allow"


NEVER_JS = {
    "promise": "await new Promise(() => {})",
    "thenable": "await { then() {} }",
    "returned thenable": "return { then() {} }",
    "race of none": "await Promise.race([])",
    "async generator": "for await (const x of (async function* () { await new Promise(() => {}) })());",
    "thenable that forgets": "return { then(f) { f({ then() {} }) } }",
    "any of pending ones": "await Promise.any([new Promise(() => {}), Promise.reject(1)])",
}
NEVER_PYTHON = {
    "event": "import asyncio\nawait asyncio.Event().wait()",
    "future": "import asyncio\nawait asyncio.get_running_loop().create_future()",
    "gather": "import asyncio\nawait asyncio.gather(asyncio.Event().wait(), asyncio.sleep(0))",
    "queue": "import asyncio\nawait asyncio.Queue().get()",
    "lock": "import asyncio\nl = asyncio.Lock()\nawait l.acquire()\nawait l.acquire()",
}


@pytest.mark.parametrize("name", NEVER_JS)
def test_javascript_that_never_settles_is_told_at_once(name: str) -> None:
    ended(attack(javascript(NEVER_JS[name]), limits=Limits(wall_ms=60_000)), "unsettled")


@pytest.mark.parametrize("name", NEVER_PYTHON)
def test_python_that_never_settles_is_told_at_once(name: str) -> None:
    ended(attack(python(NEVER_PYTHON[name]), limits=Limits(wall_ms=60_000)), "unsettled")


@pytest.mark.parametrize("language", Language)
def test_the_top_level_is_looked_at_without_network_and_under_the_same_limits(language: Language) -> None:
    """`exports` runs a tenant's top level when an Action is uploaded."""
    with serving(x=response(b"")) as peer:
        url = peer.url("/x")
        texts = {
            Language.JAVASCRIPT: f"fetch('{url}'); exports.onExecutePostLogin = () => {{}}; exports.seen = [1];",
            Language.PYTHON: f"f = http.get\ntry: f('{url}')\nexcept Exception: pass\ndef on_execute_post_login(event, api): pass",
        }
        program = sandbox.build(Source(language, "a", texts[language]), LIMITS)
        assert sandbox.exports(program, Limits(wall_ms=60_000)) in (
            ("onExecutePostLogin",),
            ("on_execute_post_login",),
        )
        assert peer.connections == 0
    spin = {Language.JAVASCRIPT: "for (;;);", Language.PYTHON: "while True: pass"}[language]
    with pytest.raises(BuildError) as caught:
        sandbox.exports(sandbox.build(Source(language, "a", spin), LIMITS), LIMITS)
    assert caught.value.failure.code == "timeout"


@pytest.mark.parametrize("language", ["javascript", "python"])
def test_a_slow_peer_cannot_outlast_the_limit(language: str) -> None:
    def silent(connection: socket.socket, _request: bytes) -> None:
        connection.recv(1)

    with serving(x=silent) as peer:
        url = peer.url("/x")
        action = (
            javascript(f"for (;;) await fetch('{url}').catch(() => {{}})")
            if language == "javascript"
            else python(f"while True:\n    try: http.get('{url}')\n    except Exception: pass")
        )
        outcome = attack(action, egress=HttpEgress(EgressPolicy(allow_private=True)))
    ended(outcome, "timeout")
