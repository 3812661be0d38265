"""Running Actions from test code; the pytest fixture `actionbox` is one of these (docs/testing.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runner.flow.programs import ProgramCache
from runner.flow.runner import Runner
from runner.model.action import Action, FailPolicy
from runner.model.outcome import FlowOutcome
from runner.model.secret_names import SecretValues, apart
from runner.model.settings import Settings
from runner.project.action_files import load_action
from runner.project.dependencies import module_secrets
from runner.suspension.stores import SuspendedFlow
from runner.testing.cases.match import differences
from runner.testing.cases.model import DirectorySpec, epoch
from runner.testing.cases.worlds import OneUser, fixed_cache, frozen_clock, seeded_entropy
from runner.testing.partial_event import completed
from runner.testing.simulated_return import merge_patch, returning_request, session_token, with_timestamps
from sandbox.core.caps import Limits
from sandbox.core.program import Language, Source
from sandbox.egress import SeenRequest, StubEgress, parse_stubs
from triggers import get_trigger

ActionLike = Action | str | Path


@dataclass
class ActionBox:
    """Runs Actions with stubbed requests and keeps what a resume needs. One per test.

    Attributes:
        folder: where relative paths begin.
        programs: shared between tests, so that each source is built once.
        requests: what Actions requested in the last call of `run` or `resume`.
    """

    folder: Path = field(default_factory=Path.cwd)
    programs: ProgramCache = field(default_factory=ProgramCache)
    requests: tuple[SeenRequest, ...] = ()
    _runner: Runner | None = None
    _actions: Sequence[Action] = ()

    def javascript(self, text: str, **options: Any) -> Action:
        """An Action from source text; `options` are those of `Action`."""
        return Action(
            options.pop("name", "inline"), Source(Language.JAVASCRIPT, "inline.js", text), **options
        )

    def python(self, text: str, **options: Any) -> Action:
        """An Action from source text; `options` are those of `Action`."""
        return Action(options.pop("name", "inline"), Source(Language.PYTHON, "inline.py", text), **options)

    def load(self, path: str | Path, **options: Any) -> Action:
        """An Action from a file, see `load_action`; `fail_policy` may be its name."""
        if isinstance(options.get("fail_policy"), str):
            options["fail_policy"] = FailPolicy(options["fail_policy"])
        return load_action(self.folder / path, **options)

    def event(self, trigger: str, patch: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The trigger's example event with a JSON merge patch applied."""
        event: dict[str, Any] = merge_patch(get_trigger(trigger).example_event, dict(patch or {}))
        return event

    def run(
        self,
        actions: ActionLike | Sequence[ActionLike],
        *,
        trigger: str,
        event: Mapping[str, Any] | None = None,
        patch: Mapping[str, Any] | None = None,
        secrets: SecretValues | None = None,
        fetch: Sequence[Mapping[str, Any]] = (),
        clock: str | float | None = None,
        seed: int | None = None,
        limits: Limits | None = None,
        budget_ms: int | None = None,
        cache: Mapping[str, str] | None = None,
        groups: Sequence[Mapping[str, Any]] = (),
        roles: Sequence[Mapping[str, Any]] = (),
        executed_rules: Sequence[str] = (),
        features: Sequence[str] = (),
    ) -> FlowOutcome:
        """Run a flow. Everything means what it means in a case file (docs/testing.md).

        Raises:
            RunnerError, EventError, UnknownTriggerError, ValueError: for what the test got wrong.
        """
        given = [actions] if isinstance(actions, (Action, str, Path)) else actions
        self._actions = [self._action(item, secrets or {}) for item in given]
        settings = Settings(limits=limits or Limits(), features=frozenset(features))
        directory = DirectorySpec(
            groups=[dict(item) for item in groups], roles=[dict(item) for item in roles]
        )
        self._runner = Runner(
            settings=settings if budget_ms is None else replace(settings, budget_ms=budget_ms),
            egress=StubEgress(parse_stubs([dict(item) for item in fetch])),
            programs=self.programs,
            caches=fixed_cache(cache or {}),
            directory=OneUser(directory),
            clock=frozen_clock(epoch(clock)),
            entropy=seeded_entropy(seed),
        )
        known = get_trigger(trigger)
        base = event if event is not None else known.example_event
        whole = completed(known, base, [patch or {}]).event
        outcome = self._runner.run(known, whole, self._actions, executed_rules=executed_rules)
        return self._seen(outcome)

    def resume(
        self,
        outcome: FlowOutcome,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        request: Mapping[str, Any] | None = None,
        token: Mapping[str, Any] | None = None,
        prompt: Mapping[str, Any] | None = None,
        methods: Sequence[Mapping[str, Any]] | None = None,
        enrolled: Sequence[Mapping[str, Any]] | None = None,
        clock: str | float | None = None,
        fetch: Sequence[Mapping[str, Any]] | None = None,
    ) -> FlowOutcome:
        """Go on with a flow that `run` of this box suspended; the right `state` is filled in.

        Args:
            token: `{"secret", "claims"?, "parameter"?, "in"?, "expires_in"?}`, see docs/testing.md.

        Raises:
            ResumeError: as `Runner.resume`.
            ValueError: `outcome` is not suspended.
        """
        if self._runner is None or outcome.suspension is None:
            raise ValueError("the outcome is not suspended")
        if clock is not None:
            self._runner = replace(self._runner, clock=frozen_clock(epoch(clock)))
        if fetch is not None:
            self._runner = replace(
                self._runner, egress=StubEgress(parse_stubs([dict(item) for item in fetch]))
            )
        waiting = self._runner.waiting(outcome.suspension.handle)
        now = self._runner.clock.wall()
        parameters = _parameters(waiting, query or {}, body or {}, token, now)
        resumed = self._runner.resume(
            outcome.suspension.handle,
            request=returning_request(waiting, **parameters, patch=request or {}),
            prompt=prompt if prompt is not None or waiting.kind != "prompt" else {},
            methods=with_timestamps(methods, now),
            enrolled=enrolled,
            secrets=self._actions,
        )
        return self._seen(resumed)

    def check(self, outcome: FlowOutcome, expected: Mapping[str, Any]) -> None:
        """Assert that `outcome` matches `expected`, partially, as `expect` of a case file does.

        Raises:
            AssertionError: naming every difference with its path.
        """
        found = differences(dict(expected), outcome.to_dict())
        if found:
            raise AssertionError("\n".join(map(str, found)))

    def _action(self, item: ActionLike, secrets: SecretValues) -> Action:
        action = item if isinstance(item, Action) else self.load(item)
        own, grouped = apart(secrets)
        modules = module_secrets(action.source, grouped)
        for name, values in action.module_secrets.items():
            modules[name] = {**modules.get(name, {}), **values}
        return replace(action, secrets={**own, **action.secrets}, module_secrets=modules)

    def _seen(self, outcome: FlowOutcome) -> FlowOutcome:
        assert self._runner is not None
        assert isinstance(self._runner.egress, StubEgress)
        self.requests = self._runner.egress.requests
        return outcome


def _parameters(
    waiting: SuspendedFlow,
    query: Mapping[str, Any],
    body: Mapping[str, Any],
    token: Mapping[str, Any] | None,
    now: float,
) -> dict[str, dict[str, Any]]:
    """Query and body with the session token, and with the state unless the test has one of its own."""
    parameters = {"query": dict(query), "body": dict(body)}
    if token is not None:
        signed = session_token(
            waiting,
            token["secret"],
            token.get("claims", {}),
            now=now,
            expires_in=token.get("expires_in", 900),
        )
        parameters[token.get("in", "body")][token.get("parameter", "session_token")] = signed
    if waiting.state and not any("state" in part for part in parameters.values()):
        parameters["query"]["state"] = waiting.state
    return parameters
