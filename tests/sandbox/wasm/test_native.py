"""Compiled code is read where it lies, and what is none is refused."""

from __future__ import annotations

import pytest
import wasmtime
from wasmtime.component import Component

from sandbox.wasm.native import load_component, load_module

ENGINE = wasmtime.Engine()


def test_a_module_from_the_middle_of_bytes() -> None:
    made = wasmtime.Module(ENGINE, '(module (func (export "seven") (result i32) i32.const 7))')
    for before in (b"", b"x", bytes(4097)):
        module = load_module(ENGINE, before + bytes(made.serialize()), len(before))
        store = wasmtime.Store(ENGINE)
        seven = wasmtime.Instance(store, module, []).exports(store)["seven"]
        assert isinstance(seven, wasmtime.Func)
        assert seven(store) == 7


def test_a_component() -> None:
    made = Component(ENGINE, "(component)")
    assert isinstance(load_component(ENGINE, b"head" + bytes(made.serialize()), 4), Component)


@pytest.mark.parametrize("load", [load_module, load_component])
@pytest.mark.parametrize("content", [b"", b"\0asm\1\0\0\0", b"no code" * 100])
def test_what_is_no_code_is_refused(load: object, content: bytes) -> None:
    assert callable(load)
    with pytest.raises(wasmtime.WasmtimeError):
        load(ENGINE, content)
    for start in (-1, len(content) + 1):
        with pytest.raises(ValueError, match="not within"):
            load(ENGINE, content, start)
