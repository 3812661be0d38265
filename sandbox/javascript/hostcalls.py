"""The host functions of the JavaScript guest: the whole surface that tenant code can reach.

Every argument is network input (threat-model B2). The guest reaches the host through one function,
`host_call`, whose first argument says what is wanted; all else that the engine imports is answered
with "not available". Nothing here raises into the runtime (`sandbox.wasm.calls`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from sandbox.core.caps import (
    MAX_API_ARGUMENT_BYTES,
    MAX_API_PATH_BYTES,
    MAX_COMPUTE_BYTES,
    MAX_ERROR_MESSAGE_BYTES,
    MAX_FETCH_HEADER_BYTES,
    MAX_FETCH_REQUEST_BODY_BYTES,
    MAX_FETCH_URL_BYTES,
    MAX_RANDOM_BYTES,
    MIB,
)
from sandbox.core.pace import current
from sandbox.core.program import Program
from sandbox.egress.wire import NO_MORE, NO_MORE_ANSWER
from sandbox.javascript import pure
from sandbox.javascript.errors.v8_messages import in_v8s_words
from sandbox.javascript.locales import locale_text
from sandbox.javascript.packages.calls import Reader
from sandbox.javascript.packages.files import NO_FILES, PackageFiles
from sandbox.javascript.quickjs.engine_patch import NOTED_OBJECT
from sandbox.javascript.quickjs.machine import TAG_NULL, GuestStarvedError, Machine, whole
from sandbox.port.interface import HostPort, LogLevel
from sandbox.wasm.calls import Import, StopGuest, u32
from sandbox.wasm.memory import GuestMemoryError
from sandbox.wasm.traps import GuestStopped, StopKind

_MAX_ARGUMENTS: Final = 8
_BADF: Final = 8
_INVAL: Final = 28
_LEVELS: Final[tuple[LogLevel, ...]] = ("log", "debug", "info", "warn", "error", "trace")
_MAX_START_BYTES: Final = (
    MAX_FETCH_URL_BYTES + MAX_FETCH_HEADER_BYTES + MAX_FETCH_REQUEST_BODY_BYTES * 4 // 3 + MIB
)
_MAX_LOG_BYTES: Final = 4 * MIB
"""The guest cuts a line to a million characters; the port to MAX_LOG_LINE_BYTES."""
_MAX_REPORT_BYTES: Final = 1 * MIB
_MAX_PURE_BYTES: Final = 8 * MIB
_MAX_LOCALE_KEY_BYTES: Final = 128
_MAX_REJECTIONS: Final = 100
"""Rejected promises that are kept for the log, at a time."""
_MAX_REJECTIONS_HEARD: Final = 2_000
"""Rejections of one execution that the engine tells of; a loop that fails more often is not slowed down."""
_MAX_PATH_BYTES: Final = 4096


class Host:
    """The host's side of one execution: its port, and what became known while it ran.

    Attributes:
        outcome: (status, JSON detail) that the guest reported as its last act, once.
        broken: a fault of ours inside a host function.
        starved: the guest had no memory for an answer.
        stopped: why a call back into the guest did not return.
        handles: operations started and not yet settled.
        rejections: promises that were rejected and that nobody handles: the boxes of each and of its reason.
        over: the handler has ended; nothing is recorded or logged any more.
        program: what runs; None while an image is built.
        packages: the files of the packages of the Action version.
    """

    def __init__(
        self, port: HostPort, program: Program | None = None, files: PackageFiles = NO_FILES
    ) -> None:
        self.port = port
        self.pace = current()
        self.program = program
        self.packages = Reader(files)
        self.machine: Machine
        self.outcome: tuple[int, str] | None = None
        self.broken: BaseException | None = None
        self.starved = False
        self.stopped: StopKind | None = None
        self.handles: set[int] = set()
        self.rejections: dict[int, tuple[int, int]] = {}
        self.rejections_heard = 0
        self.over = False

    def fault(self, error: BaseException) -> None:
        """See `sandbox.wasm.calls.HostState`."""
        if isinstance(error, GuestStarvedError):
            self.starved = True
        elif isinstance(error, GuestStopped):
            self.stopped = error.kind
        else:
            self.broken = error

    def arguments(self, count: int, boxes: int) -> list[int]:
        """The values behind `count` boxes."""
        memory = self.machine.memory
        raw = memory.read(boxes, min(count & 0xFFFF_FFFF, _MAX_ARGUMENTS) * 4, _MAX_ARGUMENTS * 4)
        values = []
        for (at,) in struct.iter_unpack("<I", raw):
            values.append(struct.unpack("<q", memory.read(at, 8, 8))[0])
        return values

    def string(self, value: int, cap: int) -> str | None:
        """The text of a string value; None when it is no string, or longer than `cap` bytes."""
        if not self.machine.is_string(value):
            return None
        try:
            return self.machine.text(value, cap)
        except GuestMemoryError:
            return None


def _host_call(host: Host, _name: int, _length: int, _this: int, count: int, boxes: int) -> int:
    if host.outcome is not None:
        raise StopGuest  # imports close at completion (threat-model K5)
    if host.pace is not None and host.pace.gated:
        host.pace.step()
    operation, *values = host.arguments(count, boxes) or [0]
    handler = _OPERATIONS.get(whole(operation) or 0)
    box = handler(host, values) if handler else host.machine.box_undefined()
    if host.port.fatal is not None:
        raise StopGuest
    if box == 0:
        raise GuestStarvedError
    return box


def _complete(host: Host, values: list[int]) -> int:
    """(status, detail): the guest has nothing more to say. After the handler's end nobody listens: what goes
    wrong in one thing that it left behind is not the end of the others."""
    if host.over:
        return host.machine.box_undefined()
    status = whole(values[0]) if values else None
    detail = host.string(values[1], _MAX_REPORT_BYTES) if len(values) > 1 else None
    host.outcome = (1 if status is None else status, detail or "")
    raise StopGuest


def _log(host: Host, values: list[int]) -> int:
    """(level, text)"""
    level = whole(values[0]) if values else None
    text = host.string(values[1], _MAX_LOG_BYTES) if len(values) > 1 else None
    if level is not None and text is not None and not host.over:
        host.port.log(_LEVELS[level % len(_LEVELS)], text)
    return host.machine.box_undefined()


def _api(host: Host, values: list[int]) -> int:
    """(path, arguments as a JSON array) -> reply JSON, or undefined. A request that is too long is
    passed on cut, so that the port refuses it in its own words."""
    if host.over:
        return host.machine.box_text(_OVER)
    path = host.string(values[0], MAX_API_PATH_BYTES) if values else None
    arguments = host.string(values[1], MAX_API_ARGUMENT_BYTES) if len(values) > 1 else None
    if path is None or arguments is None:
        return host.machine.box_text(_TOO_LARGE)
    reply = host.port.api_call(path, arguments)
    return host.machine.box_text(reply) if reply else host.machine.box_undefined()


_OVER: Final = '{"error":{"name":"Error","message":"The handler has ended; await what it starts."}}'

_TOO_LARGE: Final = (
    '{"error":{"name":"RangeError","code":"output","message":"The arguments of this api call are larger '
    f'than {MAX_API_ARGUMENT_BYTES} bytes. Send smaller values."}}}}'
)


def _start(host: Host, values: list[int]) -> int:
    """(operation, arguments JSON) -> handle; undefined when it is too large; an answer, as text, when no more
    may be started."""
    operation = host.string(values[0], 32) if values else None
    arguments = host.string(values[1], _MAX_START_BYTES) if len(values) > 1 else None
    if operation is None or arguments is None:
        return host.machine.box_undefined()
    handle = host.port.start(operation, arguments)
    if handle == NO_MORE:
        return host.machine.box_text(NO_MORE_ANSWER)
    host.handles.add(handle)
    return host.machine.box_number(handle)


def _cancel(host: Host, values: list[int]) -> int:
    """(handle)"""
    handle = whole(values[0]) if values else None
    if handle in host.handles:
        host.handles.discard(handle)
        host.port.cancel(handle)
    return host.machine.box_undefined()


def _random(host: Host, values: list[int]) -> int:
    """(count) -> Uint8Array, or undefined when `count` is out of range."""
    count = whole(values[0]) if values else None
    if count is None or not 0 <= count <= MAX_RANDOM_BYTES:
        return host.machine.box_undefined()
    return host.machine.box_octets(host.port.random(count))


def _digest(host: Host, values: list[int]) -> int:
    """(algorithm, bytes, key bytes?) -> Uint8Array, or undefined when not known."""
    name = host.string(values[0], 32) if values else None
    data = host.machine.octets(values[1], _MAX_PURE_BYTES) if len(values) > 1 else None
    key = host.machine.octets(values[2], _MAX_PURE_BYTES) if len(values) > 2 else None
    if name is None or data is None:
        return host.machine.box_undefined()
    digest = pure.digest(name, data, key)
    return host.machine.box_undefined() if digest is None else host.machine.box_octets(digest)


def _decode(host: Host, values: list[int]) -> int:
    """(encoding, bytes, fatal 0 or 1) -> string, or undefined when it is malformed and fatal."""
    encoding = host.string(values[0], 32) if values else None
    data = host.machine.octets(values[1], _MAX_PURE_BYTES) if len(values) > 1 else None
    if encoding is None or data is None:
        return host.machine.box_undefined()
    text = pure.decode(encoding, data, fatal=len(values) > 2 and whole(values[2]) == 1)
    return host.machine.box_undefined() if text is None else host.machine.box_text(text)


def _encode(host: Host, values: list[int]) -> int:
    """(string) -> its UTF-8 bytes as a Uint8Array."""
    text = host.string(values[0], _MAX_PURE_BYTES) if values else None
    if text is None:
        return host.machine.box_undefined()
    return host.machine.box_octets(text.encode())


def _compute(host: Host, values: list[int]) -> int:
    """(operation, arguments JSON) -> answer JSON."""
    operation = host.string(values[0], 32) if values else None
    arguments = host.string(values[1], MAX_COMPUTE_BYTES) if len(values) > 1 else None
    if operation is None or arguments is None:
        return host.machine.box_text(_TOO_MUCH)
    return host.machine.box_text(host.port.compute(operation, arguments))


_TOO_MUCH: Final = (
    '{"error":{"name":"RangeError","code":"ERR_OUT_OF_RANGE","message":"A computation takes at most '
    f'{MAX_COMPUTE_BYTES} bytes of arguments, in base64"}}}}'
)


def _locale(host: Host, values: list[int]) -> int:
    """(area, key) -> JSON text, or undefined when there is none. See `sandbox.javascript.locales`."""
    area = host.string(values[0], 32) if values else None
    key = host.string(values[1], _MAX_LOCALE_KEY_BYTES) if len(values) > 1 else None
    text = None if area is None or key is None else locale_text(area, key)
    return host.machine.box_undefined() if text is None else host.machine.box_text(text)


def _reveal(host: Host, values: list[int]) -> int:
    """(value, what) -> for `console.log`, of a promise: 0 its state, 1 its result; else undefined."""
    machine = host.machine
    state = machine.promise_state(values[0]) if len(values) > 1 else None
    if state is None:
        return machine.box_undefined()
    if whole(values[1]) == 0:
        return machine.box_number(state)
    return machine.box_value(machine.exports.JS_PromiseResult(machine.layout.context, values[0]))


def _explain(host: Host, values: list[int]) -> int:
    """(message, first line of the stack) of an error that the engine made -> V8's message, or undefined."""
    message = host.string(values[0], MAX_ERROR_MESSAGE_BYTES) if values else None
    frame = host.string(values[1], MAX_ERROR_MESSAGE_BYTES) if len(values) > 1 else None
    machine = host.machine
    if message is None or frame is None:
        return machine.box_undefined()
    null = struct.unpack("<q", machine.memory.read(NOTED_OBJECT, 8, 8))[0] >> 32 == TAG_NULL
    words = in_v8s_words(message, frame, host.program, null=null)
    return machine.box_undefined() if words is None else machine.box_text(words)


