"""How soon a rollback has reached every replica: from the answer that completes the evidence, or the answer
to an abort, to the last login that ran the candidate. Two services on one PostgreSQL, both with logins."""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.engine.latency import bench_event
from bench.measure import spread
from bench.report import Figure, Report
from bench.service.caller import Caller
from bench.service.invoke import INVOKE, UNLIMITED, deploy
from runner.client import Api
from runner.store import KeyRing
from sandbox.core.program import Language
from tests.e2e.serving import serve
from tests.postgres import new_database

ACTIONS: Final = "/api/v2/actions/actions"
_HANDLER: Final = "exports.onExecutePostLogin = async () => {{ {} }};"
_FAILURES: Final = 3
"""In a row, which take a candidate back."""
_ROUNDS: Final = 10
_TARGET_MS: Final = "<= 1000 ms"


@dataclass(slots=True)
class _Seen:
    """Times of the candidate's answers, with the replica. `began`: from which the rollback is waited for;
    `ended`: the service says that it is over."""

    replicas: int
    canary: list[tuple[float, int]] = field(default_factory=list)
    began: float | None = None
    ended: bool = False

    def reached_ms(self) -> float:
        """Until the last replica ran it for the last time."""
        assert self.began is not None
        return max(0.0, *(1000 * (at - self.began) for at, _ in self.canary))

    @property
    def everywhere(self) -> bool:
        """Every replica has run it."""
        return {replica for _, replica in self.canary} == {*range(self.replicas)}


def measured() -> Report:
    """By evidence, and by hand."""
    made = Report(
        "From a rollback to the last login with the candidate (2 replicas with 1 worker each, PostgreSQL)",
        ("taken back by",),
        ("until then", "longest", "target"),
    )
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        KeyRing.create(Path(folder) / "keys.json")
        settings: dict[str, Any] = {**UNLIMITED, "DATABASE_URL": new_database()}
        one = stack.enter_context(serve(Path(folder), **settings))
        other = stack.enter_context(serve(Path(folder), known=one, **settings))
        api = one.api()
        token = deploy(api, Language.JAVASCRIPT)
        (action,) = api.get(ACTIONS).value["actions"]
        path = f"{ACTIONS}/{action['id']}"
        users = itertools.count()
        for name, body in (("three failures", "throw new Error('x')"), ("abort", "")):
            _draft(api, path, _HANDLER.format(body))
            found = []
            for _ in range(_ROUNDS):
                callers = [Caller(item.url, token) for item in (one, other)]
                rollout = _started(api, path)
                found.append(asyncio.run(_round(callers, users, api, rollout, by_hand=name == "abort")))
            made.add(name, spread(found), Figure(max(found), "ms", 0), _TARGET_MS)
    return made


def _draft(api: Api, path: str, code: str) -> None:
    api.send("PATCH", path, body={"code": code})
    while api.get(path).value["status"] != "built":
        time.sleep(0.1)


def _started(api: Api, path: str) -> str:
    """The path of a new rollout."""
    stages = [{"canary": {"percent": 50, "events": 1_000_000}}, {"promote": True}]
    body = {"stages": stages, "guards": {"failed": {}}}
    return f"{path}/rollouts/{api.send('POST', f'{path}/rollouts', body=body).value['id']}"


async def _round(
    callers: list[Caller], users: Iterator[int], api: Api, rollout: str, *, by_hand: bool
) -> float:
    """Milliseconds until the last replica has gone back."""
    seen = _Seen(len(callers))
    logins = [
        asyncio.create_task(_log_in(caller, index, users, seen)) for index, caller in enumerate(callers)
    ]
    while len(seen.canary) < _FAILURES or (by_hand and not seen.everywhere):
        await asyncio.sleep(0.005)
    if by_hand:
        await asyncio.to_thread(api.send, "POST", f"{rollout}/abort")
        seen.began = time.perf_counter()
    else:
        seen.began = seen.canary[_FAILURES - 1][0]
    while (await asyncio.to_thread(api.get, rollout)).value["state"] == "running":
        await asyncio.sleep(0.1)
    seen.ended = True
    await asyncio.gather(*logins)
    return seen.reached_ms()


async def _log_in(caller: Caller, replica: int, users: Iterator[int], seen: _Seen) -> None:
    """Users one after another, until the rollout is over and this replica knows it."""
    event, arm = json.loads(bench_event()), ""
    while not seen.ended or arm is not None:
        event["user"]["user_id"] = f"user {next(users)}"
        answer = (await caller.send(INVOKE, json.dumps({"event": event}).encode())).json()
        arm = answer["actions"][0]["version"]["arm"]
        if arm == "canary":
            seen.canary.append((time.perf_counter(), replica))
