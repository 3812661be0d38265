"""Actions that try to outlast their limits. Each ends in the right failure, soon, and harms nobody."""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

import time

import pytest

from sandbox.core.caps import MIB, Limits
from sandbox.core.failure import FailureCode
from tests.sandbox.python.actions import Runner

WALL_MS = 300
CEILING_SECONDS = 10
"""By when a stop is one at all, on a machine however busy; how late stops are is measured by `make bench`."""

LOOPS = {
    "loop": "while True: pass",
    "caught": "while True:\n    try:\n        while True: pass\n    except BaseException: pass\n    finally: continue",
    "recursion caught": "def f():\n    try:\n        f()\n    except BaseException:\n        f()\nf()",
    "regex": "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')",
    "power": "x = 3 ** 100_000_000",
    "product": "x = 1\nfor i in range(1, 10**9): x *= i",
    "decimal": "import decimal\ndecimal.getcontext().prec = 10**6\nwhile True: decimal.Decimal(2).sqrt()",
    "comparison": "class K:\n    def __lt__(self, other):\n        while True: pass\nsorted([K(), K()])",
    "sorting": "x = list(range(500_000))\nwhile True: x.sort(key=lambda n: -n)",
    "search": "'a' * 10**6 + 'b' in [('a' * 10**6 + 'c') for _ in range(1)]\nwhile True: ('a' * 10**6).find('a' * 999_999 + 'b')",
    "range": "10**30 in iter(range(10**31))",
    "sum": "sum(range(10**12))",
    "itertools": "import itertools\nfor _ in itertools.count(): pass",
    "any": "any(itertools.repeat(0))",
    "json": "import json\nx = [1]\nfor _ in range(40): x = [x, x]\njson.dumps(x)",
    "api argument": "x = [[]]\nwhile True:\n    try:\n        api.user.set_app_metadata('a', [x] * 10**6)\n    except ValueError: pass",
    "event loop": "import asyncio\nwhile True: await asyncio.sleep(0)",
    "tasks": "import asyncio\nasync def f():\n    while True:\n        asyncio.create_task(f())\n        await asyncio.sleep(0)\nawait f()",
    "callbacks": "import asyncio\nloop = asyncio.get_running_loop()\ndef again():\n    loop.call_soon(again)\nagain()\nawait asyncio.Event().wait()",
    "sleep": "import time\ntime.sleep(60)",
    "long sleep": "import asyncio\nawait asyncio.sleep(10**9)",
    "short sleeps": "import time\nwhile True: time.sleep(0.001)",
    "text of an error": "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
    "text of a value": "class V:\n    def __str__(self):\n        while True: pass\nprint(V())",
    "hash": "class H:\n    def __hash__(self):\n        while True: pass\n{H()}",
    "generator close": "def g():\n    while True:\n        try:\n            yield\n        finally:\n            continue\nx = g()\nnext(x)\ndel x\nwhile True: pass",
    "context exit": "class C:\n    def __enter__(self): pass\n    def __exit__(self, *e):\n        while True: pass\nwith C(): raise ValueError",
    "encoding": "while True: ('é' * 10**6).encode('utf-16').decode('utf-16')",
    "unicode": "import unicodedata\nwhile True: unicodedata.normalize('NFKD', '\\ufdfa' * 10**5)",
    "format": "while True: f'{1:>1000000}'",
    "clock": "import time\nwhile True: time.time()",
    "password hash": "import hashlib\nwhile True: hashlib.pbkdf2_hmac('sha256', b'p', b's', 10**6)",
    "levenshtein": "import difflib\ndifflib.SequenceMatcher(None, 'abcd' * 9000, 'badc' * 9000, False).ratio()",
    "requests": "while True: fetch('https://example.com/')",
    "copy": "import copy\nx = []\nfor _ in range(40): x = [x, x]\ncopy.deepcopy([x, 1])\nwhile True: pass",
}  # fmt: skip


@pytest.mark.parametrize("name", LOOPS)
def test_time(runner: Runner, name: str) -> None:
    program = runner.build(
        f"import itertools\nasync def on_execute_post_login(event, api):\n{indented(LOOPS[name])}"
    )
    began = time.monotonic()
    result = runner.start(program, {}, Limits(wall_ms=WALL_MS))
    elapsed = time.monotonic() - began
    assert result.failure is not None
    assert result.failure.code is FailureCode.TIMEOUT, result.failure
    assert result.failure.message == f"The Action ran longer than its limit of {WALL_MS} ms."
    assert 0.95 * WALL_MS / 1000 <= elapsed < CEILING_SECONDS


def indented(lines: str) -> str:
    return "".join(f"    {line}\n" for line in lines.split("\n"))


@pytest.mark.parametrize(
    "where", ["while True: pass\n", "class A:\n    while True: pass\n", "x = [i for i in iter(int, 1)]\n"]
)
def test_time_of_the_top_level(runner: Runner, where: str) -> None:
    result = runner.start(runner.build(where), {}, Limits(wall_ms=WALL_MS))
    assert result.failure is not None
    assert result.failure.code in (FailureCode.TIMEOUT, FailureCode.MEMORY)


def test_a_deny_before_a_timeout_counts_for_nothing(runner: Runner) -> None:
    result = runner.body("api.access.deny('x')\nwhile True: pass", limits=Limits(wall_ms=WALL_MS))
    assert result.failure is not None
    assert result.commands == ()


