"""For identity platforms: invoke triggers over HTTP and get outcomes as typed records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from runner.client.http import RUNTIME, Api, Connection
from runner.model.outcome import FlowOutcome

_PER_PAGE: Final = 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to an event stream. `execution_id`: of all attempts at it."""

    event_stream_id: str
    event_id: str
    execution_id: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """An asynchronous trigger's event was stored; its Actions run later, at least once.

    Attributes:
        execution_id: of all attempts.
        deliveries: one for each stream that gets the event, when it went to streams.
    """

    execution_id: str
    deliveries: tuple[Delivery, ...] = ()


class RuntimeClient:
    """A platform's connection to the runtime API. Make one and keep it; safe between threads.

        client = RuntimeClient("https://actions.example", token=TOKEN)
        outcome = client.invoke("post-login", event)

    Every call raises `ServiceError`; its `status` is 429 when the tenant has no capacity left, after the
    waits that the service asked for.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        ca_file: str | None = None,
        read_seconds: float = 60.0,
    ) -> None:
        """`token`, or `client_id` and `client_secret`. `read_seconds`: longest wait for an outcome."""
        self._api = Api(
            Connection(
                url=url,
                token=token,
                client_id=client_id,
                client_secret=client_secret,
                ca_file=ca_file,
                read_seconds=read_seconds,
            )
        )

    @classmethod
    def over(cls, api: Api) -> Self:
        """A client on an `Api` that exists."""
        client = cls.__new__(cls)
        client._api = api
        return client

    def invoke(
        self,
        trigger: str,
        event: Mapping[str, Any],
        *,
        action: str | None = None,
        executed_rules: Sequence[str] = (),
        idempotency_key: str | None = None,
        traceparent: str | None = None,
    ) -> FlowOutcome | Accepted:
        """Run the Actions bound to `trigger` on `event`.

        Args:
            action: id of the Action, for triggers that are bound to entities (`custom-token-exchange`,
                `event-stream`). Without it a token exchange runs the Action of the event's profile, and an
                event goes to the streams that subscribe to it.
            idempotency_key: the same key with the same event gives the first outcome again, so that a call
                can be repeated whose answer was lost.
            traceparent: W3C trace context to go on with.
        """
        body: dict[str, Any] = {"event": dict(event)}
        if action is not None:
            body["action_id"] = action
        if executed_rules:
            body["executed_rules"] = list(executed_rules)
        headers = {} if idempotency_key is None else {"idempotency-key": idempotency_key}
        if traceparent is not None:
            headers["traceparent"] = traceparent
        answer = self._api.send("POST", f"{RUNTIME}/triggers/{trigger}/invoke", body=body, headers=headers)
        if answer.status == 202:
            made = tuple(Delivery(**item) for item in answer.value.get("deliveries", ()))
            return Accepted(str(answer.value["execution_id"]), made)
        return FlowOutcome.model_validate(answer.value)

    def resume(
        self,
        handle: str,
        *,
        request: Mapping[str, Any] | None = None,
        prompt: Mapping[str, Any] | None = None,
        methods: Sequence[Mapping[str, Any]] | None = None,
        enrolled: Sequence[Mapping[str, Any]] | None = None,
        idempotency_key: str | None = None,
    ) -> FlowOutcome:
        """Go on with a suspended flow; the arguments are those of `Runner.resume`, `idempotency_key` as in
        `invoke`."""
        given = {"request": request, "prompt": prompt, "methods": methods, "enrolled": enrolled}
        body = {"handle": handle, **{name: value for name, value in given.items() if value is not None}}
        headers = {} if idempotency_key is None else {"idempotency-key": idempotency_key}
        answer = self._api.send("POST", f"{RUNTIME}/resume", body=body, headers=headers)
        return FlowOutcome.model_validate(answer.value)

    def execution(self, execution_id: str) -> Mapping[str, Any]:
        """One execution with its results, logs and attempts."""
        found: Mapping[str, Any] = self._api.get(f"{RUNTIME}/executions/{execution_id}").value
        return found

    def executions(self, **filters: str | int) -> Sequence[Mapping[str, Any]]:
        """The latest executions; filters are `trigger`, `action`, `status`, `decision`, `from`, `to`, `page`,
        `per_page`. As many as `per_page` says, also when the service gives them in several answers."""
        most = int(filters.pop("per_page", _PER_PAGE))
        return self._api.some(f"{RUNTIME}/executions", "executions", most, **filters)

    def logs(self, *, action: str | None = None) -> Iterator[Mapping[str, Any]]:
        """Executions as they end, with their console output; until the service closes the stream."""
        filters = {} if action is None else {"action": action}
        yield from self._api.events(f"{RUNTIME}/logs/stream", **filters)
