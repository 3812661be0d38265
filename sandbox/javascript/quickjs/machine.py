"""One QuickJS instance as the host drives it: values, strings, calls, jobs.

A JavaScript value is a 64-bit pattern with its kind in the upper half (QuickJS's NaN boxing); a box is
the address of such a pattern in guest memory.
"""

from __future__ import annotations

import struct
from dataclasses import asdict, dataclass
from typing import Any, Final

from sandbox.wasm.calls import Exports, u32
from sandbox.wasm.memory import GuestMemory

TAG_STRING: Final = -7
TAG_ROPE: Final = -6
TAG_OBJECT: Final = -1
TAG_INT: Final = 0
TAG_EXCEPTION: Final = 6
TAG_FLOAT: Final = 8  # or any kind that has no name here
TAG_NULL: Final = 2
UNDEFINED: Final = 3 << 32
_BYTECODE: Final = 1
_OPTIONS_VERSION: Final = 1
_FLOAT_ADDEND: Final = (0x7FF80000 - -9 + 1) << 32

EXPORTS: Final = frozenset(
    {
        "memory",
        "wasm_malloc",
        "wasm_free",
        "qjs_new_string",
        "qjs_new_number",
        "qjs_new_uint8_array",
        "qjs_set_promise_rejection_handler",
        "qjs_get_undefined",
        "qjs_execute_pending_job",
        "qjs_free_value",
        "JS_Call",
        "JS_Eval2",
        "JS_EvalFunction",
        "JS_FreeCString",
        "JS_GetException",
        "JS_GetPropertyStr",
        "JS_GetUint8Array",
        "JS_NewStringLen",
        "JS_ParseJSON",
        "JS_PromiseResult",
        "JS_PromiseState",
        "JS_IsPromise",
        "JS_ReadObject",
        "JS_ToCStringLen2",
        "JS_WriteObject",
    }
)
"""Everything that the image exports; all else of the C interface is cut off."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Addresses in the image.

    Attributes:
        context, runtime: the engine's own structures.
        name: a C string for places that want a file name.
        scratch, scratch_size: bytes that the host may write between calls.
        random_state: eight bytes, state of `Math.random`.
        errno: where libc notes a refused growth of memory.
        prepare, start, poll, resume, adopt, fail, tell, over, equip: the guest's functions
            (guest/index.js), as values.
    """

    context: int
    runtime: int
    name: int
    scratch: int
    scratch_size: int
    random_state: int
    errno: int
    prepare: int
    start: int
    poll: int
    resume: int
    adopt: int
    fail: int
    tell: int
    over: int
    equip: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class GuestExceptionError(Exception):
    """The engine reported an exception to the host; `value` is the thrown value."""

    def __init__(self, value: int) -> None:
        super().__init__("uncaught exception in the guest")
        self.value = value


class GuestStarvedError(Exception):
    """The guest could not allocate what the host asked it to."""


def tag(value: int) -> int:
    """The kind of a value."""
    return value >> 32


def integer(value: int) -> int | None:
    """The value as an int32, None for anything else."""
    return struct.unpack("<i", struct.pack("<I", value & 0xFFFF_FFFF))[0] if value >> 32 == TAG_INT else None


def number(value: int) -> float | None:
    """The value as a number, None for anything else."""
    kind = value >> 32
    if kind == TAG_INT:
        return integer(value)
    if -9 <= kind < TAG_FLOAT:
        return None
    bits = (value + _FLOAT_ADDEND) & 0xFFFF_FFFF_FFFF_FFFF
    return float(struct.unpack("<d", bits.to_bytes(8, "little"))[0])


def whole(value: int) -> int | None:
    """The value as a whole number, None for anything else. Scripts cannot tell the engine's two kinds of
    numbers apart, and the same number comes as either (a handle as a float, because the host made it so)."""
    if value >> 32 == TAG_INT:
        return integer(value)
    found = number(value)
    return int(found) if found is not None and found.is_integer() else None