def _package(host: Host, values: list[int]) -> int:
    """(what, path, name?) -> about files of packages: see `Reader.answer`."""
    what = whole(values[0]) if values else None
    path = host.string(values[1], _MAX_PATH_BYTES) if len(values) > 1 else None
    name = host.string(values[2], _MAX_PATH_BYTES) if len(values) > 2 else ""
    if what is None or path is None or name is None:
        return host.machine.box_undefined()
    return host.packages.answer(host.machine, what, path, name)


_OPERATIONS: Final[dict[int, Callable[[Host, list[int]], int]]] = {
    1: _complete,
    2: _log,
    3: _api,
    4: _start,
    5: _cancel,
    6: _random,
    7: _digest,
    8: _decode,
    9: _encode,
    10: _reveal,
    11: _compute,
    12: _locale,
    13: _explain,
    14: _package,
}
"""Numbers as guest/host.js spells them."""


def _promise_rejection(host: Host, promise: int, reason: int, handled: int) -> int:
    """The engine tells of a promise that is rejected with nobody to handle it, and again when somebody does
    after all. Both boxes are ours to free."""
    machine = host.machine
    boxes = u32(promise), u32(reason)
    (value,) = struct.unpack("<q", machine.memory.read(boxes[0], 8, 8))
    kept: tuple[int, ...] = host.rejections.pop(value, ())
    host.rejections_heard += 1
    if host.rejections_heard > _MAX_REJECTIONS_HEARD:
        machine.exports.qjs_set_promise_rejection_handler(0)
        kept += tuple(box for pair in host.rejections.values() for box in pair)
        host.rejections.clear()  # which of them are handled from now on cannot be known
    elif not u32(handled) and len(host.rejections) < _MAX_REJECTIONS and not host.over:
        host.rejections[value] = boxes
        return 0
    for box in (*boxes, *kept):
        machine.exports.qjs_free_value(box)
    return 0


