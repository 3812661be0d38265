"""A filter of system calls for workers: what running sandboxes needs, and nothing that opens, connects,
starts or traces (threat-model E1).

What is not listed fails with EPERM instead of ending the process: a library that tries something harmless
goes on, and the attempt gets an attacker nothing. Once set, the filter holds for all threads and cannot be
taken off. See seccomp(2); numbers are those of the kernel's tables for each machine.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from typing import Final

_SET_MODE_FILTER: Final = 1
_FLAG_TSYNC: Final = 1
_NEW_PRIVS: Final = 38
"""PR_SET_NO_NEW_PRIVS; without it only root may set a filter."""

# One instruction of classic BPF: code, jump if true, jump if false, operand.
_LOAD: Final = 0x20
_EQUAL: Final = 0x15
_AND: Final = 0x54
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_ERRNO: Final = 0x00050000
_NUMBER_AT, _MACHINE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_CLONE_THREAD: Final = 0x00010000
_MAX_FILTER: Final = 4096

_X86_64: Final = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10,
    "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
    "pread64": 17, "readv": 19, "writev": 20, "sched_yield": 24, "mremap": 25, "madvise": 28,
    "nanosleep": 35, "getpid": 39, "sendto": 44, "recvfrom": 45, "sendmsg": 46, "recvmsg": 47,
    "clone": 56, "exit": 60, "fcntl": 72, "ftruncate": 77, "gettimeofday": 96, "getrusage": 98,
    "sysinfo": 99, "times": 100, "getuid": 102, "getppid": 110, "sigaltstack": 131, "getpriority": 140,
    "setpriority": 141, "gettid": 186, "futex": 202, "sched_getaffinity": 204, "clock_gettime": 228,
    "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "tgkill": 234,
    "set_robust_list": 273, "getrandom": 318, "memfd_create": 319, "membarrier": 324, "rseq": 334,
    "clone3": 435,
}  # fmt: skip
_AARCH64: Final = {
    "read": 63, "write": 64, "close": 57, "fstat": 80, "ppoll": 73, "lseek": 62, "mmap": 222,
    "mprotect": 226, "munmap": 215, "brk": 214, "rt_sigaction": 134, "rt_sigprocmask": 135,
    "rt_sigreturn": 139, "pread64": 67, "readv": 65, "writev": 66, "sched_yield": 124, "mremap": 216,
    "madvise": 233, "nanosleep": 101, "getpid": 172, "sendto": 206, "recvfrom": 207, "sendmsg": 211,
    "recvmsg": 212, "clone": 220, "exit": 93, "fcntl": 25, "ftruncate": 46, "gettimeofday": 169,
    "getrusage": 165, "sysinfo": 179, "times": 153, "getuid": 174, "getppid": 173, "sigaltstack": 132,
    "getpriority": 141, "setpriority": 140, "gettid": 178, "futex": 98, "sched_getaffinity": 123,
    "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115, "exit_group": 94, "tgkill": 131,
    "set_robust_list": 99, "getrandom": 278, "memfd_create": 279, "membarrier": 283, "rseq": 293,
    "clone3": 435,
}  # fmt: skip
_MACHINES: Final = {
    "x86_64": (0xC000003E, _X86_64, 317),
    "aarch64": (0xC00000B7, _AARCH64, 277),
}
"""By `platform.machine()`: AUDIT_ARCH, the calls, and the number of seccomp itself."""

_MADE_WITH_CARE: Final = ("clone", "clone3", "tgkill")


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def install() -> bool:
    """Set the filter on every thread of this process. False when this system has no such filters."""
    found = _MACHINES.get(platform.machine())
    if found is None or struct.calcsize("P") != 8 or platform.system() != "Linux":
        return False
    audit, numbers, call = found
    code = assemble(audit, numbers, os.getpid())
    kept = ctypes.create_string_buffer(code)
    program = _Program(len(code) // 8, ctypes.cast(kept, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.syscall(call, _SET_MODE_FILTER, _FLAG_TSYNC, ctypes.byref(program)) == 0)


def assemble(audit: int, numbers: dict[str, int], process: int) -> bytes:
    """The filter: another machine's calls end the process, listed ones pass, new processes and signals to
    other processes than `process` are refused, and everything else fails with EPERM."""
    plain = sorted(number for name, number in numbers.items() if name not in _MADE_WITH_CARE)
    lines = [
        _line(_LOAD, operand=_MACHINE_AT),
        _line(_EQUAL, 1, 0, audit),
        _line(_RETURN, operand=_KILL),
        _line(_LOAD, operand=_NUMBER_AT),
        # Its flags lie in memory, where a filter cannot look; libraries then fall back to `clone`.
        _line(_EQUAL, 0, 1, numbers["clone3"]),
        _line(_RETURN, operand=_ERRNO | errno.ENOSYS),
        *_only_if(numbers["clone"], [_line(_AND, operand=_CLONE_THREAD)], _CLONE_THREAD),
        *_only_if(numbers["tgkill"], [], process),
        *(line for number in plain for line in (_line(_EQUAL, 0, 1, number), _line(_RETURN, operand=_ALLOW))),
        _line(_RETURN, operand=_ERRNO | errno.EPERM),
    ]
    assert len(lines) <= _MAX_FILTER
    return b"".join(lines)


def _only_if(number: int, reduce: list[bytes], wanted: int) -> list[bytes]:
    """Call `number` passes if its first argument, after `reduce`, is `wanted`, and is refused otherwise."""
    return [
        _line(_EQUAL, 0, 4 + len(reduce), number),
        _line(_LOAD, operand=_FIRST_ARGUMENT_AT),
        *reduce,
        _line(_EQUAL, 0, 1, wanted),
        _line(_RETURN, operand=_ALLOW),
        _line(_RETURN, operand=_ERRNO | errno.EPERM),
    ]


def _line(code: int, if_true: int = 0, if_false: int = 0, operand: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, operand)
