"""Memories that are used again start as their image, byte for byte."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from sandbox.wasm import memories as module
from sandbox.wasm.engine import make_engine, ticks
from sandbox.wasm.memories import Memories

PAGE = 65_536
WASM = """
(module
  (memory (export "memory") 4)
  (func (export "fill") (param $at i32) (param $count i32) (param $byte i32)
    (memory.fill (local.get $at) (local.get $byte) (local.get $count)))
  (func (export "read") (param $at i32) (result i32) (i32.load8_u (local.get $at)))
  (func (export "grow") (param $pages i32) (result i32) (memory.grow (local.get $pages))))
"""


def image(pages: int = 4) -> bytes:
    return random.Random(7).randbytes(pages * PAGE)


class Guests:
    """Instances of one small module over `memories`."""

    def __init__(self, content: bytes, text: str = WASM) -> None:
        self.memories = Memories(content)
        self.engine = make_engine(component_model=False, memories=self.memories)
        self._module = wasmtime.Module(self.engine, text)

    @contextmanager
    def instance(self) -> Iterator[Instance]:
        store = wasmtime.Store(self.engine)
        store.set_epoch_deadline(ticks(20))
        try:
            yield Instance(store, wasmtime.Instance(store, self._module, []))
        finally:
            store.close()

    def fresh(self) -> bytes:
        """What a new instance finds."""
        with self.instance():
            return self.memories.contents()[-1]


class Instance:
    def __init__(self, store: wasmtime.Store, instance: wasmtime.Instance) -> None:
        self._store = store
        self._exports = instance.exports(store)

    def __getattr__(self, name: str) -> Any:
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        return lambda *arguments: function(self._store, *arguments)


@pytest.fixture
def guests() -> Iterator[Guests]:
    made = Guests(image())
    yield made
    made.memories.close()


def test_an_instance_starts_as_the_image(guests: Guests) -> None:
    assert guests.fresh() == image()


def test_what_was_written_is_gone_and_the_memory_used_again(guests: Guests) -> None:
    for round_number in range(5):
        with guests.instance() as instance:
            for at in random.Random(round_number).sample(range(4 * PAGE - 9), 20):
                instance.fill(at, 9, round_number)
        assert guests.memories.idle == 1
        assert guests.fresh() == image()


def test_everything_written_is_gone(guests: Guests) -> None:
    with guests.instance() as instance:
        instance.fill(0, 4 * PAGE, 0xEE)
        assert instance.read(4 * PAGE - 1) == 0xEE
    assert guests.fresh() == image()


def test_instances_side_by_side_share_nothing(guests: Guests) -> None:
    with guests.instance() as one, guests.instance() as other:
        one.fill(0, 4 * PAGE, 1)
        assert other.read(5) == image()[5]
        assert guests.memories.living == 2


def test_what_grew_is_gone(guests: Guests) -> None:
    for _ in range(3):
        with guests.instance() as instance:
            assert instance.grow(3) == 4
            instance.fill(4 * PAGE, 3 * PAGE, 0xEE)
            assert len(guests.memories.contents()[0]) == 7 * PAGE
        assert guests.fresh() == image()
        with guests.instance() as instance:
            with pytest.raises(wasmtime.Trap, match="out of bounds"):
                instance.read(4 * PAGE)
            instance.grow(1)
            assert instance.read(4 * PAGE + 100) == 0


def test_much_that_was_written_is_mapped_anew(monkeypatch: pytest.MonkeyPatch, guests: Guests) -> None:
    monkeypatch.setattr(module, "MAX_KEPT_BYTES", PAGE)
    for size in (PAGE - module.PAGE, PAGE, PAGE + 1, 4 * PAGE):
        with guests.instance() as instance:
            instance.fill(0, size, 0xEE)
        assert guests.fresh() == image()


def test_written_pages_are_found(guests: Guests) -> None:
    """The fast way is in use where it can be: on Linux with /proc."""
    pages = module._PageMap()
    with guests.instance() as instance:
        instance.read(0)
        instance.fill(3 * module.PAGE + 5, 1, 1)
        base = next(iter(guests.memories._living.values())).base
        found = pages.written(base, 4 * PAGE)
    if sys.platform == "linux" and os.access("/proc/self/pagemap", os.R_OK):
        assert found == [(3 * module.PAGE, 4 * module.PAGE)]


def test_without_word_of_written_pages(monkeypatch: pytest.MonkeyPatch, guests: Guests) -> None:
    """Where the kernel does not tell them, say in a container without /proc."""
    monkeypatch.setattr(module._PageMap, "written", lambda *_: None)
    with guests.instance() as instance:
        instance.fill(0, 4 * PAGE, 0xEE)
    assert guests.memories.idle == 1
    assert guests.fresh() == image()


def test_reading_about_pages_that_is_forbidden_later(
    monkeypatch: pytest.MonkeyPatch, guests: Guests, caplog: pytest.LogCaptureFixture
) -> None:
    """Workers give up system calls once they have begun."""
    guests.fresh()

    def forbidden(*_: object) -> bytes:
        raise PermissionError

    monkeypatch.setattr(os, "pread", forbidden)
    with guests.instance() as instance:
        instance.fill(0, 4 * PAGE, 0xEE)
    assert guests.memories.idle == 1
    assert guests.fresh() == image()
    assert not caplog.records


def test_a_memory_that_cannot_be_cleaned_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch, guests: Guests
) -> None:
    def broken(*_: object) -> None:
        raise OSError("no such luck")

    monkeypatch.setattr(module._PageMap, "written", broken)
    with guests.instance() as instance:
        instance.fill(0, 4 * PAGE, 0xEE)
    assert (guests.memories.idle, guests.memories.living) == (0, 0)
    assert guests.fresh() == image()


def test_few_memories_are_kept_idle(guests: Guests) -> None:
    stores = [guests.instance() for _ in range(module.MAX_IDLE + 2)]
    for store in stores:
        store.__enter__()
    for store in stores:
        store.__exit__(None, None, None)
    assert (guests.memories.idle, guests.memories.living) == (module.MAX_IDLE, 0)


def test_a_module_that_wants_more_than_the_image_is_refused(guests: Guests) -> None:
    larger = Guests(image(), '(module (memory (export "memory") 5))')
    with pytest.raises(wasmtime.WasmtimeError), larger.instance():
        pass
    assert larger.memories.living == 0
    assert guests.fresh() == image()


@pytest.mark.parametrize("content", [b"", b"x" * 100])
def test_an_image_is_whole_pages(content: bytes) -> None:
    with pytest.raises(ValueError, match="whole pages"):
        Memories(content)


def run_script(text: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own that can import this module."""
    root = Path(__file__).parents[3]
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_forked_process_looks_at_its_own_pages() -> None:
    script = """
        import os, sys
        from tests.sandbox.wasm.test_memories import PAGE, Guests, image
        guests = Guests(image())
        with guests.instance() as instance:
            instance.fill(0, 10, 1)
        if os.fork() == 0:
            with guests.instance() as instance:
                instance.fill(2 * PAGE, PAGE, 0xEE)
            os._exit(0 if guests.memories.idle == 1 and guests.fresh() == image() else 3)
        sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
    """
    done = run_script(script)
    assert done.returncode == 0, done.stderr


def test_stores_left_open_at_the_end_of_the_process_do_no_harm() -> None:
    script = """
        from tests.sandbox.wasm.test_memories import Guests, image
        guests = Guests(image())
        left = guests.instance()
        left.__enter__().fill(0, 10, 1)
    """
    done = run_script(script)
    assert (done.returncode, done.stderr) == (0, "")
