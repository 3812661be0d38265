"""Running and building in the service's own process, for trials and tests: without the second wall
(threat-model B3)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runner.config.settings import ServiceSettings
from runner.flow.runner import Runner
from runner.model.action import Action
from runner.model.outcome import FlowOutcome
from runner.project.dependencies import origin_of
from runner.replay.record import FlowRecord
from runner.shadow.answers import OtherAnswer
from runner.shadow.leg import LegShadow, shadow_leg, told_leg
from sandbox.action_build import Build, Module, Wanted, build_action
from sandbox.core.failure import BuildError
from sandbox.core.program import Dependencies, Source
from sandbox.packages.npm.lock import Lock
from sandbox.packages.wheels.lock import WheelLock


class InProcess:
    """A `Builder` and a `FlowRunner`."""

    def __init__(self, settings: ServiceSettings, runner: Runner) -> None:
        self._settings = settings
        self._runner = runner

    @classmethod
    def of(cls, settings: ServiceSettings) -> InProcess:
        """With the real network, as the settings allow it."""
        from sandbox.egress import HttpEgress

        return cls(settings, Runner(settings=settings.flows, egress=HttpEgress(settings.egress)))

    def build(
        self,
        tenant: str,  # noqa: ARG002 - for builders that are fair between tenants
        source: Source,
        wanted: Sequence[Wanted],
        modules: Sequence[Module],
        lock: Lock | WheelLock | None,
        report: Callable[[Build], None],
    ) -> tuple[Build, Dependencies | None]:
        done = build_action(
            source,
            wanted,
            origin=self._origin,
            modules=modules,
            lock=lock,
            wheels=self._settings.wheels,
            report=report,
        )
        return done, None if done.program is None else done.program.source.dependencies

    def run_flow(
        self, tenant: str, trigger: str, event: Mapping[str, Any], actions: Sequence[Action]
    ) -> FlowOutcome:
        return self._runner.run(trigger, event, actions, tenant=tenant)

    def shadow(
        self,
        tenant: str,  # noqa: ARG002 - for runners that are fair between tenants
        record: FlowRecord,
        actions: Sequence[Action],
        control: Sequence[Action],
    ) -> LegShadow:
        return shadow_leg(record, actions, self._runner.programs, control=control or None, discreet=True)

    def warm(self, tenant: str, source: Source) -> None:  # noqa: ARG002 - for runners with workers
        with contextlib.suppress(BuildError):
            self._runner.programs.get(source)

    def replay(
        self,
        tenant: str,  # noqa: ARG002 - for runners that are fair between tenants
        record: FlowRecord,
        actions: Sequence[Action],
        control: Sequence[Action],
        answers: Sequence[OtherAnswer],
    ) -> LegShadow:
        return told_leg(record, actions, self._runner.programs, control=control or None, answers=answers)

    def _origin(self) -> Any:
        return origin_of(self._settings.npm_registry, self._settings.npm_packages)
