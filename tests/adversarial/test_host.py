"""The host's side (threat-model E4, E7, M1, I2, S4): its faults tell nothing, its memory is bounded, and a
broken guest breaks alone."""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.flow.runner import Runner
from sandbox.egress import NoEgress
from sandbox.port.live import Clock
from tests.adversarial.arena import OURS, PATIENT, attack, canary, ended
from tests.flow.actions import javascript, python
from triggers import get_trigger

TOLD = "fault at /srv/hidden/path.py line 7"


def broken(*_: Any) -> Any:
    raise RuntimeError(TOLD)


class BrokenEgress:
    def open(self, deadline: float) -> Any:
        raise RuntimeError(TOLD)


class BrokenCache:
    get = set = delete = put = remove = entries = items = broken

    def __getattr__(self, name: str) -> Any:
        return broken


CALLS = {
    "entropy": (javascript("for (let i = 0; i < 3; i++) try { console.log(crypto.randomUUID()) } catch (e) { console.log(String(e), e.stack) }"), python("import secrets\ntry: print(secrets.token_hex())\nexcept BaseException as e: print(repr(e))")),
    "clock": (javascript("try { console.log(Date.now()) } catch (e) { console.log(String(e)) }"), python("import time\ntry: print(time.time())\nexcept BaseException as e: print(repr(e))")),
    "egress": (javascript("try { await fetch('https://a.example/') } catch (e) { console.log(String(e), e.cause) }"), python("try: await fetch('https://a.example/')\nexcept BaseException as e: print(repr(e))")),
    "api": (javascript("try { api.cache.get('a') } catch (e) { console.log(String(e), e.stack) }"), python("try: api.cache.get('a')\nexcept BaseException as e: print(repr(e))")),
}  # fmt: skip


@pytest.mark.parametrize("where", CALLS)
@pytest.mark.parametrize("language", [0, 1], ids=["javascript", "python"])
def test_a_fault_of_ours_is_internal_and_says_nothing(where: str, language: int) -> None:
    """Injected in each import: the guest may catch what it can, the outcome is ours all the same."""
    every: dict[str, dict[str, Any]] = {
        "entropy": {"entropy": broken},
        "clock": {"clock": Clock(wall=broken)},
        "egress": {"egress": BrokenEgress()},
        "api": {"caches": lambda *_: BrokenCache()},
    }
    runner = Runner(**{"egress": NoEgress(), **every[where]})
    outcome = runner.run("post-login", get_trigger("post-login").example_event, [CALLS[where][language]])
    text = outcome.to_json()
    assert "hidden/path" not in text
    assert "RuntimeError" not in text
    assert not any(mark in text for mark in OURS)
    assert outcome.failure is not None
    assert outcome.failure.code == "internal"
    canary()


