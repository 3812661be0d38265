"""Names the processor that native code is compiled for.

wasmtime uses what the processor can do and refuses code on one that cannot do it. A cache can move between
processors: in a container image, or on a disk that several machines mount.
"""

from __future__ import annotations

import functools
import hashlib
import platform
from pathlib import Path
from typing import Final

_CPUINFO: Final = Path("/proc/cpuinfo")
_LISTS: Final = ("flags", "features")
"""How the list of what it can do is called there, on x86-64 and on ARM."""
_USED: Final = frozenset(
    [
        "pni",
        "ssse3",
        "sse4_1",
        "sse4_2",
        "popcnt",
        "avx",
        "avx2",
        "fma",
        "bmi1",
        "bmi2",
        "abm",
        "cx16",
        "avx512f",
        "avx512dq",
        "avx512vl",
        "avx512_bitalg",
        "avx512vbmi",
        "atomics",
        "paca",
        "pacg",
        "fphp",
        "asimdhp",
    ]
)
"""What Cranelift asks for, as Linux spells it; of others code does not depend."""


@functools.cache
def processor() -> str:
    """The same text on processors that can run one another's code, as far as Linux tells."""
    return processor_of(_read())


def processor_of(cpuinfo: str) -> str:
    """`processor` of the text of /proc/cpuinfo; empty elsewhere."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() in _LISTS:
            used = " ".join(sorted(_USED.intersection(value.lower().split())))
            return f"{platform.machine()} {hashlib.sha256(used.encode()).hexdigest()[:16]}"
    return f"{platform.machine()} {platform.processor()}"


def _read() -> str:
    try:
        return _CPUINFO.read_text(errors="replace")
    except OSError:
        return ""
