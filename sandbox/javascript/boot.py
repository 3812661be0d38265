"""Boots QuickJS once, evaluates the prelude and says where everything is: the raw material of an image."""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

import wasmtime

from sandbox.core.caps import JAVASCRIPT_STACK_BYTES, KIB, MIB
from sandbox.javascript.hostcalls import IMPORTS, Host
from sandbox.javascript.null_port import Silence
from sandbox.javascript.packages.files import NO_FILES, PackageFiles
from sandbox.javascript.quickjs.engine_patch import MAILBOX, MAILBOX_END, PLACES, mailbox
from sandbox.javascript.quickjs.machine import EXPORTS, GuestExceptionError, Layout, Machine
from sandbox.javascript.quickjs.memory_image import export_positions, stack_pointer
from sandbox.port.interface import HostPort
from sandbox.wasm.calls import Exports, entered, link, u32
from sandbox.wasm.slices import overseen, run_in_slices

_MINIMUM_VERSION: Final = (0, 16)
"""Older ones have size wraps on 32-bit hosts such as wasm32 (threat-model 7)."""
_TOP_HEADER: Final = 64
"""Bytes at the start of that block that dlmalloc uses itself."""
_HEAP_BYTES: Final = 3072 * KIB
"""What the prelude allocates, roughly: its bytecode is put beyond, to leave no hole."""
_FUNCTIONS: Final = ("prepare", "start", "poll", "resume", "adopt", "fail", "tell", "over", "equip")
_SCRATCH_BYTES: Final = 64 * KIB
_BOOT_SECONDS: Final = 60.0
_SLICE_TICKS: Final = 10
_BOOT_MEMORY: Final = 256 * MIB
_ERRNO: Final = 1_167_412
"""libc's errno in this very binary, whose digest is checked; `_check_errno` proves it."""
ENOMEM: Final = 48
_STRIP_SOURCE: Final = 1 << 4
_GC_THRESHOLD: Final = 16 * MIB
"""Heap size at which cycles are first collected. A collection writes to every object, and so would
copy every page of the image; Actions of the usual size never reach it."""

_PAGE: Final = 4096
_WORD: Final = struct.Struct("<Q")
_SMALLEST_HOLE, _LARGEST_HOLE, _LARGEST_BLOCK = 8, 512 * KIB, 1 * KIB
MALLOC_TOP: Final = 1_166_912
"""Where dlmalloc keeps the start of its last, never-used block, in this very binary."""

_BOOT_EXPORTS: Final = frozenset(
    {
        "_initialize",
        "qjs_init",
        "qjs_get_quickjs_version",
        "qjs_get_runtime_ptr",
        "qjs_get_context_ptr",
        "qjs_set_max_stack_size",
        "qjs_set_gc_threshold",
        "qjs_run_gc",
        "qjs_compile",
        "js_malloc",
        "js_free",
        "JS_NewAtom",
        "qjs_new_host_function",
        "qjs_get_prop_string",
    }
)


class BootError(Exception):
    """The guest did not boot; the text carries its own words."""


@dataclass(frozen=True, slots=True)
class Booted:
    """A booted guest, ready to be frozen into an image."""

    memory: bytes
    layout: Layout


_NOWHERE: Final = Layout(
    context=0, runtime=0, name=0, scratch=0, scratch_size=_SCRATCH_BYTES, random_state=0, errno=_ERRNO,
    prepare=0, start=0, poll=0, resume=0, adopt=0, fail=0, tell=0, over=0, equip=0,
)  # fmt: skip


class Allowance:
    """Processor time of a guest that is being booted: a busy machine must not make an honest one late.

    Attributes:
        over: it was stopped because it had used all of it, or after far too long a time.
    """

    def __init__(self, seconds: float) -> None:
        self.over = False
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """So much from now on. To be called by the guest's thread."""
        self._until = time.thread_time() + seconds
        self._latest = time.monotonic() + max(_BOOT_SECONDS, 10 * seconds)

    def go_on(self) -> int:
        """See `sandbox.wasm.slices.GoOn`."""
        self.over = time.thread_time() >= self._until or time.monotonic() >= self._latest
        return 0 if self.over else _SLICE_TICKS


@dataclass(frozen=True, slots=True)
class Guest:
    """One that is being booted."""

    machine: Machine
    host: Host
    time: Allowance


class Equipment(Protocol):
    """Contents of an image beside the prelude."""

    @property
    def files(self) -> PackageFiles:
        """The files that programs may read and load."""
        ...

    def compile(self, compile_script: Callable[[str, str], bytes]) -> None:
        """Compile what has to be, with `compile_script(text, name)`. Called once, and first."""
        ...

    def make_port(self) -> HostPort:
        """The port of the guest while it is equipped."""
        ...

    def install(self, guest: Guest) -> bool:
        """Put it into the guest. False when that has to begin again, in a fresh guest."""
        ...

    def notes(self) -> tuple[str, ...]:
        """Notes for whoever builds the Action, once it is installed."""
        ...


