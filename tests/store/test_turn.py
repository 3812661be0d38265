"""Writers take turns in order, those on which a login hangs first."""

from __future__ import annotations

import threading
import time

from runner.store.database.turn import WriterTurn

SECONDS = 20.0


def waiting(turn: WriterTurn, count: int) -> None:
    until = time.monotonic() + SECONDS
    while len(turn._urgent) + len(turn._others) < count:
        assert time.monotonic() < until
        time.sleep(0.001)


def test_in_order_and_the_urgent_ones_first() -> None:
    turn = WriterTurn()
    order: list[str] = []

    def write(name: str, urgent: bool) -> None:
        assert turn.acquire(SECONDS, urgent=urgent)
        order.append(name)
        turn.release()

    assert turn.acquire(0)
    threads = []
    for name in ("a", "b", "login", "c", "login too"):
        threads.append(threading.Thread(target=write, args=(name, name.startswith("login"))))
        threads[-1].start()
        waiting(turn, len(threads))
    turn.release()
    for thread in threads:
        thread.join(SECONDS)
    assert order == ["login", "login too", "a", "b", "c"]
    assert turn.acquire(0), "it is free again"


def test_its_thread_may_take_it_again() -> None:
    turn = WriterTurn()
    assert turn.acquire(0)
    assert turn.acquire(0)
    turn.release()
    got: list[bool] = []
    other = threading.Thread(target=lambda: got.append(turn.acquire(0.01)))
    other.start()
    other.join(SECONDS)
    assert got == [False], "still ours"
    assert not turn._others, "who gave up does not wait any more"
    turn.release()
    assert turn.acquire(0)


def test_one_at_a_time() -> None:
    turn = WriterTurn()
    inside, most, done = 0, 0, 0

    def write(number: int) -> None:
        nonlocal inside, most, done
        for _ in range(50):
            assert turn.acquire(SECONDS, urgent=number % 3 == 0)
            inside += 1
            most = max(most, inside)
            inside -= 1
            done += 1
            turn.release()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert (most, done) == (1, 400)
