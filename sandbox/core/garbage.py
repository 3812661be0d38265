"""Garbage collection of a process that serves."""

from __future__ import annotations

import gc


def settle() -> None:
    """Leave what is there now out of garbage collection; it lives as long as the process.

    A full collection looks at every container. Modules, models and routes are some 200,000 in the service and
    90,000 in a worker: 0.1 s and more in which no login goes on.
    """
    gc.collect()
    gc.freeze()
