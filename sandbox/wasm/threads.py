"""Room on the stack of the thread that runs a guest.

WebAssembly runs on the stack of the thread that calls it. wasmtime stops a guest that takes more than
`MAX_WASM_STACK_BYTES`; on a thread with less it would end the process instead. Threads usually have 8 MiB;
some platforms, limits (`ulimit -s`) and embedders give them less.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import threading
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from sandbox.core.caps import MAX_WASM_STACK_BYTES, MIB
from sandbox.core.pace import current, paced

_P = ParamSpec("_P")
_T = TypeVar("_T")

NEEDED_BYTES: Final = MAX_WASM_STACK_BYTES + 1 * MIB
"""Smallest stack on which guests run: theirs, and what our own functions take before and behind them."""
_OWN_BYTES: Final = MAX_WASM_STACK_BYTES + 2 * MIB
"""Stack of a thread that is made for a guest."""
_ATTRIBUTES_BYTES: Final = 512
"""More than a `pthread_attr_t` takes anywhere."""

_known: Final = threading.local()
_starting: Final = threading.Lock()


def with_room(work: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let `work`, which runs guests, run on a stack that is large enough: of the calling thread, or, where
    that one has less, of a thread of its own for the time of the call."""

    @functools.wraps(work)
    def roomy(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            here: bool = _known.enough
        except AttributeError:
            here = _known.enough = stack_bytes() >= NEEDED_BYTES
        return work(*args, **kwargs) if here else _elsewhere(functools.partial(work, *args, **kwargs))

    return roomy


def _elsewhere(work: Callable[[], _T]) -> _T:
    results: list[_T] = []
    errors: list[BaseException] = []

    pace = current()

    def run() -> None:
        _known.enough = True
        try:
            with paced(pace):
                results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, name="actionbox-guest", daemon=True)
    with _starting:
        before = threading.stack_size(_OWN_BYTES)
        try:
            thread.start()
        finally:
            threading.stack_size(before)
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def stack_bytes() -> int:
    """Size of the calling thread's stack; 0 where that cannot be told."""
    try:
        libc = ctypes.CDLL(None)
        if sys.platform == "darwin":
            libc.pthread_self.restype = ctypes.c_void_p
            libc.pthread_get_stacksize_np.restype = ctypes.c_size_t
            return int(libc.pthread_get_stacksize_np(ctypes.c_void_p(libc.pthread_self())))
        libc.pthread_self.restype = ctypes.c_ulong
        attributes = ctypes.create_string_buffer(_ATTRIBUTES_BYTES)
        if libc.pthread_getattr_np(ctypes.c_ulong(libc.pthread_self()), attributes) != 0:
            return 0
        size = ctypes.c_size_t()
        failed = libc.pthread_attr_getstacksize(attributes, ctypes.byref(size))
        libc.pthread_attr_destroy(attributes)
        return 0 if failed else size.value
    except (AttributeError, OSError, TypeError):
        return 0
