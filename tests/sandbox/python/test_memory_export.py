"""The peak of memory in statistics."""

from __future__ import annotations

import pytest

from sandbox.core.caps import MIB, Limits
from sandbox.core.failure import FailureCode
from sandbox.python import memory_export
from sandbox.python.data import LayoutError
from sandbox.wasm.binary import HEADER_BYTES, name, read_unsigned, section, unsigned
from tests.sandbox.python.actions import Runner


def test_the_peak_of_an_execution(runner: Runner) -> None:
    small = runner.body("pass").statistics.peak_memory_bytes
    large = runner.body("x = bytes(30 * 2**20)\ndel x").statistics.peak_memory_bytes
    assert 16 * MIB < small < 30 * MIB
    assert 30 * MIB <= large - small + MIB < 34 * MIB


def test_the_peak_of_a_failure(runner: Runner) -> None:
    assert runner.body("x = bytes(30 * 2**20)\n1 / 0").statistics.peak_memory_bytes > 46 * MIB


def test_the_peak_of_an_execution_that_wanted_more(runner: Runner) -> None:
    result = runner.body("s = 'x'\nwhile True: s += s", limits=Limits(memory_bytes=48 * MIB))
    assert result.failure is not None
    assert result.failure.code is FailureCode.MEMORY
    assert result.statistics.peak_memory_bytes <= 48 * MIB


HEADER = b"\0asm\x0d\0\x01\0"
MEMORY = section(6, b"\x01\0\x02\x01\0" + name("memory"))


@pytest.mark.parametrize(
    "content",
    [
        HEADER,
        HEADER + MEMORY + MEMORY,
        HEADER + MEMORY + section(8, b"\x01\x63"),
        HEADER + MEMORY + section(6, b"\x01\0\x77\x01\0\0"),
        HEADER + MEMORY + section(6, b"\x05"),
    ],
)
def test_an_unknown_layout_is_refused(content: bytes) -> None:
    with pytest.raises(LayoutError):
        memory_export.with_gauge(content)


def test_numbers() -> None:
    for value in (0, 1, 127, 128, 300, 2**32 - 1):
        assert read_unsigned(unsigned(value) + b"\xff", 0) == (value, len(unsigned(value)))
    assert len(HEADER) == HEADER_BYTES
