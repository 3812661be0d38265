"""Other sandboxes for the same Action. Each, and ours beside them, is a process that runs blocks on request.

It reads the event from the first line of its input. Each further line is a number of executions, which it
answers with a JSON list: the milliseconds of each. JavaScript peers run in the Node that comes with us; npm
installs their packages by the lock file in this folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.measure import UNCOUNTED, Sampler
from sandbox.javascript.toolchain import ToolchainError, installed, node

HERE: Final = Path(__file__).parent
_WARM_UP: Final = 20


@dataclass(frozen=True, slots=True)
class Peer:
    """Attributes:
    title: in tables and in the chart.
    script: in this folder; Python or JavaScript.
    package: the npm package that it measures, if any.
    """

    title: str
    script: str
    package: str = ""


PEERS: Final = (
    Peer("Node, vm context (no boundary)", "vm.js"),
    Peer("isolated-vm, fresh isolate", "isolated_vm.js", "isolated-vm"),
    Peer("quickjs-emscripten, fresh runtime", "quickjs_emscripten.js", "quickjs-emscripten"),
    Peer("CPython, forked process", "fork.py"),
)


class MissingError(Exception):
    """A peer cannot be measured here; the text says why."""


@contextlib.contextmanager
def running(peer: Peer, event: str) -> Iterator[Sampler]:
    """A process of the peer. See `blocks_of`; raises `MissingError` also when it does not install."""
    with blocks_of(_command(peer), event, _environment(peer)) as sample:
        yield sample


@contextlib.contextmanager
def blocks_of(command: list[str], event: str, environment: Mapping[str, str]) -> Iterator[Sampler]:
    """A process, warmed up, that runs its Action on `event` (JSON on one line) as often as it is told.

    Raises:
        MissingError: it does not start.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(environment), text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    source, sink = process.stdout, process.stdin

    def sample(runs: int) -> list[float]:
        try:
            sink.write(f"{UNCOUNTED + runs}\n")
            sink.flush()
            answer = source.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise MissingError(f"{Path(command[-1]).name} ended with {process.wait(10)}; it says why above")
        return [float(ms) for ms in json.loads(answer)][UNCOUNTED:]

    try:
        with contextlib.suppress(BrokenPipeError):
            sink.write(f"{event}\n")
        sample(_WARM_UP)
        yield sample
    finally:
        process.kill()
        process.wait()
        source.close()
        with contextlib.suppress(BrokenPipeError):
            sink.close()


def version_of(peer: Peer) -> tuple[str, str]:
    """Name and version of what a peer runs on. Raises `MissingError`."""
    if peer.package:
        manifest = json.loads((_modules() / peer.package / "package.json").read_text(encoding="utf-8"))
        return peer.package, str(manifest["version"])
    if peer.script.endswith(".py"):
        return "python", sys.version.split()[0]
    return "node", subprocess.check_output([_node(), "--version"], text=True).strip().removeprefix("v")


def _command(peer: Peer) -> list[str]:
    return [sys.executable if peer.script.endswith(".py") else _node(), str(HERE / peer.script)]


def _environment(peer: Peer) -> dict[str, str]:
    return {**os.environ, "NODE_PATH": str(_modules())} if peer.package else dict(os.environ)


def _modules() -> Path:
    try:
        return installed(HERE, lambda text: print(text, file=sys.stderr))
    except ToolchainError as error:
        print(error, file=sys.stderr)
        raise MissingError(
            str(error).partition("\n")[0]
        ) from None  # npm's own words name this machine's paths


def _node() -> str:
    try:
        return str(node())
    except ToolchainError as error:
        raise MissingError(str(error)) from None
