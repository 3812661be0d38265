"""Memory of one live instance. `python -m bench.engine.instances LANGUAGE` measures in a process of its own.

Many executions are held inside an api call at the same time, so that each has its instance, and the private
memory of the process is divided by their number: once at their first use of memory, once when every
instance gets memory that earlier executions have used, as in a process that has been busy.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bench.engine.latency import TRIVIAL, request
from bench.measure import private_bytes
from sandbox.core.caps import Limits
from sandbox.core.program import JsonValue, Language, Source
from sandbox.egress import NoEgress
from sandbox.engine import Engine
from sandbox.execution import execute
from sandbox.javascript.engine import JavaScriptEngine
from sandbox.port.interface import ApiReply
from sandbox.port.live import LivePort
from sandbox.python.engine import PythonEngine

LIVE: Final = 16
"""Instances at once."""
ROUNDS: Final = 3


class HoldingApi:
    """Lets nobody go on before everybody is here and the memory is read."""

    def __init__(self) -> None:
        self.here = threading.Barrier(LIVE + 1)
        self.read = threading.Barrier(LIVE + 1)

    def call(self, path: str, arguments: list[JsonValue]) -> ApiReply:  # noqa: ARG002
        self.here.wait()
        self.read.wait()
        return {"recorded": True}


def engine_of(language: Language) -> Engine:
    """An engine without a stock of instances, which would be counted as well."""
    return JavaScriptEngine() if language is Language.JAVASCRIPT else PythonEngine(pool_size=0)


def measure_here(language: Language) -> list[float]:
    """Bytes of private memory per instance, in each round."""
    engine, limits, what = engine_of(language), Limits(), request()
    program = engine.build(Source(language, "bench", TRIVIAL[language]), limits)
    found = []
    with ThreadPoolExecutor(LIVE) as threads:
        list(
            threads.map(lambda _: threading.Event().wait(0.01), range(LIVE))
        )  # their stacks count for nobody
        before = private_bytes()
        for _ in range(ROUNDS):
            api = HoldingApi()
            runs = [
                threads.submit(execute, engine, program, what, limits, LivePort(api, NoEgress(), limits))
                for _ in range(LIVE)
            ]
            api.here.wait()
            found.append((private_bytes() - before) / LIVE)
            api.read.wait()
            failures = [run.result().failure for run in runs]
            assert failures == [None] * LIVE, failures
    return found


def measure(language: Language) -> list[float]:
    """The same in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.engine.instances", language.value],
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(value) for value in json.loads(done.stdout)]


if __name__ == "__main__":
    json.dump(measure_here(Language(sys.argv[1])), sys.stdout)
