"""The guest image: what it is made of, what it can reach, and when it is built again."""

from __future__ import annotations

import threading
import time
import zoneinfo
from collections.abc import Callable
from typing import Any

import pytest
from packaging.version import Version

from sandbox.core.caps import Limits
from sandbox.core.failure import FailureCode
from sandbox.core.program import Program
from sandbox.python import image, imports
from sandbox.python.engine import PythonEngine
from sandbox.python.instance import Guest
from sandbox.python.pool import Pool
from tests.sandbox.python.actions import Runner

WASI = f"@{imports.WASI}"
IMPORTED = {
    "actionbox:python/host",
    *(
        f"wasi:{name}{WASI}"
        for name in [
            "io/poll",
            "io/error",
            "io/streams",
            "clocks/monotonic-clock",
            "clocks/wall-clock",
            "random/random",
            "cli/stdin",
            "cli/stdout",
            "cli/stderr",
            "cli/environment",
            "cli/exit",
            "cli/terminal-input",
            "cli/terminal-output",
            "cli/terminal-stdin",
            "cli/terminal-stdout",
            "cli/terminal-stderr",
            "filesystem/types",
            "filesystem/preopens",
            "sockets/network",
            "sockets/instance-network",
            "sockets/udp",
            "sockets/udp-create-socket",
            "sockets/tcp",
            "sockets/tcp-create-socket",
            "sockets/ip-name-lookup",
        ]
    ),
}
"""Interfaces of the image. A new one must be looked at before it is added here (threat-model E5)."""

DEFINED = {
    ("actionbox:python/host", "call"),
    ("actionbox:python/host", "start"),
    ("actionbox:python/host", "wait-any"),
    (f"wasi:clocks/wall-clock{WASI}", "now"),
    (f"wasi:clocks/wall-clock{WASI}", "resolution"),
    (f"wasi:clocks/monotonic-clock{WASI}", "now"),
    (f"wasi:clocks/monotonic-clock{WASI}", "resolution"),
    (f"wasi:random/random{WASI}", "get-random-bytes"),
    (f"wasi:random/random{WASI}", "get-random-u64"),
    (f"wasi:cli/environment{WASI}", "get-environment"),
    (f"wasi:cli/environment{WASI}", "get-arguments"),
    (f"wasi:filesystem/preopens{WASI}", "get-directories"),
}
"""Functions that do anything; every other import of the image traps."""


@pytest.fixture(scope="module")
def loaded() -> image.Image:
    return image.load_image()


def test_the_import_list_is_pinned(loaded: image.Image) -> None:
    assert set(imports.imported_names(loaded.component, loaded.engine)) == IMPORTED


def test_only_these_functions_are_defined() -> None:
    assert {
        (interface, name) for interface, functions in imports.IMPORTS.items() for name in functions
    } == DEFINED


def test_versions(open_runner: Runner) -> None:
    """Floors of threat-model 10.10."""
    lines = "import sys, RestrictedPython\nprint(sys.version_info[:2], sys.platform)"
    assert open_runner.printed(lines) == ["(3, 14) wasi"]
    versions = dict(part.split("=") for part in image.image_key().split(";")[:-1])
    assert Version(versions["RestrictedPython"]) >= Version("9.0")
    assert Version(versions["wasmtime"]) >= Version("50")