def _clock_time_get(host: Host, clock: int, _precision: int, at: int) -> int:
    """Whole milliseconds, so that no finer clock is to be had (threat-model I7)."""
    if clock & 0xFFFF_FFFF > 1:
        return _INVAL
    if host.pace is not None and host.pace.gated:
        host.pace.step()
    reading = host.port.wall_ms() if clock & 0xFFFF_FFFF == 0 else host.port.monotonic_ms()
    host.machine.memory.write(at, struct.pack("<Q", reading * 1_000_000))
    if host.port.fatal is not None:
        raise StopGuest
    return 0


def _random_get(host: Host, at: int, count: int) -> int:
    if not 0 <= count <= MAX_RANDOM_BYTES:
        return _INVAL
    host.machine.memory.write(at, host.port.random(count))
    return 0


def _nothing(_host: Host, *_: int) -> int:
    return 0


def _no_file(_host: Host, *_: int) -> int:
    """There are no files, and what the engine prints on its own goes nowhere."""
    return _BADF


_WASI: Final = "wasi_snapshot_preview1"

IMPORTS: Final = (
    Import("env", "host_get_timezone_offset", "ii", "i", _nothing),  # UTC
    Import("env", "host_interrupt", "", "i", _nothing),
    Import("env", "host_promise_rejection", "iii", "", _promise_rejection),
    Import("env", "host_module_normalize", "ii", "i", _nothing),
    Import("env", "host_module_load", "ii", "i", _nothing),
    Import("env", "host_call", "iiiii", "i", _host_call),
    Import(_WASI, "clock_time_get", "iIi", "i", _clock_time_get),
    Import(_WASI, "fd_close", "i", "i", _no_file),
    Import(_WASI, "fd_fdstat_get", "ii", "i", _no_file),
    Import(_WASI, "fd_seek", "iIii", "i", _no_file),
    Import(_WASI, "fd_write", "iiii", "i", _no_file),
    Import(_WASI, "random_get", "ii", "i", _random_get),
)
"""The complete import list; a test pins it."""
