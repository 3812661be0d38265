"""Compression of records. Most of a record is the same in every other of its trigger: names of members, and
what an ordinary event says. A dictionary that is made of the trigger's example holds it."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Final

from runner.model.outcome import ActionRecord, Decision, FlowOutcome, Status, Timing, TriggerRef
from sandbox.core.caps import Limits
from sandbox.core.program import Language
from sandbox.port.journal import SHAPES
from triggers import Effects, Trigger, begin, get_trigger

_LEVEL: Final = 6
_WINDOW: Final = 32 * 1024
"""Bytes that zlib looks back at."""


class DamagedError(Exception):
    """Compressed data cannot be read."""


@dataclass(frozen=True, slots=True)
class Words:
    """A dictionary; it is stored with the records that need it, because a later release makes another one."""

    content: bytes = field(repr=False)
    digest: str

    @classmethod
    def of(cls, content: bytes) -> Words:
        return cls(content, hashlib.sha256(content).hexdigest())


@lru_cache(maxsize=64)
def words_of(trigger_id: str) -> Words:
    """The dictionary for records of a trigger, as this release makes it: what is met most stands last."""
    trigger = get_trigger(trigger_id)
    state = begin(trigger, trigger.parse_event(trigger.example_event)).model_dump(mode="json")
    text = json.dumps(state, separators=(",", ":")) + _skeleton(trigger)
    return Words.of(text.encode()[-_WINDOW:])


def compress(data: bytes, words: Words | None = None) -> bytes:
    """`data`, by zlib."""
    packer = zlib.compressobj(_LEVEL, zdict=words.content) if words else zlib.compressobj(_LEVEL)
    return packer.compress(data) + packer.flush()


def expand(data: bytes, most: int, words: Words | None = None) -> bytes:
    """What was compressed.

    Raises:
        DamagedError: it is not whole, or more than `most` bytes.
    """
    try:
        packer = zlib.decompressobj(zdict=words.content) if words else zlib.decompressobj()
        found = packer.decompress(data, most)
    except zlib.error as error:
        raise DamagedError(str(error)) from None
    if not packer.eof or packer.unused_data:
        raise DamagedError(f"it has more than {most} bytes, or is not whole")
    return found


def _skeleton(trigger: Trigger) -> str:
    """What every record says around the event."""
    outcome = FlowOutcome(
        execution_id="",
        tenant="",
        trigger=TriggerRef(id=trigger.id, version=trigger.version, blocking=trigger.blocking),
        decision=Decision.ALLOW,
        effects=Effects(),
        actions=(
            ActionRecord(
                index=0,
                name="",
                language=Language.JAVASCRIPT,
                digest="",
                status=Status.RAN,
                handler=trigger.execute_handler,
            ),
        ),
        timing=Timing(started_at=0.0, wall_ms=0.0, budget_ms=0),
    )
    limits = json.dumps(asdict(Limits()), separators=(",", ":"))
    execution = (
        f'"executions":[{{"action":0,"limits":{limits},"clock":[],"journal":{{"version":1,"outcome":null,'
    )
    return f'{execution}"entries":[{_JOURNAL}{outcome.to_json()}'


def _entry(operation: str) -> str:
    arguments, result = SHAPES[operation]
    data = {
        "sequence": 1,
        "operation": operation,
        "arguments": dict.fromkeys(arguments, ""),
        "result": dict.fromkeys(result, ""),
    }
    return json.dumps(data, separators=(",", ":")) + ","


_JOURNAL: Final = "".join(map(_entry, SHAPES))