def compile_prelude(engine: wasmtime.Engine, binary: bytes, module: wasmtime.Module, script: str) -> bytes:
    """Bytecode of `script`, an expression that gives the guest's `install`. See `boot`."""
    with _booted(engine, module, binary, Silence()) as guest:
        return _compile(guest.machine, script, "actionbox:prelude")


def boot(
    engine: wasmtime.Engine,
    binary: bytes,
    module: wasmtime.Module,
    code: bytes,
    equipment: Equipment | None = None,
) -> Booted:
    """Boot `binary`, evaluate `code` (of `compile_prelude`) and freeze. `module` is `binary`, compiled.

    Scripts are compiled in an instance of its own: a compiler leaves holes in the heap.

    Raises:
        BootError: the engine is too old, or the prelude threw.
    """
    with _booted(engine, module, binary, Silence()) as guest:
        machine = guest.machine
        probe = _compile(machine, "Math.random()", "actionbox:probe")
        if equipment is not None:
            machine.memory.write(PLACES, b"\1")
            equipment.compile(partial(_compile, machine))
    while True:
        port = Silence() if equipment is None else equipment.make_port()
        files = NO_FILES if equipment is None else equipment.files
        with _booted(engine, module, binary, port, files) as guest:
            machine = guest.machine
            machine.layout = _install(machine, code)
            _check_errno(machine)
            machine.layout = replace(machine.layout, random_state=_find_random_state(machine, probe))
            if equipment is None or equipment.install(guest):
                guest.time.allow(_BOOT_SECONDS)
                return _freeze(machine, stack_pointer(binary))


def _freeze(machine: Machine, top: int) -> Booted:
    machine.exports.qjs_set_promise_rejection_handler(1)
    machine.exports.qjs_run_gc()
    machine.exports.qjs_set_gc_threshold(_GC_THRESHOLD)
    _fill_holes(machine)
    return Booted(_content(machine, top), machine.layout)


def _content(machine: Machine, stack_top: int) -> bytes:
    """Linear memory as the image has it: without what is left on the stack, which lies below the data,
    and above the last live block."""
    memory = machine.memory
    heap_top = memory.read_u32(MALLOC_TOP) + _TOP_HEADER
    content = memory.read(0, memory.size, memory.size)
    below = bytes(MAILBOX) + content[MAILBOX:MAILBOX_END] + bytes(stack_top - MAILBOX_END)
    return below + content[stack_top:heap_top] + bytes(len(content) - heap_top)


@contextlib.contextmanager
def _booted(
    engine: wasmtime.Engine,
    module: wasmtime.Module,
    binary: bytes,
    port: HostPort,
    files: PackageFiles = NO_FILES,
) -> Iterator[Guest]:
    """A fresh QuickJS with nothing evaluated."""
    store = wasmtime.Store(engine)
    allowance = Allowance(_BOOT_SECONDS)
    run_in_slices(store, _SLICE_TICKS)
    store.set_limits(memory_size=_BOOT_MEMORY)
    positions = export_positions(binary)
    wanted = {name: positions[name] for name in EXPORTS | _BOOT_EXPORTS}
    host = Host(port, files=files)
    exports = link(engine, module, IMPORTS).instantiate(store, wanted)
    with entered(host), overseen(allowance.go_on):
        machine = host.machine = Machine(exports, _NOWHERE)
        machine.layout = _start_engine(exports)
        yield Guest(machine, host, allowance)


def _start_engine(exports: Exports) -> Layout:
    exports._initialize()
    if u32(exports.qjs_init()) != 0:
        raise BootError("the engine did not initialise")
    _check_version(exports)
    exports.qjs_set_max_stack_size(JAVASCRIPT_STACK_BYTES)
    name = u32(exports.wasm_malloc(16))
    exports.memory.write(name, b"<json>\0")
    return replace(
        _NOWHERE,
        context=u32(exports.qjs_get_context_ptr()),
        runtime=u32(exports.qjs_get_runtime_ptr()),
        name=name,
        scratch=u32(exports.wasm_malloc(_SCRATCH_BYTES + 1)),
    )


def _check_version(exports: Exports) -> None:
    at = u32(exports.qjs_get_quickjs_version())
    text = exports.memory.read(at, 32, 32).split(b"\0")[0].decode()
    if tuple(int(part) for part in text.split(".")[:2]) < _MINIMUM_VERSION:
        raise BootError(f"QuickJS-NG {text} is older than 0.16")


def _install(machine: Machine, code: bytes) -> Layout:
    """Evaluate the prelude, give it the host function, and note the functions it hands back."""
    exports = machine.exports
    install = _evaluate(machine, code)
    name = machine.place(b"host")
    host_function = _value(machine, u32(exports.qjs_new_host_function(name, 4, 0)))
    box = machine.box_value(_guarded(machine, install, host_function))

    def member(key: str) -> int:
        return _value(machine, u32(exports.qjs_get_prop_string(box, machine.place(key.encode()))))

    flags = u32(exports.JS_GetUint8Array(machine.layout.context, machine.layout.scratch, member("flags")))
    stack = u32(exports.JS_NewAtom(machine.layout.context, machine.place(b"stack")))
    getter, setter = member("stackGetter"), member("stackSetter")
    letter = mailbox(
        flags=flags, bind=member("bind"), explain=member("explain"), stack=stack, getter=getter, setter=setter
    )
    machine.memory.write(MAILBOX, letter)
    return replace(machine.layout, **{key: member(key) for key in _FUNCTIONS})