GROWTH = {
    "text": "s = 'x'\nwhile True: s += s",
    "list": "a = []\nwhile True: a.append('x' * 1000)",
    "bytes": "b = bytearray()\nwhile True: b.extend(b'x' * 100_000)",
    "dict": "d = {}\nwhile True: d[len(d)] = str(len(d)) * 10",
    "at once": "x = bytes(10**9)",
    "repeated": "x = [0] * 10**9",
    "digits": "x = 1 << (8 * 10**9)",
    "join": "x = ','.join(['x' * 10**6] * 1000)",
    "tasks": "import asyncio\nx = [asyncio.get_running_loop().create_future() for _ in iter(int, 1)]",
    "closures": "x = [(lambda i: lambda: i)(i) for i in iter(int, 1)]",
    "objects": "class A: pass\nx = []\nwhile True:\n    x.append(A())\n    x[-1].a = [1]",
    "sets": "s = set()\nwhile True: s.add(len(s))",
    "formatted": "x = f'{1:>900000000}'",
    "replaced": "x = ('a' * 10**4).replace('a', 'b' * 10**4)",
    "decoded": "x = ('x' * 10**8).encode('utf-32')",
    "regex": "import re\nx = re.findall('', 'x' * 30_000_000)",
    "json": "import json\nx = [1]\nfor _ in range(27): x = [x, x]\ny = json.dumps(x)",
}


@pytest.mark.parametrize("name", GROWTH)
def test_memory(runner: Runner, name: str) -> None:
    failure = runner.failure(GROWTH[name], limits=Limits(wall_ms=120_000, memory_bytes=64 * MIB))
    assert failure.code is FailureCode.MEMORY, failure
    assert failure.message == "The Action needs more memory than its limit of 64 MiB."


def test_memory_errors_can_be_caught(runner: Runner) -> None:
    assert runner.printed("try:\n    bytes(10**9)\nexcept MemoryError:\n    print('caught')") == ["caught"]


def test_a_larger_limit_gives_more_memory(runner: Runner) -> None:
    lines = "x = bytes(100 * 2**20)\nprint(len(x))"
    assert runner.failure(lines, limits=Limits(memory_bytes=64 * MIB)).code is FailureCode.MEMORY
    assert runner.printed(lines, limits=Limits(memory_bytes=160 * MIB)) == ["104857600"]


DEPTH = {
    "repr": "x = []\nfor _ in range(100_000): x = [x]\nrepr(x)",
    "comparison": "x, y = [], []\nfor _ in range(100_000): x, y = [x], [y]\nx == y",
    "hash": "x = ()\nfor _ in range(100_000): x = (x,)\nhash(x)",
    "json dumps": "import json\nx = []\nfor _ in range(100_000): x = [x]\njson.dumps(x)",
    "json loads": "import json\njson.loads('[' * 100_000)",
    "deallocation": "x = []\nfor _ in range(1_000_000): x = [x]\nx = None",
    "iterators": "x = iter([1])\nfor _ in range(200_000): x = map(abs, x)\nlist(x)",
    "isinstance": "t = ()\nfor _ in range(100_000): t = (t, int)\nisinstance('', t)",
    "copy": "import copy\nx = []\nfor _ in range(100_000): x = [x]\ncopy.deepcopy(x)",
    "regex": "import re\nre.compile('(' * 20_000 + ')' * 20_000)",
    "sort keys": "def f(n): return sorted([1], key=lambda x: f(n + 1))\nf(0)",
    "coroutines": "async def f(n): return await f(n + 1)\nawait f(0)",
    "generators": "def f(n):\n    yield from f(n + 1)\nlist(f(0))",
    "attribute": "class A:\n    def __getattr__(self, name): return getattr(self, name + 'x')\nA().a",
}


@pytest.mark.parametrize("name", DEPTH)
def test_depth(runner: Runner, name: str) -> None:
    failure = runner.failure(DEPTH[name])
    assert failure.code is FailureCode.STACK, failure


def test_deep_data_from_outside(runner: Runner) -> None:
    lines = "import json\nprint(len(repr(json.loads('[' * 2_000 + ']' * 2_000))))"
    assert runner.printed(lines) == ["4000"]


FLOODS = {
    "commands": "while True: api.access.deny('x')",
    "queries": "while True: api.cache.get('x')",
    "random": "import secrets\nwhile True: secrets.token_bytes(60_000)",
}


@pytest.mark.parametrize("name", FLOODS)
def test_floods_of_host_calls(runner: Runner, name: str) -> None:
    failure = runner.failure(FLOODS[name], limits=Limits(wall_ms=120_000))
    assert failure.code is FailureCode.OUTPUT, failure


def test_a_flood_of_logs_is_counted_and_cut(runner: Runner) -> None:
    result = runner.body("for _ in range(2_000): print('x' * 1000)")
    assert result.failure is None
    kept = sum(len(line.text) for line in result.logs)
    assert kept < 300_000
    assert result.logs_cut_bytes > 1_700_000


def test_the_next_execution_is_unharmed(runner: Runner) -> None:
    for lines in (GROWTH["text"], DEPTH["repr"], LOOPS["caught"]):
        runner.failure(lines, limits=Limits(wall_ms=WALL_MS))
        assert runner.printed("print(sum(range(10)))") == ["45"]