class Machine:
    """An instance and its layout. For one thread, and for one execution."""

    __slots__ = ("exports", "layout", "memory")

    def __init__(self, exports: Exports, layout: Layout) -> None:
        self.exports = exports
        self.layout = layout
        self.memory: GuestMemory = exports.memory

    # --- host to guest ---
    def place(self, data: bytes) -> int:
        """Put `data` and a NUL into guest memory: in the scratch area if it fits, else allocated.
        The next call may overwrite the scratch area."""
        at = self.layout.scratch
        if len(data) >= self.layout.scratch_size:
            at = self.allocate(len(data) + 1)
        self.memory.write(at, data + b"\0")
        return at

    def allocate(self, size: int) -> int:
        """Raises `GuestStarvedError`."""
        at = u32(self.exports.wasm_malloc(size))
        if at == 0:
            raise GuestStarvedError
        return at

    def release(self, at: int) -> None:
        """Free what `place` allocated."""
        if at != self.layout.scratch:
            self.exports.wasm_free(at)

    def parse_json(self, text: str) -> int:
        """The value of a JSON text. Raises `GuestExceptionError`."""
        data = text.encode("utf-8", "surrogatepass")
        at = self.place(data)
        value = self.exports.JS_ParseJSON(self.layout.context, at, len(data), self.layout.name)
        self.release(at)
        return self.checked(value)

    def new_string(self, text: str) -> int:
        """A string value. Raises `GuestExceptionError`."""
        data = text.encode("utf-8", "surrogatepass")
        at = self.place(data)
        value = self.exports.JS_NewStringLen(self.layout.context, at, len(data))
        self.release(at)
        return self.checked(value)

    def run_bytecode(self, code: bytes) -> int:
        """The completion value of a compiled script. Raises `GuestExceptionError`."""
        at = self.place(code)
        compiled = self._read_bytecode(at, len(code))
        self.release(at)
        return self.checked(self.exports.JS_EvalFunction(self.layout.context, compiled))

    def run_bytecode_at(self, at: int, size: int) -> int:
        """Like `run_bytecode` for code in allocated memory, which is freed."""
        compiled = self._read_bytecode(at, size)
        self.exports.wasm_free(at)
        return self.checked(self.exports.JS_EvalFunction(self.layout.context, compiled))

    def evaluate(self, text: str, filename: str) -> int:
        """The completion value of a script. Raises `GuestExceptionError`."""
        data, name = text.encode("utf-8", "replace"), filename.encode("utf-8", "replace")
        name_at, options = self.allocate(len(name) + 1), self.allocate(16)
        self.memory.write(name_at, name + b"\0")
        self.memory.write(options, struct.pack("<iiIi", _OPTIONS_VERSION, 0, name_at, 1))
        at = self.place(data)
        value = self.exports.JS_Eval2(self.layout.context, at, len(data), options)
        for used in (at, options, name_at):
            self.release(used)
        return self.checked(value)

    def _read_bytecode(self, at: int, size: int) -> int:
        return self.checked(self.exports.JS_ReadObject(self.layout.context, at, size, _BYTECODE))

    def load(self, code: bytes, about: str) -> None:
        """Give the guest a program: its code and what guest/execution.js wants to know of it, as JSON.
        Runs no tenant code. Raises `GuestExceptionError`."""
        factory = self.run_bytecode(code)
        self.call(self.layout.prepare, factory, self.parse_json(about))

    def call(self, function: int, *arguments: int) -> int:
        """Call a guest function. Raises `GuestExceptionError`."""
        at = self.layout.scratch
        self.memory.write(at, struct.pack(f"<{len(arguments)}q", *arguments))
        return self.checked(
            self.exports.JS_Call(self.layout.context, function, UNDEFINED, len(arguments), at)
        )

    def run_job(self) -> bool:
        """Run one queued promise job; False when there is none. A job that throws counts as run."""
        return u32(self.exports.qjs_execute_pending_job()) != 0

    def promise_state(self, value: int) -> int | None:
        """0 pending, 1 fulfilled, 2 rejected; None when `value` is no promise."""
        if value >> 32 != TAG_OBJECT or not self.exports.JS_IsPromise(value) & 1:
            return None
        return u32(self.exports.JS_PromiseState(self.layout.context, value))

    def member(self, value: int, key: str) -> int:
        """A property of an object. Raises `GuestExceptionError`."""
        at = self.place(key.encode())
        return self.checked(self.exports.JS_GetPropertyStr(self.layout.context, value, at))

    # --- guest to host ---
    def checked(self, value: int) -> int:
        """`value`, unless it stands for an exception. Raises `GuestExceptionError`."""
        if value >> 32 == TAG_EXCEPTION:
            raise GuestExceptionError(self.exports.JS_GetException(self.layout.context))
        return value

    def is_string(self, value: int) -> bool:
        return value >> 32 in (TAG_STRING, TAG_ROPE)

    def text(self, value: int, cap: int) -> str:
        """A string value. Lone surrogates become U+FFFD.

        Raises:
            GuestMemoryError: it has more than `cap` UTF-8 bytes.
            GuestStarvedError: the guest had no room to convert it.
        """
        layout = self.layout
        at = u32(self.exports.JS_ToCStringLen2(layout.context, layout.scratch, value, 0))
        if at == 0:
            raise GuestStarvedError
        data = self.memory.read(at, self.memory.read_u32(layout.scratch), cap)
        self.exports.JS_FreeCString(layout.context, at)
        return data.decode("utf-8", "replace")

    def octets(self, value: int, cap: int) -> bytes | None:
        """The bytes of a Uint8Array, None for any other value. Raises `GuestMemoryError`."""
        if value >> 32 != TAG_OBJECT:
            return None
        layout = self.layout
        at = u32(self.exports.JS_GetUint8Array(layout.context, layout.scratch, value))
        length = self.memory.read_u32(layout.scratch)
        if at == 0 and length != 0:
            return None
        return self.memory.read(at, length, cap)

    # --- boxes, for answers to host calls ---
    def box_undefined(self) -> int:
        return u32(self.exports.qjs_get_undefined())

    def box_text(self, text: str) -> int:
        data = text.encode("utf-8", "replace")
        at = self.place(data)
        box = u32(self.exports.qjs_new_string(at, len(data)))
        self.release(at)
        return box

    def box_number(self, value: float) -> int:
        bits = struct.unpack("<q", struct.pack("<d", value))[0]
        return u32(self.exports.qjs_new_number(bits))

    def box_octets(self, data: bytes) -> int:
        at = self.place(data)
        box = u32(self.exports.qjs_new_uint8_array(at, len(data)))
        self.release(at)
        return box

    def box_value(self, value: int) -> int:
        """A box for a value of which the guest gives up one reference."""
        at = self.allocate(8)
        self.memory.write(at, struct.pack("<q", value))
        return at