def _compile(machine: Machine, script: str, name: str) -> bytes:
    """Bytecode of `script`, without its text, which would only take memory."""
    exports, memory = machine.exports, machine.memory
    data = script.encode()
    source, filename, length = (
        machine.allocate(len(data) + 1),
        machine.allocate(len(name) + 1),
        machine.allocate(4),
    )
    memory.write(source, data + b"\0")
    memory.write(filename, name.encode() + b"\0")
    code = u32(exports.qjs_compile(source, len(data), filename, 0, _STRIP_SOURCE, length))
    if code == 0:
        raise BootError(_describe(machine, exports.JS_GetException(machine.layout.context)))
    return memory.read(code, memory.read_u32(length), _BOOT_MEMORY)


def _evaluate(machine: Machine, code: bytes) -> int:
    """The completion value of the prelude's code, which is put where it leaves no hole."""
    heap = machine.allocate(_HEAP_BYTES)
    at = machine.allocate(len(code))
    machine.exports.wasm_free(heap)
    machine.memory.write(at, code)
    try:
        return machine.run_bytecode_at(at, len(code))
    except GuestExceptionError as error:
        raise BootError(_describe(machine, error.value)) from None


def _guarded(machine: Machine, function: int, *arguments: int) -> int:
    try:
        return machine.call(function, *arguments)
    except GuestExceptionError as error:
        raise BootError(_describe(machine, error.value)) from None


def _value(machine: Machine, box: int) -> int:
    value: int = struct.unpack("<q", machine.memory.read(box, 8, 8))[0]
    try:
        return machine.checked(value)
    except GuestExceptionError as error:
        raise BootError(_describe(machine, error.value)) from None


def _describe(machine: Machine, value: int) -> str:
    """An error's message and stack, for us."""
    stack = machine.member(value, "stack")
    shown = [machine.text(value, MIB)]
    if machine.is_string(stack):
        shown.append(machine.text(stack, MIB))
    return "the prelude failed: " + "\n".join(shown)


def _find_random_state(machine: Machine, probe: bytes) -> int:
    """The address of the state of `Math.random`: the word that steps as xorshift64* does."""
    memory = machine.memory
    before = memory.read(0, memory.size, memory.size)
    machine.run_bytecode(probe)
    after = memory.read(0, len(before), len(before))
    found = []
    for page in range(0, len(before), _PAGE):
        if before[page : page + _PAGE] == after[page : page + _PAGE]:
            continue
        for at in range(page, page + _PAGE, _WORD.size):
            (old,), (new,) = _WORD.unpack_from(before, at), _WORD.unpack_from(after, at)
            if old != new and new == _step(old):
                found.append(at)
    if len(found) != 1:
        raise BootError(f"expected one state of Math.random, found {len(found)}")
    return found[0]


def _step(state: int) -> int:
    state ^= state >> 12
    state ^= state << 25 & 0xFFFF_FFFF_FFFF_FFFF
    return state ^ state >> 27


def _fill_holes(machine: Machine) -> None:
    """Use up the free blocks between live ones, so that an execution allocates in one row at the end.

    Every page that an execution writes to is copied first, at 1 to 3 us each; allocations spread over
    the holes of the image touch some 100 pages more than those in a row. First the holes of libc's
    heap, then those of the engine's own blocks of equal size.
    """
    exports, context = machine.exports, machine.layout.context
    size = _LARGEST_HOLE
    while size >= _SMALLEST_HOLE:
        if _extends_heap(machine, partial(exports.wasm_malloc, size), exports.wasm_free):
            size -= max(8, size // 8 & ~7)
    free = partial(exports.js_free, context)
    for size in range(_SMALLEST_HOLE, _LARGEST_BLOCK, 8):
        while not _extends_heap(machine, partial(exports.js_malloc, context, size), free):
            pass


def _extends_heap(machine: Machine, allocate: Callable[[], int], free: Callable[[int], int]) -> bool:
    """Allocate once; whether that took new memory, which is then given back, and not a hole."""
    top = machine.memory.read_u32(MALLOC_TOP)
    at = u32(allocate())
    if machine.memory.read_u32(MALLOC_TOP) == top:
        return False
    free(at)
    return True


def _check_errno(machine: Machine) -> None:
    """Prove that a refused growth of memory is noted where we look for it."""
    memory = machine.memory
    memory.write(_ERRNO, bytes(4))
    if u32(machine.exports.wasm_malloc(2 * _BOOT_MEMORY)) != 0 or memory.read_u32(_ERRNO) != ENOMEM:
        raise BootError("a refused growth of memory is not noted in errno")
    memory.write(_ERRNO, bytes(4))
