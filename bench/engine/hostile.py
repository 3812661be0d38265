"""Actions that try not to stop, by language; each must end within its limit + 250 ms."""

from __future__ import annotations

from typing import Final

from sandbox.core.program import Language

_JS: Final = {
    "loop": "for(;;){}",
    "loop that catches": "for(;;){ try { for(;;){} } catch (e) {} finally {} }",
    "regular expression": "/^(a+)+$/.test('a'.repeat(40) + 'b')",
    "big integer": "let x = 3n; for(;;) x = x * x",
    "big integer power": "(7n ** 3000000n).toString()",
    "sort": "for(;;) Array.from({length: 1e5}, (_, i) => (i * 7919) % 1e5).sort((a, b) => a - b)",
    "JSON": "const s = JSON.stringify(Array(20000).fill({a: [1, 2, 3]})); for(;;) JSON.parse(s)",
    "recursion": "const f = n => { try { f(n + 1) } catch (e) { f(n) } }; for(;;) f(0)",
    "microtask flood": "const t = () => Promise.resolve().then(t); await t(); await new Promise(() => t())",
    "sparse array": "const a = []; a[4294967294] = 1; for(;;) a.indexOf(2)",
    "string search": "const s = 'a'.repeat(1 << 20); for(;;) s.lastIndexOf('ab')",
    "log flood": "for(;;) console.log('x')",
    "api flood": "for(;;) api.cache.get('k')",
    "timer flood": "const t = () => setTimeout(t, 0); t(); await new Promise(() => setInterval(() => {}, 1))",
}
_PY: Final = {
    "loop": "while True: pass",
    "loop that catches": (
        "while True:\n        try:\n            while True: pass\n        except BaseException: pass"
    ),
    "regular expression": "import re; re.match(r'^(a+)+$', 'a' * 40 + 'b')",
    "big integer": "x = 3\n    while True: x = x * x",
    "big integer power": "7 ** 30_000_000",
    "integer to text": "import math; math.factorial(200_000)",
    "sort": "while True: sorted(range(100_000), key=lambda i: (i * 7919) % 100_000)",
    "JSON": (
        "import json\n    text = json.dumps([{'a': [1, 2, 3]}] * 20000)\n    while True: json.loads(text)"
    ),
    "recursion": (
        "def f(n):\n        try: f(n + 1)\n        except RecursionError: f(n)\n    while True: f(0)"
    ),
    "task flood": (
        "import asyncio\n    async def t():\n        while True: await asyncio.sleep(0)\n"
        "    await asyncio.gather(*[t() for _ in range(100)])"
    ),
    "string search": "s = 'a' * (1 << 20)\n    while True: s.rfind('ab')",
    "log flood": "while True: print('x')",
    "api flood": "while True: api.cache.get('k')",
}


def hostile(language: Language) -> dict[str, str]:
    """Source text by name."""
    if language is Language.JAVASCRIPT:
        return {
            name: f"exports.onExecutePostLogin = async (event, api) => {{\n  {body};\n}};\n"
            for name, body in _JS.items()
        }
    return {name: f"async def on_execute_post_login(event, api):\n    {body}\n" for name, body in _PY.items()}


MEMORY: Final = {
    Language.JAVASCRIPT: (
        "exports.onExecutePostLogin = async () => { const a = []; "
        "for(;;) a.push(new Uint8Array(1 << 20).fill(1)); };\n"
    ),
    Language.PYTHON: (
        "async def on_execute_post_login(event, api):\n"
        "    a = []\n    while True: a.append(bytearray(1 << 20))\n"
    ),
}
"""Actions that take memory until they are stopped."""
