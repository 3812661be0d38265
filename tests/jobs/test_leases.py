"""Leases: whose they are, whatever stands in the row, and whether that process lives."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.jobs.leases import Lease, new_lease, process_name


def of_process(number: int) -> Lease:
    """A lease of another process of this machine."""
    machine = Lease.of(process_name()).machine
    return Lease.of(new_lease(f"{machine}:{number}:0123456789abcdef", locked=False))


@pytest.mark.parametrize("locked", [True, False])
def test_a_lease_says_whose_it_is(locked: bool) -> None:
    lease = Lease.of(new_lease(process_name(), locked=locked))
    assert lease.number == str(os.getpid())
    assert lease.locked is locked
    assert (lease.lock is not None) is locked
    assert not lease.is_gone


def test_no_two_leases_are_the_same() -> None:
    assert len({new_lease("a:1:b", locked=True) for _ in range(100)}) == 100


@given(st.text(max_size=60))
def test_any_text_is_a_lease_of_somebody_who_may_live(text: str) -> None:
    lease = Lease.of(text)
    assert lease.lock is None or lease.locked
    assert not lease.is_gone  # of no process of this machine


def test_a_process_that_has_ended_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    lease = of_process(process.pid)
    assert not lease.is_gone
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert lease.is_gone  # nobody has asked how it ended yet
    process.communicate()
    assert lease.is_gone


def test_who_had_our_number_before_us_is_gone() -> None:
    assert of_process(os.getpid()).is_gone
