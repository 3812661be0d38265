"""The guest image: what it imports, and that every instance starts as it says."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Language, Limits, open_engine
from sandbox.core.caps import MIB
from sandbox.javascript import image as image_module
from sandbox.javascript import toolchain
from sandbox.javascript.engine import JavaScriptEngine
from sandbox.javascript.hostcalls import IMPORTS, Host
from sandbox.javascript.image import Image, ImageError
from sandbox.javascript.null_port import Silence
from sandbox.javascript.quickjs.machine import EXPORTS
from sandbox.javascript.quickjs.memory_image import export_positions, without_memory
from sandbox.wasm.binary import PAGE_BYTES
from sandbox.wasm.calls import entered
from sandbox.wasm.engine import make_engine
from sandbox.wasm.memories import Chosen, Memories
from sandbox.wasm.rewriting import ModuleFormatError, sections
from sandbox.wasm.traps import GuestStopped, StopKind
from tests.drawn import examples
from tests.sandbox.javascript.conftest import Run


@pytest.fixture(scope="module")
def image() -> Image:
    engine = open_engine(Language.JAVASCRIPT)
    assert isinstance(engine, JavaScriptEngine)
    return engine.image


def fresh_memory(image: Image) -> bytes:
    with entered(Host(Silence())), image.store(Limits(), time.monotonic() + 5) as timed:
        memory = image.instantiate(timed.store).memory
        return memory.read(0, memory.size, memory.size)


def test_the_import_list_is_pinned() -> None:
    assert sorted(f"{item.module}.{item.name}" for item in IMPORTS) == [
        "env.host_call",
        "env.host_get_timezone_offset",
        "env.host_interrupt",
        "env.host_module_load",
        "env.host_module_normalize",
        "env.host_promise_rejection",
        "wasi_snapshot_preview1.clock_time_get",
        "wasi_snapshot_preview1.fd_close",
        "wasi_snapshot_preview1.fd_fdstat_get",
        "wasi_snapshot_preview1.fd_seek",
        "wasi_snapshot_preview1.fd_write",
        "wasi_snapshot_preview1.random_get",
    ]


def test_the_module_needs_exactly_those_imports() -> None:
    binary = (toolchain.packages(print) / "quickjs-wasi" / "quickjs.wasm").read_bytes()
    module = wasmtime.Module(wasmtime.Engine(), binary)
    assert {(item.module, item.name) for item in module.imports} == {
        (item.module, item.name) for item in IMPORTS
    }


def test_the_image_exports_no_more_than_the_host_uses(image: Image) -> None:
    assert frozenset(image.code.positions) == EXPORTS


def test_nothing_of_an_execution_is_left_for_the_next(image: Image, run: Run) -> None:
    before = fresh_memory(image)
    fill = "const a = []; for (;;) a.push('mark-7f3a'.repeat(1e4) + a.length, new Uint8Array(1e5).fill(0xa5))"
    for body in (fill, "throw 1", "for (;;);", "console.log('x')"):
        run(
            f"exports.onExecutePostLogin = () => {{ {body} }}",
            limits=Limits(wall_ms=300, memory_bytes=64 * MIB),
        )
        assert fresh_memory(image) == before
    assert b"mark-7f3a" not in before


def test_another_binary_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_module, "QUICKJS_SHA256", "0" * 64)
    monkeypatch.setattr(image_module, "_gathered", [])
    with pytest.raises(ImageError, match="not the binary"):
        image_module._build(lambda _: None)


def test_an_image_beyond_the_limit_gets_no_store(image: Image) -> None:
    """Whoever asks: executions, and those who look at what loading a program writes."""
    large = replace(image, memories=Memories(b"x", 256 * MIB))
    with pytest.raises(GuestStopped) as stopped, large.store(Limits(), time.monotonic() + 5):
        pass
    assert stopped.value.kind is StopKind.MEMORY


def test_executions_beyond_the_slots_wait_and_then_give_up_in_time(image: Image, run: Run) -> None:
    taken = 0
    try:
        while image.code.slots.acquire(blocking=False):
            taken += 1
        program_runs = "exports.onExecutePostLogin = () => {};"
        image.code.slots.release()
        taken -= 1
        assert run(program_runs).result.ok
        assert image.code.slots.acquire(blocking=False)
        taken += 1
    finally:
        for _ in range(taken):
            image.code.slots.release()
    assert taken > 8


_WAT = """(module
  (memory (export "memory") 2)
  (global (mut i32) (i32.const 1024))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "unused"))
  (data (i32.const 0) "old"))"""


@examples(30)
@given(
    st.lists(
        st.dictionaries(st.integers(0, 3 * PAGE_BYTES - 1), st.integers(1, 255), max_size=20), min_size=1
    )
)
def test_instances_of_one_module_start_as_the_image_that_was_chosen(contents: list[dict[int, int]]) -> None:
    chosen = Chosen()
    engine = make_engine(component_model=False, memories=chosen)
    bare = without_memory(bytes(wasmtime.wat2wasm(_WAT)), frozenset({"memory", "load"}))
    assert list(export_positions(bare)) == ["memory", "load"]
    module = wasmtime.Module(engine, bare)
    images = []
    for cells in contents:
        content = bytearray(3 * PAGE_BYTES)
        for at, value in cells.items():
            content[at] = value
        images.append((bytes(content), Memories(bytes(content).rstrip(b"\0"), len(content), most_idle=1)))
    for _ in range(2):
        for memory, memories in images:
            store = wasmtime.Store(engine)
            with chosen.image(memories):
                exports = wasmtime.Instance(store, module, []).exports(store)
            found = exports["memory"]
            assert isinstance(found, wasmtime.Memory)
            assert bytes(found.read(store, 0, found.data_len(store))) == memory
            found.write(store, b"mark", 2 * PAGE_BYTES)
            store.close()


def test_an_instance_without_an_image_is_not_made() -> None:
    engine = make_engine(component_model=False, memories=Chosen())
    module = wasmtime.Module(engine, without_memory(bytes(wasmtime.wat2wasm(_WAT)), frozenset({"memory"})))
    with pytest.raises(wasmtime.WasmtimeError, match="no memory"):
        wasmtime.Instance(wasmtime.Store(engine), module, [])


def test_a_module_that_lacks_an_export_or_is_none_is_refused() -> None:
    with pytest.raises(ModuleFormatError, match="missing: other"):
        without_memory(bytes(wasmtime.wat2wasm(_WAT)), frozenset({"other"}))
    with pytest.raises(ModuleFormatError, match="not a WebAssembly module"):
        list(sections(b"not wasm"))
