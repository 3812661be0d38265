"""JWK sets at addresses that tenants configure: got through the egress of Actions, by its rules, and kept."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from runner.hooks.model import RefusedError
from runner.http.json_body import parse_body
from sandbox.egress.model import Egress, EgressError, FetchRequest, FetchResponse, Outcome

_KEPT_SECONDS: Final = 600.0
_AGAIN_SECONDS: Final = 30.0
"""Not sooner is an address asked again because a key was missing, or because it did not answer."""
_FETCH_SECONDS: Final = 2.0
_MAX_BYTES: Final = 64 * 1024
_MAX_SETS: Final = 1_000


@dataclass(slots=True)
class _Set:
    keys: list[dict[str, Any]] | None
    """None: it could not be had."""
    at: float


class KeySets:
    """A `KeySource`. For one event loop; sets are kept by tenant, so that none sees what another asks for."""

    def __init__(self, egress: Callable[[], Egress], monotonic: Callable[[], float] = time.monotonic) -> None:
        """`egress`: is asked for with the first request."""
        self._make = egress
        self._egress: Egress | None = None
        self._monotonic = monotonic
        self._sets: OrderedDict[tuple[str, str], _Set] = OrderedDict()
        self._running: dict[tuple[str, str], asyncio.Task[_Set]] = {}

    async def keys(self, tenant: str, url: str, *, fresh: bool = False) -> list[dict[str, Any]]:
        """See `KeySource.keys`. A set that cannot be had again is used until it can."""
        place = (tenant, url)
        kept = self._sets.get(place)
        age = None if kept is None else self._monotonic() - kept.at
        old = _AGAIN_SECONDS if fresh or kept is None or kept.keys is None else _KEPT_SECONDS
        if kept is None or age is None or age >= old:
            kept = await self._renewed(place, kept)
        if kept.keys is None:
            raise RefusedError(424, "The key set of this hook cannot be had from its address.")
        return kept.keys

    async def _renewed(self, place: tuple[str, str], before: _Set | None) -> _Set:
        task = self._running.get(place)
        if task is None:
            task = self._running[place] = asyncio.ensure_future(self._fetched(place, before))
            task.add_done_callback(lambda _: self._running.pop(place, None))
        return await asyncio.shield(task)

    async def _fetched(self, place: tuple[str, str], before: _Set | None) -> _Set:
        found = await self._fetch(place[1])
        keys = _keys(found) if isinstance(found, FetchResponse) else None
        made = _Set(before.keys if keys is None and before is not None else keys, self._monotonic())
        self._sets[place] = made
        self._sets.move_to_end(place)
        while len(self._sets) > _MAX_SETS:
            self._sets.popitem(last=False)
        return made

    async def _fetch(self, url: str) -> Outcome:
        if self._egress is None:
            self._egress = self._make()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Outcome] = loop.create_future()

        def give(outcome: Outcome) -> None:
            if not done.done():
                done.set_result(outcome)

        def settle(outcome: Outcome) -> None:
            loop.call_soon_threadsafe(give, outcome)

        session = self._egress.open(time.monotonic() + _FETCH_SECONDS)
        headers = (("accept", "application/json"),)
        session.start(
            FetchRequest(url, headers=headers, timeout_ms=_FETCH_SECONDS * 1000, redirect="error"), settle
        )
        try:
            return await asyncio.wait_for(done, _FETCH_SECONDS + 0.5)
        except TimeoutError:
            return EgressError("timeout", "the key set did not come in time")
        finally:
            session.close()


def _keys(response: FetchResponse) -> list[dict[str, Any]] | None:
    if response.status != 200 or len(response.body) > _MAX_BYTES:
        return None
    try:
        keys = parse_body(response.body)["keys"]
    except (ValueError, KeyError, TypeError):
        return None
    return [item for item in keys if isinstance(item, dict)] if isinstance(keys, list) else None
