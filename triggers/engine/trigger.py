"""A trigger: one declaration with its handlers, its rules and its api surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from triggers.engine.catalogue import BindingPolicy, Version
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft
from triggers.engine.surface import Surface
from triggers.events import Part, check, event_model, example_event, parse
from triggers.values.json_value import copy


@dataclass(frozen=True)
class Trigger:
    """One trigger in its CURRENT version.

    Attributes:
        id: such as `post-login`.
        summary: one sentence: when it runs.
        handlers: exported names that it calls, the execute handler first, then the continue handler.
        blocking: the operation waits for the Actions, and their failure fails it.
        binding_policy: bound to the trigger, or to an entity such as a stream.
        max_actions: how many Actions one binding takes.
        surface: the api.
        versions: all versions that are known, the current one first.
        can_redirect: whether an event allows to send the user somewhere; None: always.
        complete: adds to an event what every Action sees and the platform may leave out.
        prepare: fills a new draft with what holds without any command.
        notes: look at a finished draft and add warnings.
        checks: run when an Action completed, with its commands and whether it denied; raise `CommitError`.
        decided: flow-level decisions where the reference is silent.
        experimental: why the trigger is not complete, see `triggers.contracts.experimental`; else empty.
        listed: whether the Management API's list of triggers has it.
    """

    id: str
    summary: str
    handlers: tuple[str, ...]
    blocking: bool
    surface: Surface
    versions: tuple[Version, ...]
    binding_policy: BindingPolicy = "trigger-bound"
    max_actions: int = 20
    can_redirect: Callable[[Mapping[str, Any]], bool] | None = field(default=None, repr=False)
    complete: Callable[[dict[str, Any]], dict[str, Any]] | None = field(default=None, repr=False)
    prepare: Callable[[Draft], None] | None = field(default=None, repr=False)
    notes: tuple[Callable[[Draft], None], ...] = field(default=(), repr=False)
    checks: tuple[Callable[[Sequence[RecordedCommand], bool], None], ...] = field(default=(), repr=False)
    decided: tuple[str, ...] = ()
    experimental: str = ""
    listed: bool = True

    @property
    def version(self) -> str:
        """The version that runs."""
        return self.versions[0].name

    @property
    def status(self) -> str:
        return self.versions[0].status

    @property
    def runtimes(self) -> tuple[str, ...]:
        return self.versions[0].runtimes

    @property
    def execute_handler(self) -> str:
        return self.handlers[0]

    @property
    def continue_handler(self) -> str | None:
        return self.handlers[1] if len(self.handlers) > 1 else None

    @cached_property
    def event_model(self) -> type[Part]:
        """The pydantic model of the event; unknown properties are allowed everywhere."""
        return event_model(self.id)

    @property
    def example_event(self) -> dict[str, Any]:
        """A complete, valid event, as a fresh copy."""
        return example_event(self.id)

    def parse_event(self, data: Any) -> dict[str, Any]:
        """An event, checked: a deep copy of a value, or what `bytes` are as JSON text. Properties that the
        model does not know stay.

        `secrets` and `configuration` belong to Actions and may be left out.

        Raises:
            EventError: what is wrong, and where.
        """
        if isinstance(data, bytes):
            return parse(self.event_model, data)
        check(self.event_model, data)
        event: dict[str, Any] = copy(data)
        return event
