"""Preparation of a resume, before anything runs: the stored flow, secrets, state, results."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runner.model.action import Action, with_unique_names
from runner.model.errors import ResumeError
from runner.model.secret_names import SecretValues, flattened
from runner.suspension.stores import PinnedAction, SuspendedFlow
from triggers import FlowState, get_trigger
from triggers import ResumeError as WrongResultError
from triggers import resume as resume_state

SecretsProvider = Callable[[PinnedAction], SecretValues]
"""Gives the secrets of a pinned Action when its flow resumes, those of a module under `actions:MODULE`."""
SecretsLike = SecretsProvider | SecretValues | Sequence[Action] | None
"""A provider, values for all Actions, or the Actions again."""


@dataclass(frozen=True, slots=True)
class StoredFlow:
    """A flow that waits, with the text that its store has of it."""

    text: str = field(repr=False)
    flow: SuspendedFlow

    @classmethod
    def read(cls, text: str) -> StoredFlow:
        """Raises as `read_flow` does."""
        return cls(text, read_flow(text))


def read_flow(text: str) -> SuspendedFlow:
    """The flow in a store's text. Raises `ResumeError` (`changed_source`, `unreadable`)."""
    try:
        waiting = SuspendedFlow.model_validate_json(text)
        FlowState.from_json(json.dumps(waiting.flow_state))
        current = get_trigger(waiting.trigger).version
    except (ValueError, LookupError) as error:
        raise _unreadable("it is damaged, or another release of actionbox wrote it") from error
    if current != waiting.trigger_version:
        raise _unreadable(
            f"it began under version {waiting.trigger_version} of {waiting.trigger}, now {current}"
        )
    waiting.check()
    return waiting


def _unreadable(reason: str) -> ResumeError:
    return ResumeError(
        "unreadable", f"the stored flow cannot be used: {reason}", next_step="Start the flow again."
    )


def with_secrets(waiting: SuspendedFlow, secrets: SecretsLike) -> tuple[Action, ...]:
    """The pinned Actions with their secrets. Raises `ResumeError` (`missing_secrets`)."""
    provide = _provider(secrets)
    actions = []
    for pinned in waiting.actions:
        values = flattened(provide(pinned)) if pinned.wanted else {}
        missing = [name for name in pinned.wanted if name not in values]
        if missing:
            raise ResumeError(
                "missing_secrets",
                f"Action {pinned.name!r} needs its secrets again: {', '.join(missing)}",
                next_step="Secrets are not kept with a suspended flow; give them with the resume.",
            )
        actions.append(pinned.action(values))
    return tuple(actions)


def _provider(secrets: SecretsLike) -> SecretsProvider:
    if callable(secrets):
        return secrets
    if secrets is None or isinstance(secrets, Mapping):
        values = dict(secrets or {})
        return lambda _: values
    by_name = {action.name: action.every_secret for action in with_unique_names(secrets)}
    return lambda pinned: by_name.get(pinned.name, {})


def state_matches(state: str, request: Mapping[str, Any] | None) -> bool:
    """Whether a request brings back `state`. Query and body are both looked at; one that
    differs spoils it, so none can shadow the other."""
    found = [
        part["state"]
        for part in ((request.get("query"), request.get("body")) if isinstance(request, Mapping) else ())
        if isinstance(part, Mapping) and "state" in part
    ]
    return bool(found) and all(
        isinstance(value, str) and hmac.compare_digest(value.encode(errors="replace"), state.encode())
        for value in found
    )


_MOST_LEVELS: Final = 128
_MOST_VALUES: Final = 1024 * 1024 // 2
"""Both no less than any event may hold: what is deeper, larger, shared without end or part of itself is left
as it is here, and refused by the check that comes next."""


_LEAVES: Final = frozenset({str, int, float, bool, type(None)})


def plain(value: Any) -> Any:
    """Mappings and sequences as the dicts and lists that are checked next; anything else as it is."""
    return _plain(value, _MOST_LEVELS, [_MOST_VALUES])


def _plain(value: Any, levels: int, left: list[int]) -> Any:
    # Exact types first, and leaves without a call: this runs for every value of every event, and asking
    # whether something is a `Mapping` takes longer than all the rest.
    kind = type(value)
    if kind in _LEAVES or levels == 0 or left[0] < 0:
        return value
    below = levels - 1
    if kind is dict or (kind is not list and isinstance(value, Mapping)):
        left[0] -= len(value)
        return {
            key: item if type(item) in _LEAVES else _plain(item, below, left) for key, item in value.items()
        }
    if kind is list or (isinstance(value, Sequence) and not isinstance(value, (str, bytes))):
        left[0] -= len(value)
        return [item if type(item) in _LEAVES else _plain(item, below, left) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Return:
    """The return from a suspension; see `Runner.resume`."""

    request: Mapping[str, Any] | None = None
    prompt: Mapping[str, Any] | None = None
    methods: Sequence[Mapping[str, Any]] | None = None
    enrolled: Sequence[Mapping[str, Any]] | None = None

    def applied(self, waiting: SuspendedFlow) -> FlowState:
        """The state to go on with.

        Raises:
            ResumeError: `wrong_result`.
            EventError: the event breaks the trigger's schema with it.
        """
        state = FlowState.model_validate(waiting.flow_state)
        try:
            resumed = resume_state(
                state,
                request=plain(self.request),
                prompt=plain(self.prompt),
                methods=plain(self.methods),
                enrolled=plain(self.enrolled),
            )
        except WrongResultError as error:
            raise ResumeError("wrong_result", str(error)) from None
        get_trigger(waiting.trigger).parse_event(resumed.event)
        return resumed
