"""Events of which only a part is given, where somebody tries an Action: the trigger's example gives the rest.

Only for trials. A platform's events are taken as they are, or refused.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runner.testing.simulated_return import merge_patch
from triggers import EventError, Trigger

_NAMED: Final = 8


@dataclass(frozen=True, slots=True)
class Completed:
    """An event, and which members the example gave (`user.user_id`); of a whole object its own path alone."""

    event: dict[str, Any]
    filled: tuple[str, ...] = ()

    def sentence(self, trigger: Trigger) -> str:
        """Sentence about what was filled in; "" when nothing was."""
        if not self.filled:
            return ""
        shown = ", ".join(f"event.{path}" for path in self.filled[:_NAMED])
        more = len(self.filled) - _NAMED
        rest = f" and {more} more" if more > 0 else ""
        return f"filled in from the example event of {trigger.id}: {shown}{rest}"


def completed(
    trigger: Trigger, given: Mapping[str, Any], patches: Sequence[Mapping[str, Any]] = ()
) -> Completed:
    """`given`, patched. An event that is whole stays as it is; any other is laid over the example first: its
    objects member by member, anything else in place of what is there.

    Args:
        patches: JSON merge patches, applied last.
    """
    whole = _patched(dict(given), patches)
    try:
        trigger.parse_event(whole)
    except EventError:
        example = trigger.example_event
        laid = _patched(_over(example, given), patches)
        return Completed(laid, tuple(_missing(example, given, laid)))
    return Completed(whole)


def _patched(event: dict[str, Any], patches: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    for patch in patches:
        event = merge_patch(event, dict(patch))
    return event


def _over(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = copy.deepcopy(dict(base))
    for key, value in given.items():
        there = merged.get(key)
        both = isinstance(there, Mapping) and isinstance(value, Mapping)
        merged[key] = _over(there, value) if both and there is not None else value
    return merged


def _missing(
    base: Mapping[str, Any], given: Mapping[str, Any], laid: Mapping[str, Any], path: str = ""
) -> Iterator[str]:
    """Paths of `base` that `given` has not and that are still there in `laid`."""
    for key, value in base.items():
        if key not in laid:
            continue
        if key not in given:
            yield path + key
        elif all(isinstance(item, Mapping) for item in (value, given[key], laid[key])):
            yield from _missing(value, given[key], laid[key], f"{path}{key}.")