SHAPES = {
    "proxy keys that wrap": "Object.keys(new Proxy({}, { ownKeys: () => ({ length: 2 ** 32 - 1 }) }))",
    "proxy keys of half": "Reflect.ownKeys(new Proxy({}, { ownKeys: () => ({ length: 2 ** 29 }) }))",
    "typed array that shrinks": "const b = new ArrayBuffer(8e5, { maxByteLength: 8e5 }), t = new Float64Array(b); t.sort(() => { try { b.resize(8) } catch {} return 1 })",
    "detached buffer": "const b = new ArrayBuffer(1e5); const t = new Uint8Array(b); structuredClone(b, { transfer: [b] }); t.fill(1); t.set([1])",
    "species of another length": "class A extends Array { static get [Symbol.species]() { return function () { return { length: 2 ** 32 } } } } new A(1, 2, 3).splice(0, 2)",
    "length that lies": "Array.prototype.splice.call({ length: 2 ** 53 - 1 }, 2 ** 53 - 2, 1)",
    "array from a liar": "Array.from({ length: 2 ** 32 })",
    "apply of many": "Math.max.apply(null, { length: 2 ** 31 })",
    "regular expression of captures": "'x'.replace(new RegExp('(x)'.repeat(250)), (...a) => a.length)",
    "last index": "const r = /a/g; r.lastIndex = 2 ** 31; r.exec('a'); r.lastIndex = -1; r.exec('a')",
    "big integer of bits": "BigInt.asUintN(2 ** 31, -1n)",
    "shift": "1n << (2n ** 40n)",
    "data view": "new DataView(new ArrayBuffer(8)).getFloat64(2 ** 32)",
    "string of the longest": "'x'.repeat(2 ** 30 - 1)",
    "padding": "'x'.padEnd(2 ** 30, 'ab')",
    "error while sorting": "[3, 2, 1].sort(() => { throw 1 })",
    "getter that deletes": "const a = [1, 2, 3]; Object.defineProperty(a, 0, { get() { a.length = 0; return 1 } }); a.slice(); a.concat(a); JSON.stringify(a)",
    "toJSON that changes": "const a = [1, 2, 3]; a[0] = { toJSON() { a.length = 0 } }; JSON.stringify(a); api.user.setUserMetadata('a', a)",
    "weak references": "for (let i = 0; i < 1e4; i++) new WeakRef({}); for (let i = 0; i < 1e4; i++) new FinalizationRegistry(() => {}).register({}, 1)",
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_of_known_engine_faults_stay_inside(name: str) -> None:
    """A wrong end of one's own at the most; `attack` runs the bystander."""
    outcome = attack(javascript(SHAPES[name]), limits=PATIENT)
    if outcome.failure is not None:
        ended(outcome, {"throw", "memory", "stack", "timeout", "output", "invalid_command"})


MEMORY = r"""
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from sandbox.core.caps import MIB, Limits
from tests.adversarial import arena
from tests.flow.actions import javascript, python

LIMIT = 64
JS = {
    "arrays": "const a = []; for (;;) a.push(new Array(1e5).fill(1))",
    "buffers": "const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))",
    "strings": "const a = []; for (let i = 0; ; i++) a.push(('x' + i).repeat(1e5).split(''))",
    "claim": "const s = 'x'.repeat(12e6); for (let i = 0; i < 20; i++) try { api.idToken.setCustomClaim('a', s) } catch {}",
    "log": "const s = 'é'.repeat(8e6); for (let i = 0; i < 20; i++) console.log(s)",
    "message": "throw new Error('x'.repeat(2e7))",
    "random": "for (;;) crypto.getRandomValues(new Uint8Array(65536))",
    "queries": "const s = 'x'.repeat(2e5); for (;;) try { api.cache.get(s) } catch {}",
    "commands": "for (;;) api.access.deny('x'.repeat(1e5))",
}
PY = {
    "list": "a = []\nwhile True: a.append('x' * 1000 + str(len(a)))",
    "bytes": "b = bytearray()\nwhile True: b.extend(b'x' * 100_000)",
    "claim": "s = 'x' * 10_000_000\nfor _ in range(20):\n    try: api.id_token.set_custom_claim('a', s)\n    except Exception: pass",
    "log": "s = 'é' * 5_000_000\nfor _ in range(20): print(s)",
    "message": "raise ValueError('x' * 10_000_000)",
    "random": "import secrets\nwhile True: secrets.token_bytes(60_000)",
    "commands": "while True: api.access.deny('x' * 100_000)",
}

def status(name):
    text = Path("/proc/self/status").read_text()
    return int(text.partition(name + ":")[2].split()[0]) / 1024

def reset():
    Path("/proc/self/clear_refs").write_text("5")

arena.canary()
grown = {}
for make, table in ((javascript, JS), (python, PY)):
    for name, body in table.items():
        for _ in range(2):  # the first brings in what stays: code, pools
            reset()
            before = status("VmRSS")
            arena.run(make(body), limits=Limits(wall_ms=1_500, memory_bytes=LIMIT * MIB))
            most = status("VmHWM") - before
        grown[f"{make.__name__} {name}"] = round(most, 1)
print(json.dumps({"limit": LIMIT, "grown": grown}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_attack_costs_the_host_more_than_its_limit_and_16_mib(tmp_path: Path) -> None:
    """Highest resident memory during each attack, in a process of its own (threat-model M1, M2)."""
    root = Path(__file__).parents[2]
    script = tmp_path / "memory.py"
    script.write_text(MEMORY)
    done = subprocess.run(
        [sys.executable, str(script), str(root)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        cwd=root,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout.splitlines()[-1])
    over = {name: most for name, most in report["grown"].items() if most > report["limit"] + 16}
    assert not over, report
