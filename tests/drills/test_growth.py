"""Many requests of all kinds against one service: memory, open files and what it remembers stay bounded."""

from __future__ import annotations

import itertools
import os
import random
import threading
import uuid
from pathlib import Path
from typing import Any

import urllib3

from tests.drills.outage import Answer, call, invoke, prepared, workers_of
from tests.drills.rounds import rounds
from tests.e2e.serving import Served, serve

FAST: dict[str, Any] = {"ACTIONBOX_RATE_BURST": "1000000", "ACTIONBOX_RATE_PER_SECOND": "1000000"}
THREADS = 4
MIB = 1024 * 1024
SPARE_MIB = 24
"""What a heap may still grow by after the first part; a kilobyte kept for each request is more."""


def test_a_long_day(tmp_path: Path) -> None:
    """The first part fills pools and caches, the second must not add to them."""
    count = rounds(500, 10_000)
    with serve(tmp_path, **FAST) as served:
        prepared(served)
        many(served, count)
        before, files = resident(served), open_files(served)
        many(served, count)
        after = resident(served)
        assert served.process.poll() is None
        for pid, size in before.items():
            assert after.get(pid, 0) - size < SPARE_MIB * MIB, (before, after)
        assert open_files(served) <= files + 8
        assert "Traceback" not in served.output


def many(served: Served, count: int) -> None:
    """`count` requests of a few clients at once; half a request in twenty is aborted."""
    numbers = itertools.count()
    wrong: list[Answer] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        while next(numbers) < count:
            answer = chance.choice(KINDS)(served)
            if answer.status >= 500 or answer.status == 0:
                wrong.append(answer)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]


def forged(served: Served) -> Answer:
    """A token of nobody, different each time."""
    url = served.url.replace("localhost", "127.0.0.1") + "/runtime/v1/executions"
    headers = {"Authorization": f"Bearer {uuid.uuid4().hex}.{uuid.uuid4().hex}.{uuid.uuid4().hex}"}
    reply = HTTP.request("GET", url, headers=headers)
    return Answer(reply.status, None, reply.headers)


HTTP = urllib3.PoolManager(maxsize=THREADS, retries=False, timeout=60)
KINDS = (
    lambda served: invoke(served),
    lambda served: invoke(served, uuid.uuid4().hex),
    lambda served: call(served, "POST", f"/runtime/v1/triggers/{uuid.uuid4().hex}/invoke", {"event": {}}),
    lambda served: call(
        served, "POST", "/runtime/v1/triggers/post-login/invoke", {"event": {uuid.uuid4().hex: 1}}
    ),
    lambda served: call(served, "POST", "/runtime/v1/resume", {"handle": uuid.uuid4().hex}),
    lambda served: call(served, "GET", f"/runtime/v1/executions/{uuid.uuid4()}"),
    lambda served: call(served, "GET", f"/{uuid.uuid4().hex}"),
    lambda served: call(served, "GET", "/runtime/v1/executions?per_page=5"),
    lambda served: call(served, "GET", f"/api/v2/actions/actions?actionName={uuid.uuid4().hex}"),
    lambda served: call(served, "GET", "/ready"),
    forged,
)


def resident(served: Served) -> dict[int, int]:
    """Bytes in memory of the service and each of its sandboxes."""
    page = os.sysconf("SC_PAGE_SIZE")
    return {
        pid: int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page
        for pid in {served.process.pid, *workers_of(served)}
    }


def open_files(served: Served) -> int:
    return len(list(Path(f"/proc/{served.process.pid}/fd").iterdir()))