def test_the_key_changes_with_the_guest(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    before = image.image_key()
    (tmp_path / "entry.py").write_text("")
    monkeypatch.setattr(image, "_GUEST", tmp_path)
    assert image.image_key() != before


def test_every_time_zone_is_packed() -> None:
    scope: dict[str, Any] = {}
    exec(image.zone_module(), scope)
    assert set(scope["ZONES"]) >= {"UTC", "Europe/Berlin", "America/New_York"}
    assert all(data.startswith(b"TZif") for data in scope["ZONES"].values())
    assert len(scope["ZONES"]) > 400
    assert zoneinfo.ZoneInfo("Europe/Berlin").key == "Europe/Berlin"


def test_a_program_of_another_image_is_refused(runner: Runner) -> None:
    built = runner.build("def on_execute_post_login(event, api): pass")
    result = runner.start(Program(built.source, built.code, "0" * 32))
    assert result.failure is not None
    assert result.failure.code is FailureCode.INTERNAL
    assert result.failure.next_step == "Build the Action again."


@pytest.mark.parametrize("code", [b"", b"r:", b"r:\0\0", b"x:abc", b"r:" + b"\xff" * 1000, b"r:i\0\0\0\0"])
def test_damaged_code_is_a_failure(runner: Runner, code: bytes) -> None:
    built = runner.build("def on_execute_post_login(event, api): pass")
    result = runner.start(Program(built.source, code, built.image))
    assert result.failure is not None


# --- the pool ---


class Counting:
    """Makes instances and keeps them, so that a test sees which are used and closed."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self.made = 0
        self.broken = False

    def instantiate(self) -> Any:
        if self.broken:
            raise OSError("no memory")
        self.made += 1
        return self._guest.instantiate()


@pytest.fixture
def counting(loaded: image.Image) -> Counting:
    return Counting(Guest(loaded.engine, loaded.component))


def use(pool: Pool, count: int) -> None:
    taken = [pool.take() for _ in range(count)]
    for instance in taken:
        pool.give_back(instance)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def test_each_instance_is_handed_out_once(counting: Counting) -> None:
    pool = Pool(counting, 2)  # type: ignore[arg-type]
    taken = [pool.take() for _ in range(5)]
    assert len({id(instance) for instance in taken}) == 5
    for instance in taken:
        pool.give_back(instance)
    more = [pool.take() for _ in range(3)]
    assert not {id(instance) for instance in more} & {id(instance) for instance in taken}
    for instance in more:
        pool.give_back(instance)
    pool.close()


def test_the_stock_is_filled_ahead(counting: Counting) -> None:
    pool = Pool(counting, 2)  # type: ignore[arg-type]
    pool.fill()
    assert counting.made == 2
    pool.close()


def test_without_a_stock_no_thread_is_started(counting: Counting) -> None:
    before = threading.active_count()
    pool = Pool(counting, 0)  # type: ignore[arg-type]
    pool.give_back(pool.take())
    assert counting.made == 1
    assert threading.active_count() == before
    pool.close()


def test_the_stock_grows_to_what_is_taken_at_once_and_shrinks_again(counting: Counting) -> None:
    pool = Pool(counting, 2)  # type: ignore[arg-type]
    use(pool, 6)
    pool.fill()
    assert (pool.ready, counting.made) == (6, 6 + 6)
    for left in (5, 4, 3, 2, 2):
        use(pool, 1)
        pool.fill()
        assert pool.ready == left
    pool.close()


def test_the_stock_has_a_cap(counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.python.pool.MOST", 4)
    pool = Pool(counting, 2)  # type: ignore[arg-type]
    use(pool, 4)
    pool.fill()
    assert pool.ready == 4
    use(pool, 5)
    pool.fill()
    assert pool.ready == 4
    pool.close()


def test_the_thread_waits_for_a_quiet_moment(counting: Counting) -> None:
    """While an Action runs nothing is made as long as the stock lasts."""
    pool = Pool(counting, 4)  # type: ignore[arg-type]
    pool.fill()
    one, other = pool.take(), pool.take()
    pool.give_back(other)
    time.sleep(0.05)
    assert (pool.ready, counting.made) == (2, 4)
    pool.give_back(one)
    eventually(lambda: pool.ready == 4)
    pool.close()


def test_nothing_is_made_ahead_while_actions_run(counting: Counting) -> None:
    """Whoever finds the stock empty makes an instance himself."""
    pool = Pool(counting, 2)  # type: ignore[arg-type]
    pool.fill()
    taken = [pool.take() for _ in range(3)]
    time.sleep(0.05)
    assert (pool.ready, counting.made) == (0, 3)
    for instance in taken:
        pool.give_back(instance)
    eventually(lambda: pool.ready == 3)
    pool.close()


def test_a_stock_that_cannot_be_filled_is_tried_again(
    counting: Counting, caplog: pytest.LogCaptureFixture
) -> None:
    pool = Pool(counting, 2)  # type: ignore[arg-type]
    counting.broken = True
    pool.fill()
    assert (pool.ready, len(caplog.records)) == (0, 1)
    counting.broken = False
    use(pool, 1)
    pool.fill()
    assert pool.ready == 2
    pool.close()


def test_a_full_stock_costs_no_processor_time(counting: Counting) -> None:
    pool = Pool(counting, 2)  # type: ignore[arg-type]
    use(pool, 1)
    pool.fill()
    waits = []
    wait = pool._changed.wait

    def noted(timeout: float | None = None) -> bool:
        waits.append(timeout)
        return wait(timeout)

    pool._changed.wait = noted  # type: ignore[method-assign]
    use(pool, 1)
    pool.fill()
    eventually(lambda: pool._sleeping)
    rounds = len(waits)
    time.sleep(0.1)
    assert len(waits) == rounds
    assert waits[-1] is None
    pool.close()


def test_a_closed_pool_gives_nothing(counting: Counting) -> None:
    pool = Pool(counting, 1)  # type: ignore[arg-type]
    instance = pool.take()
    pool.close()
    pool.close()
    with pytest.raises(RuntimeError, match="closed"):
        pool.take()
    pool.give_back(instance)


def test_a_closed_engine_fails_cleanly() -> None:
    engine = PythonEngine(pool_size=1)
    built = Runner(engine).build("def on_execute_post_login(event, api): pass")
    engine.close()
    result = Runner(engine).start(built)
    assert result.failure is not None
    assert result.failure.code is FailureCode.INTERNAL


def test_the_stock_waits_without_a_deadline(runner: Runner) -> None:
    """An instance may wait in the stock for longer than an execution may run."""
    runner.engine.warm()
    time.sleep(0.3)
    result = runner.body("print('ran')", limits=Limits(wall_ms=250))
    assert result.failure is None, result.failure
