"""The gate that long legs pass: one at a time, in fair turns, behind short ones, never beyond their time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from runner.workers.child.gate import Gate, Pass
from sandbox.core.pace import away, current, ended, paced, slow

SECONDS = 20.0


def run(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()


def test_one_at_a_time_and_all_get_turns() -> None:
    gate = Gate()
    inside, most, turns = 0, 0, [0] * 8
    lock = threading.Lock()

    def leg(number: int) -> Callable[[], None]:
        def work() -> None:
            nonlocal inside, most
            mine = Pass(gate, gated=True)
            for _ in range(50):
                mine.turn()
                with lock:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.0005)
                with lock:
                    inside -= 1
                turns[number] += 1
            mine.leave()

        return work

    run(*(leg(number) for number in range(8)))
    assert most == 1
    assert turns == [50] * 8


def test_whoever_had_less_comes_first() -> None:
    gate = Gate()
    first, much, little = (Pass(gate, gated=True) for _ in range(3))
    much.used, little.used = 5.0, 1.0
    much.is_new = little.is_new = False
    order: list[str] = []

    def waits(leg: Pass, name: str) -> Callable[[], None]:
        def work() -> None:
            leg.step()
            order.append(name)
            leg.leave()

        return work

    def frees() -> None:
        while len(gate._waiting) < 2:
            time.sleep(0.001)
        first.leave()

    first.step()
    run(waits(much, "much"), waits(little, "little"), frees)
    assert order == ["little", "much"]


def test_whose_guest_is_over_comes_before_all_guests() -> None:
    """There is always a newer guest that had less: legs that only had to be written down waited until their
    worker was taken for stuck."""
    gate = Gate()
    first, over, guest = (Pass(gate, gated=True) for _ in range(3))
    over.used, guest.used = 5.0, 1.0
    over.is_new = guest.is_new = False
    guest.until = time.monotonic() + SECONDS
    order: list[str] = []

    def writes_down() -> None:
        with paced(over):
            ended()
        order.append("over")
        over.leave()

    def computes() -> None:
        guest.turn()
        order.append("guest")
        guest.leave()

    def frees() -> None:
        while len(gate._waiting) < 2:
            time.sleep(0.001)
        first.turn()
        first.leave()

    first.until = time.monotonic() + SECONDS
    first.turn()
    run(writes_down, computes, frees)
    assert order == ["over", "guest"]
    over.until = time.monotonic() + SECONDS  # of the flow's next guest
    assert over.order > guest.order


def test_a_wait_ends_with_the_legs_time() -> None:
    gate = Gate()
    holder, late = Pass(gate, gated=True), Pass(gate, gated=True)
    holder.step()
    late.until = time.monotonic() + 0.05
    late.turn()
    assert not gate.holds(late)
    assert gate._waiting == []
    holder.leave()
    late.leave()
    again = Pass(gate, gated=True)
    again.step()
    assert gate.holds(again)


def test_short_legs_are_waited_for_and_never_for_long() -> None:
    gate = Gate()
    leg = Pass(gate, gated=True)
    gate.short_legs(True)
    began = time.monotonic()
    leg.step()
    assert time.monotonic() - began >= 0.008, "it waited"
    leg.step()  # and then it may go on for a while
    gate.short_legs(False)
    leg.step()
    assert gate.holds(leg)


def test_one_computes_slowly_at_a_time_beside_who_has_the_turn() -> None:
    gate = Gate()
    inside, most = 0, 0
    lock = threading.Lock()
    turns: list[bool] = []

    def work() -> None:
        nonlocal inside, most
        mine = Pass(gate)
        with paced(mine), slow() as over:
            with lock:
                inside += 1
                most = max(most, inside)
            other = Pass(gate, gated=True)
            other.step()
            turns.append(gate.holds(other))
            other.leave()
            with lock:
                inside -= 1
            over()
        mine.leave()

    run(*[work] * 8)
    assert most == 1
    assert turns == [True] * 8


def test_a_leg_that_is_not_gated_passes_always() -> None:
    gate = Gate()
    holder, free = Pass(gate, gated=True), Pass(gate)
    holder.step()
    gate.short_legs(True)
    free.step()
    free.turn()
    assert gate.holds(holder)


def test_whoever_waits_for_an_answer_gives_its_turn_away() -> None:
    gate = Gate()
    mine, other = Pass(gate, gated=True), Pass(gate, gated=True)

    def work() -> None:
        other.step()
        other.leave()

    with paced(mine):
        assert current() is mine
        mine.step()
        with away():
            run(work)
        assert gate.holds(mine)
    assert current() is None
