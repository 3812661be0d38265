"""Processes of the suite begin with all modules that they are forked for."""

from __future__ import annotations

from tests.forked import FORKS
from tests.forked_modules import MODULES

MISSING = "import sys; telling.send([name for name in names if name not in sys.modules])"


def test_modules_are_loaded_before_the_fork() -> None:
    """`multiprocessing` says nothing when it cannot load them. The process runs text, because it would import
    this file, and with it the modules, to find a function."""
    hearing, telling = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=exec, args=(MISSING, {"telling": telling, "names": MODULES}))
    process.start()
    telling.close()
    assert hearing.poll(60)
    assert hearing.recv() == []
    process.join()
