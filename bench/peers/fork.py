"""Peer: the same Action in native CPython, one forked process with resource limits per execution.

A process of its own without threads, so that fork is safe.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from typing import Any

SOURCE = """
async def on_execute_post_login(event, api):
    if event["user"]["email_verified"]:
        api.append(["id_token.set_custom_claim", ["https://bench.example/plan", event["client"]["name"]]])
"""


def child(code: Any, event: str, pipe: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
    resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
    names: dict[str, Any] = {}
    commands: list[Any] = []
    exec(code, names)
    asyncio.run(names["on_execute_post_login"](json.loads(event), commands))
    os.write(pipe, json.dumps(commands).encode())
    os._exit(0)


def once(code: Any, event: str) -> None:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        child(code, event, write)
    os.close(write)
    outcome = b""
    while part := os.read(read, 65536):
        outcome += part
    os.close(read)
    os.waitpid(pid, 0)
    assert len(json.loads(outcome)) == 1, outcome


def main() -> None:
    event, code = sys.stdin.readline(), compile(SOURCE, "action.py", "exec")
    for line in sys.stdin:
        samples = []
        for _ in range(int(line)):
            start = time.perf_counter()
            once(code, event)
            samples.append((time.perf_counter() - start) * 1000)
        print(json.dumps(samples), flush=True)


if __name__ == "__main__":
    main()
