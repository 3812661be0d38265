"""Functions put in the place of others, in a module that runs."""

from __future__ import annotations

import pytest
import wasmtime

from sandbox.wasm import rewriting as w
from sandbox.wasm.binary import read_unsigned, signed, unsigned
from sandbox.wasm.rewriting import Function, Functions, ModuleFormatError, Patch

TEXT = """(module
  (import "host" "seed" (func $seed (result i32)))
  (global (mut i32) (i32.const 1024))
  (func $add (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
  (func $wide (param i64) (result i64) local.get 0)
  (func (export "sum") (param i32 i32) (result i32) local.get 0 local.get 1 call $add call $seed i32.add)
  (func (export "same") (param i64) (result i64) local.get 0 call $wide))"""
ADD, WIDE = 1, 2


def calls(module: bytes) -> tuple[int, int]:
    """What `sum(2, 3)` and `same(-7)` give, with a seed of 100."""
    store = wasmtime.Store()
    seed = wasmtime.Func(store, wasmtime.FuncType([], [wasmtime.ValType.i32()]), lambda: 100)
    instance = wasmtime.Instance(store, wasmtime.Module(store.engine, module), [seed])
    exports = instance.exports(store)
    found = [exports["sum"](store, 2, 3), exports["same"](store, -7)]  # type: ignore[operator]
    return found[0], found[1]


@pytest.fixture
def functions() -> Functions:
    return Functions(bytes(wasmtime.wat2wasm(TEXT)))


def test_nothing_asked_nothing_changed(functions: Functions) -> None:
    binary = bytes(wasmtime.wat2wasm(TEXT))
    assert functions.module() == binary
    assert w.assemble(w.sections(binary)) == binary
    assert calls(binary) == (105, -7)


def test_a_wrapper_calls_what_it_wraps(functions: Functions) -> None:
    own = functions.move(ADD)
    functions.put(ADD, Function((), w.sequence(w.gets(2), w.call(own), w.i32(-1000), w.I32_ADD)))
    assert calls(functions.module()) == (-895, -7)


def test_locals_conditions_and_the_stack_pointer(functions: Functions) -> None:
    pointer = w.sequence(w.GLOBAL_GET, w.i32(16), w.I32_SUB, w.GLOBAL_SET)
    code = w.sequence(
        pointer, w.get(0), w.i32(2), w.I32_EQ, w.IF, w.GLOBAL_GET, w.RETURN, w.END,
        w.get(1), w.tee(2), w.get(2), w.I32_ADD,
    )  # fmt: skip
    functions.put(ADD, Function(((1, w.I32),), code))
    assert calls(functions.module()) == (1024 - 16 + 100, -7)


def test_patches_go_where_they_are_meant_to(functions: Functions) -> None:
    patches = (
        Patch(3, w.get(1), w.sequence(w.get(1), w.i32(10), w.I32_ADD, w.put(2))),
        Patch(3, w.get(1), w.get(2), replaces=True),
    )
    functions.patch(ADD, patches, extra=1)
    assert calls(functions.module()) == (2 + 13 + 100, -7)


@pytest.mark.parametrize(
    "patch", [Patch(2, w.get(1), b""), Patch(99, w.get(1), b""), Patch(3, w.get(0), b"")]
)
def test_patches_of_another_function_are_refused(functions: Functions, patch: Patch) -> None:
    with pytest.raises(ModuleFormatError):
        functions.patch(ADD, (patch,), extra=0)


def test_an_added_function_has_the_type_it_was_told(functions: Functions) -> None:
    added = functions.add(WIDE, Function((), w.sequence(w.i64(-(2**40)))))
    functions.put(WIDE, Function((), w.sequence(w.get(0), w.call(added))))
    assert functions.signature(added) == functions.signature(WIDE) == (b"\x7e", b"\x7e")
    assert calls(functions.module()) == (105, -(2**40))


def test_exports_are_known_by_name(functions: Functions) -> None:
    assert functions.exported == {"sum": 3, "same": 4}


def test_what_is_no_module_is_refused(functions: Functions) -> None:
    with pytest.raises(ModuleFormatError, match="not a WebAssembly module"):
        Functions(b"\0elf")
    with pytest.raises(ModuleFormatError, match="no function 0"):
        functions.put(0, Function((), b""))  # an import


@pytest.mark.parametrize("value", [0, 1, 63, 64, 127, 128, 2**31 - 1, 2**40])
def test_numbers_come_back(value: int) -> None:
    assert read_unsigned(b"\xff" + unsigned(value), 1) == (
        value,
        1 + len(unsigned(value)),
    )


@pytest.mark.parametrize(
    ("value", "encoded"), [(0, "00"), (63, "3f"), (64, "c000"), (-64, "40"), (-65, "bf7f"), (-1, "7f")]
)
def test_signed_numbers(value: int, encoded: str) -> None:
    assert signed(value).hex() == encoded
