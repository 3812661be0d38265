"""Queues of calls: tenants take turns, none runs or waits with more than its share."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Place = TypeVar("Place")
_KEPT: int = 1000
"""Tenants whose numbers are kept after their last call."""


_RANKED: Final = 64
"""Tenants that are compared by their use, for each turn; with more of them only the order of turns counts."""
_EQUAL_MS: Final = 50.0
"""Processor time lately that makes no difference."""


class QueueFullError(Exception):
    """`scope`: `tenant` or `service`."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


@dataclass(slots=True)
class TenantNumbers:
    """Of one tenant. `computing`: of those that run, all but the ones that wait for an answer; `cpu_ms`:
    processor time of its legs, halved each second."""

    running: int = 0
    computing: int = 0
    done: int = 0
    refused: int = 0
    lost: int = 0
    cpu_ms: float = 0.0
    cpu_at: float = field(default_factory=time.monotonic)

    def used(self, now: float) -> float:
        """Recent use of the tenant, in milliseconds."""
        return float(self.cpu_ms * 0.5 ** (now - self.cpu_at)) if self.cpu_ms else 0.0


class FairQueue(Generic[Item]):
    """Waiting items by tenant, taken in turns.

    Args:
        tenant_running: items of one tenant that may be out at a time.
        tenant_queue, queue: items that may wait: of one tenant, and in all.
    """

    def __init__(self, *, tenant_running: int, tenant_queue: int, queue: int) -> None:
        self._tenant_running = tenant_running
        self._tenant_queue = tenant_queue
        self._queue = queue
        self._waiting: OrderedDict[str, deque[Item]] = OrderedDict()
        self._count = 0
        self._numbers: OrderedDict[str, TenantNumbers] = OrderedDict()

    def __len__(self) -> int:
        return self._count

    def numbers(self, tenant: str) -> TenantNumbers:
        """The numbers of a tenant, made when it is new; those of long-idle tenants are dropped."""
        found = self._numbers.get(tenant)
        if found is None:
            found = self._numbers[tenant] = TenantNumbers()
            if len(self._numbers) > _KEPT:
                self._drop_idle()
        else:
            self._numbers.move_to_end(tenant)
        return found

    def _drop_idle(self) -> None:
        for name, item in self._numbers.items():
            if not item.running and name not in self._waiting:
                del self._numbers[name]
                return

    def tenants(self) -> dict[str, tuple[TenantNumbers, int]]:
        """Numbers and waiting items of every tenant that is known."""
        return {name: (numbers, len(self._waiting.get(name, ()))) for name, numbers in self._numbers.items()}

    def put(self, tenant: str, item: Item) -> None:
        """Raises `QueueFullError`."""
        waiting = self._waiting.get(tenant)
        if self._count >= self._queue:
            raise QueueFullError("service")
        if waiting is not None and len(waiting) >= self._tenant_queue:
            raise QueueFullError("tenant")
        if waiting is None:
            waiting = self._waiting[tenant] = deque()
        waiting.append(item)
        self._count += 1

    def put_back(self, tenant: str, item: Item) -> None:
        """Before all others of its tenant; what was taken once always has room."""
        self._waiting.setdefault(tenant, deque()).appendleft(item)
        self._count += 1

    def take(self, place: Callable[[TenantNumbers, Item], Place | None]) -> tuple[Item, Place] | None:
        """The next item and its place; None when nothing can go.

        Args:
            place: where this item of the tenant with these numbers would run now; None for nowhere.
        """
        for tenant in self._in_turn():
            numbers = self._numbers.get(tenant) or self.numbers(tenant)
            if numbers.running >= self._tenant_running:
                continue
            found = place(numbers, self._waiting[tenant][0])
            if found is None:
                continue
            waiting = self._waiting[tenant]
            item = waiting.popleft()
            self._count -= 1
            if waiting:
                self._waiting.move_to_end(tenant)
            else:
                del self._waiting[tenant]
            numbers.running += 1
            return item, found
        return None

    def _in_turn(self) -> list[str]:
        """Tenants that wait: who used less of the processors lately first, among equals one after another."""
        names = list(self._waiting)
        if len(names) > 1:
            now = time.monotonic()
            names[:_RANKED] = sorted(names[:_RANKED], key=lambda name: self._used(name, now))
        return names

    def _used(self, tenant: str, now: float) -> int:
        numbers = self._numbers.get(tenant)
        return 0 if numbers is None else int(numbers.used(now) / _EQUAL_MS)

    def ended(self, tenant: str) -> None:
        """An item that was taken is over."""
        self.numbers(tenant).running -= 1

    def remove(self, tenant: str, item: Item) -> bool:
        """Take out an item that nobody waits for. False when it is not waiting."""
        waiting = self._waiting.get(tenant)
        if waiting is None or item not in waiting:
            return False
        waiting.remove(item)
        self._count -= 1
        if not waiting:
            del self._waiting[tenant]
        return True

    def remove_all(self, which: Callable[[Item], bool]) -> list[Item]:
        """Take out every waiting item that `which` names."""
        found = [(tenant, item) for tenant, items in self._waiting.items() for item in items if which(item)]
        for tenant, item in found:
            self.remove(tenant, item)
        return [item for _, item in found]
