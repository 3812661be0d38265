"""Between executions (threat-model I1 to I7): nothing stays, nothing repeats, and no fine clock ticks."""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from runner.flow.runner import Runner
from sandbox.core.program import Language
from sandbox.egress import NoEgress
from tests.adversarial.arena import PATIENT, attack, printed, run, source
from tests.flow.actions import javascript, python
from triggers import get_trigger

MARK_JS = """
globalThis.mark = 1; Object.prototype.mark = 1; Array.prototype.mark = 1; Function.prototype.mark = 1;
String.prototype.mark = 1; Promise.mark = 1; Math.mark = 1; JSON.mark = 1; Symbol.for('mark').description;
require('util').mark = 1; require('crypto').mark = 1; require('events').mark = 1; process.env.mark = 1;
console.mark = 1; Error.stackTraceLimit = 1; Error.prepareStackTrace = () => 'mark'; Object.freeze(Array.prototype);
"""
SEEN_JS = """
const seen = [typeof mark, {}.mark, [].mark, (() => 1).mark, ''.mark, Promise.mark, Math.mark, JSON.mark,
  require('util').mark, require('crypto').mark, require('events').mark, process.env.mark, console.mark];
console.log(JSON.stringify(seen.filter((x) => x !== undefined && x !== 'undefined')), Error.stackTraceLimit > 1,
  typeof Error.prepareStackTrace, Object.isFrozen(Array.prototype));
"""
MARK_PY = """
import json, re, math, random, decimal, collections
for module in (json, re, math, random, decimal, collections):
    try: module.mark = 1
    except Exception: pass
random.seed(1)
decimal.getcontext().prec = 5
class Mark(Exception): pass
for value in (event, api, print):
    try: type(value).mark = 1
    except Exception: pass
"""
SEEN_PY = """
import json, re, math, random, decimal, collections
seen = [getattr(m, 'mark', None) is not None for m in (json, re, math, random, decimal, collections, event, print)]
print(any(seen), decimal.getcontext().prec)
"""


@pytest.mark.parametrize("how", ["", "throw", "spin"])
def test_nothing_stays(how: str) -> None:
    """Also after an execution that was stopped in the middle."""
    end = {"": "", "throw": "throw new Error()", "spin": "for (;;);"}[how]
    run(javascript(f"{MARK_JS}\n{end}", name="mark"))
    assert printed(attack(javascript(SEEN_JS), limits=PATIENT)) == ["[] true undefined false"]
    end = {"": "", "throw": "raise ValueError", "spin": "while True: pass"}[how]
    run(python(f"{MARK_PY}\n{end}", name="mark"))
    assert printed(attack(python(SEEN_PY), limits=PATIENT)) == ["False 28"]


RANDOM_JS = """
const c = require('crypto');
console.log(JSON.stringify([Math.random(), crypto.randomUUID(), c.randomBytes(16).toString('hex'),
  [...crypto.getRandomValues(new Uint8Array(16))].join(), c.randomInt(2 ** 40), c.randomUUID()]));
"""
RANDOM_PY = """
import json, random, secrets, uuid, hashlib
print(json.dumps([random.random(), str(uuid.uuid4()), secrets.token_hex(16), random.SystemRandom().random(),
    random.randrange(2**40), secrets.token_urlsafe()]))
"""


@pytest.mark.parametrize("where", ["handler", "top level"])
@pytest.mark.parametrize("language", Language)
def test_parallel_executions_draw_different_randomness(language: Language, where: str) -> None:
    """Eight at a time, from one image and one program."""
    if language is Language.JAVASCRIPT:
        top, inside = (RANDOM_JS, "") if where == "top level" else ("", RANDOM_JS)
        action = source(f"{top}\nexports.onExecutePostLogin = () => {{ {inside} }};", language)
    else:
        lines = RANDOM_PY if where == "top level" else RANDOM_PY.replace("\n", "\n    ")
        head = (
            "def on_execute_post_login(event, api): pass\n"
            if where == "top level"
            else "def on_execute_post_login(event, api):"
        )
        action = source(head + lines, language)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: run(action, limits=PATIENT), range(8)))
    drawn = [json.loads(printed(outcome)[0]) for outcome in outcomes]
    for column in zip(*drawn, strict=True):
        assert len(set(column)) == len(column), column


@pytest.mark.parametrize("language", Language)
def test_clocks_are_the_hosts_and_coarse(language: Language) -> None:
    action = (
        javascript("const t = []; for (let i = 0; i < 50; i++) { t.push(performance.now(), Date.now()) } console.log(JSON.stringify([Date.now(), t]))")
        if language is Language.JAVASCRIPT
        else python("import json, time\nt = []\nfor i in range(50): t += [time.monotonic() * 1000, time.perf_counter() * 1000]\nprint(json.dumps([time.time() * 1000, t]))")
    )  # fmt: skip
    before = time.time() * 1000
    wall, readings = json.loads(printed(attack(action, limits=PATIENT))[0])
    assert before - 2 <= wall <= time.time() * 1000 + 2
    assert all(abs(reading - round(reading)) < 1e-6 for reading in readings)


ABSENT_JS = [
    "SharedArrayBuffer",
    "Atomics",
    "Worker",
    "WebAssembly",
    "XMLHttpRequest",
    "Deno",
    "std",
    "os",
    "InternalError",
]


@pytest.mark.parametrize("name", ABSENT_JS)
def test_what_makes_fine_clocks_or_reaches_out_is_absent(name: str) -> None:
    assert printed(attack(javascript(f"console.log(typeof {name})"), limits=PATIENT)) == ["undefined"]


@pytest.mark.parametrize(
    "name",
    ["child_process", "fs", "net", "vm", "worker_threads", "dgram", "cluster", "v8", "inspector", "tls"],
)
def test_modules_that_reach_outside_are_refused_or_empty(name: str) -> None:
    body = f"let m; try {{ m = require('{name}') }} catch (e) {{ console.log('refused'); return }} let n = 0; for (const k of Object.keys(m)) if (typeof m[k] === 'function') try {{ m[k]('x'); n++ }} catch {{}} console.log(n)"
    assert printed(attack(javascript(body), limits=PATIENT))[-1] in ("refused", "0")


def test_caches_of_tenants_and_triggers_are_apart() -> None:
    """Keys with separators, dots and quotes of one tenant read nothing of another's (threat-model I5)."""
    runner = Runner(egress=NoEgress())
    event = get_trigger("post-login").example_event
    keys = ["k", "a:b", "../k", "a/b", "k' OR '1'='1", "__proto__", "k\u0000x", "%2e%2e"]
    put = javascript(f"for (const k of {json.dumps(keys)}) api.cache.set(k, 'mine')", name="put")
    get = javascript(
        f"console.log({json.dumps(keys)}.map((k) => api.cache.get(k)).filter((x) => x !== undefined).length)",
        name="get",
    )
    assert runner.run("post-login", event, [put], tenant="a").failure is None
    for tenant in ("b", "a:b", "", "A", "a\u0000"):
        outcome = runner.run("post-login", event, [get], tenant=tenant or "c")
        assert [line.text for line in outcome.actions[0].logs] == ["0"], tenant
    assert [line.text for line in runner.run("post-login", event, [get], tenant="a").actions[0].logs] == [
        str(len(keys))
    ]
