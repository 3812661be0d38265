"""Trivial Action, 3 kB event, fresh instance per execution, beside a floor and beside native peers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import wasmtime

import sandbox
from bench.measure import Sampler, in_turn, sampler
from bench.peers import PEERS, MissingError, blocks_of, running, version_of
from bench.report import Report
from sandbox.core.caps import Limits
from sandbox.core.program import JsonValue, Language, Request, Source
from sandbox.egress import NoEgress
from sandbox.port.interface import ApiReply
from sandbox.port.live import LivePort
from sandbox.wasm.engine import make_engine, ticks
from triggers import get_trigger

RUNS: Final = 1000
OURS: Final = "actionbox"
PEER: Final = "peer"
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


def floor() -> Callable[[], None]:
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

    return once


def sandboxed(language: Language) -> Callable[[], None]:
    """The trivial Action in a fresh instance."""
    program = sandbox.build(Source(language, "bench", TRIVIAL[language]))
    limits, what = Limits(), request()

    def once() -> None:
        result = sandbox.run(program, what, limits, LivePort(RecordingApi(), NoEgress(), limits))
        assert result.failure is None, result.failure
        assert len(result.commands) == 1

    return once


@dataclass(frozen=True, slots=True)
class _Own:
    """One of our rows. `pause`: seconds between executions, in which the pool of instances catches up."""

    whose: str
    title: str
    make: Callable[[], Callable[[], None]]
    pause: float = 0.0
    target: str = ""


_OWN: Final = {
    "floor": _Own("floor", "empty wasm module", floor),
    "javascript": _Own(OURS, "JavaScript", lambda: sandboxed(Language.JAVASCRIPT), target="<= 0.9, aim 0.4"),
    "python": _Own(OURS, "Python, pre-warmed", lambda: sandboxed(Language.PYTHON), 0.008, "<= 1.2, aim 0.8"),
    "python-at-once": _Own(OURS, "Python, back to back", lambda: sandboxed(Language.PYTHON)),
}


def measured() -> Report:
    """All of them in turns, each in a process of its own, so that their ratios hold on a machine that others
    share and none is in another's way."""
    found = Report(
        "Trivial Action, 3 kB event, fresh instance for each execution",
        ("whose", "what"),
        ("execution", "runs", "target p50"),
    )
    rows: list[tuple[str, str, Sampler, str]] = []
    with ExitStack() as stack:
        for name, own in _OWN.items():
            command = [sys.executable, "-m", "bench.engine.latency", name]
            sample = stack.enter_context(blocks_of(command, bench_event(), os.environ))
            rows.append((own.whose, own.title, sample, own.target))
        for peer in PEERS:
            try:
                package, number = version_of(peer)
                rows.append((PEER, peer.title, stack.enter_context(running(peer, bench_event())), ""))
            except MissingError as missing:
                found.leave_out(PEER, peer.title, why=str(missing))
                continue
            found.versions[package] = number
        spreads = in_turn([sample for _, _, sample, _ in rows], RUNS)
    for (whose, what, _, target), result in zip(rows, spreads, strict=True):
        found.add(whose, what, result, str(result.runs), target)
    return found


def main() -> None:
    """One of `_OWN`, by the protocol of peers; its event is made here, from the same trigger."""
    own = _OWN[sys.argv[1]]
    sample = sampler(own.make(), own.pause)
    sys.stdin.readline()
    for line in sys.stdin:
        print(json.dumps(sample(int(line))), flush=True)


if __name__ == "__main__":
    main()
