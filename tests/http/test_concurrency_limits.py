"""Places for long requests: so many of one tenant, so many of all, and given back whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from runner.http.concurrency_limits import InFlight, Slots
from runner.http.errors import ApiError


@pytest.mark.parametrize("limit", [Slots(2, 100), InFlight(2)])
def test_a_tenant_has_so_many_places_and_no_more(limit: Slots | InFlight) -> None:
    with limit.taken("a"), limit.taken("a"):
        with pytest.raises(ApiError) as caught, limit.taken("a"):
            pass
        assert (caught.value.status_code, caught.value.error_code) == (429, "too_many_requests")
        assert (caught.value.headers or {})["Retry-After"] == "1"
        with limit.taken("b"):
            pass
    with limit.taken("a"), limit.taken("a"):
        pass


@pytest.mark.parametrize("limit", [Slots(1, 100), InFlight(1)])
def test_a_request_that_fails_gives_its_place_back(limit: Slots | InFlight) -> None:
    for _ in range(3):
        with contextlib.suppress(ZeroDivisionError), limit.taken("a"):
            raise ZeroDivisionError


def test_all_tenants_together_have_so_many_places() -> None:
    slots = Slots(each=2, everyone=3)
    with slots.taken("a"), slots.taken("a"), slots.taken("b"), pytest.raises(ApiError), slots.taken("c"):
        pass
    with slots.taken("c"):
        pass


def test_work_runs_in_threads_of_its_own_and_further_work_is_refused() -> None:
    slots = Slots(each=2, everyone=2)
    here, gone = threading.Barrier(3), threading.Event()

    def work() -> int:
        here.wait(20)
        gone.wait(20)
        return threading.get_ident()

    async def both() -> list[int]:
        running = [asyncio.create_task(slots.run("a", work)) for _ in range(2)]
        await asyncio.to_thread(here.wait, 20)
        with pytest.raises(ApiError):
            await slots.run("a", work)
        gone.set()
        return await asyncio.gather(*running)

    assert len({*asyncio.run(both()), threading.get_ident()}) == 3
