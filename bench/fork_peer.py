"""Peer: the same Action in native CPython, one forked process with resource limits per execution.

Run as a script in a process of its own (no threads, so that fork is safe); prints milliseconds as JSON.
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
    while os.read(read, 65536):
        pass
    os.close(read)
    os.waitpid(pid, 0)


def main() -> None:
    event, runs = sys.stdin.read(), int(sys.argv[1])
    code = compile(SOURCE, "action.py", "exec")
    samples = []
    for index in range(runs + 20):
        start = time.perf_counter()
        once(code, event)
        if index >= 20:
            samples.append((time.perf_counter() - start) * 1000)
    json.dump(samples, sys.stdout)


if __name__ == "__main__":
    main()
