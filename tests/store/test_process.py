"""The identity of a process is its own, in whatever way it was made."""

from __future__ import annotations

from multiprocessing.connection import Connection

from runner.store.database.process import lock_of, process
from tests.forked import FORKS


def _tell(telling: Connection) -> None:
    telling.send(process())


def test_forks_of_a_process_that_has_imported_us_are_others() -> None:
    found = [process()]
    for _ in range(2):
        hearing, telling = FORKS.Pipe(duplex=False)
        forked = FORKS.Process(target=_tell, args=(telling,))
        forked.start()
        telling.close()
        assert hearing.poll(60)
        found.append(hearing.recv())
        forked.join()
    assert all(found)
    assert len(set(found)) == len({lock_of(identity) for identity in found}) == 3
