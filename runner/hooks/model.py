"""What the module of an identity provider is made of. `runner.hooks` says how to write one."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from runner.hooks.effects import Dropped, Effect
from triggers import Effects

Payload = Mapping[str, Any]
"""The verified body of a request, as JSON."""
VERIFY: Final = "verify"
"""Use of a secret: checks where a request comes from."""
DECRYPT: Final = "decrypt"
"""Use of a secret: a private key that opens encrypted requests."""
PREFIX: Final = "/hooks/v1/"
"""Of the paths of all hooks."""
ROUTE: Final = f"{PREFIX}{{tenant}}/{{provider}}/{{hook}}"
"""What the log calls all of them."""
_JSON: Final = {"Content-Type": "application/json"}


class Case(StrEnum):
    """All that can become of a request. A provider has an answer for each (`Provider.response_of`), and only
    those of `GOES_ON` may let its user go on."""

    ALLOWED = "allowed"
    ACCEPTED = "accepted"
    """It is on disk, and its Actions run later."""
    IGNORED = "ignored"
    """The hook is not for what this request is about; nothing ran."""
    DENIED = "denied"
    SUSPENDED = "suspended"
    """An Action wants a redirect, form, challenge or enrolment, which no hook can carry."""
    UNCARRIED = "uncarried"
    """Effects were asked for that this hook cannot carry."""
    FAILED = "failed"
    RETRY = "retry"
    """A message was not delivered and should be tried again."""
    DROPPED = "dropped"
    """A message was not delivered and should not be tried again."""
    TIMED_OUT = "timed_out"
    BUSY = "busy"
    """429: too many requests or executions of the tenant."""
    UNAVAILABLE = "unavailable"
    """503: the database, the key ring, or a fault of ours."""
    REFUSED = "refused"
    """The request itself: not signed, not JSON, not of this hook. Nothing ran."""


GOES_ON: Final = frozenset({Case.ALLOWED, Case.ACCEPTED, Case.IGNORED})


@dataclass(frozen=True, slots=True)
class Result:
    """What a provider is to be told.

    Attributes:
        message: for the provider's log, or its user where `DENIED`.
        effects: to be carried; empty unless `ALLOWED`.
        status: for `REFUSED` the HTTP status that fits, 400 to 499.
        retry_after: seconds, for `BUSY` and `UNAVAILABLE`.
    """

    case: Case
    message: str = ""
    effects: Effects = field(default_factory=Effects)
    status: int = 400
    retry_after: int = 0

    @property
    def reason(self) -> str:
        """The message, or what a refusal says without one."""
        return self.message or "Access was denied."


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `body`: b"" for none."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, value: Any = None, retry_after: int = 0) -> Answer:
        """With `value` as JSON. `retry_after`: seconds, for a `Retry-After` header; none when 0."""
        headers = dict(_JSON)
        if retry_after:
            headers["Retry-After"] = str(retry_after)
        return cls(status, b"" if value is None else json.dumps(value).encode(), headers)

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is empty or no JSON."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return None


class RefusedError(Exception):
    """A request is refused before anything ran. `status`: 400 to 499; the message holds no secret, and does
    not tell which tenants or hooks there are."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status: Final = status
        self.message: Final = message


def unsigned() -> RefusedError:
    """The same for a missing, wrong or old proof, and for a tenant or hook that there is not."""
    return RefusedError(401, "The request carries no proof of its origin that is known here.")


class Defaulted(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class ConnectionDefaults(Defaulted):
    """`event.connection`, where the provider does not name one."""

    id: str = Field(default="con_default", min_length=1, max_length=255)
    name: str = Field(default="Username-Password-Authentication", min_length=1, max_length=255)
    strategy: str = Field(default="auth0", min_length=1, max_length=255)
    metadata: dict[str, str] = Field(default_factory=dict, max_length=50)


class ClientDefaults(Defaulted):
    """`event.client`: its id where the provider sends none, and what no provider sends."""

    client_id: str = Field(default="default", min_length=1, max_length=255)
    name: str = Field(default="", max_length=255)
    metadata: dict[str, str] = Field(default_factory=dict, max_length=50)


class Defaults(Defaulted):
    """What events need and providers do not send. `tenant.id` is the tenant's own."""

    connection: ConnectionDefaults = ConnectionDefaults()
    client: ClientDefaults = ClientDefaults()


class NoSettings(Defaulted):
    """Of a provider that needs none."""


@dataclass(frozen=True, slots=True)
class Secret:
    """`use`: `VERIFY` or `DECRYPT`."""

    id: str
    use: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Configured:
    """A tenant's configuration of one hook, ready for use.

    Attributes:
        settings: of the provider's `settings_model`.
        deny_uncarried: an outcome that cannot be carried whole is refused.
        budget_ms: from the request to the answer.
    """

    tenant: str
    id: str
    enabled: bool
    secrets: Sequence[Secret]
    defaults: Defaults
    settings: Any
    deny_uncarried: bool
    budget_ms: int

    def values(self, use: str = VERIFY) -> list[str]:
        """The values of all secrets of a use."""
        return [secret.value for secret in self.secrets if secret.use == use]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came. `headers`: names in lower case, each as often as it was sent."""

    headers: Sequence[tuple[str, str]]
    raw: bytes

    def header(self, name: str) -> str | None:
        """The one header of a name in lower case. Raises `RefusedError` when it was sent twice."""
        return one_header(self.headers, name)


def one_header(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    """The value of a header; None without it. Raises `RefusedError` when it was sent twice."""
    found = [value for key, value in headers if key == name]
    if len(found) > 1:
        raise RefusedError(400, f"The header {name} was sent {len(found)} times.")
    return found[0] if found else None


class KeySource(Protocol):
    """Finds public keys at an address, through the installation's rules for requests, and keeps them."""

    async def keys(self, tenant: str, url: str, *, fresh: bool = False) -> list[dict[str, Any]]:
        """The JWKs at `url`; `fresh`: look again, because a key was missing (not more often than every
        half minute). Raises `RefusedError`."""
        ...


@dataclass(frozen=True, slots=True)
class Origins:
    """What a verification may use. `now`: epoch seconds."""

    now: float
    source: KeySource


@dataclass(frozen=True, kw_only=True)
class Hook:
    """One hook of a provider.

    Attributes:
        name: the last part of its path.
        summary: one sentence: when it is called.
        triggers: those that it may run; the first one is what `actionbox hook test` runs on the example.
        choose: the trigger for a payload; None when the hook is not for it (`Case.IGNORED`).
        event: the trigger's event. Raises `RefusedError` for a payload that lacks what it needs.
        carries: kinds of effects that its answer holds.
        elsewhere: kinds that another hook of the same login carries: dropped here without a refusal.
        losses: of what it `carries`, what the provider would not take after all.
        body: JSON of the answer that lets go on, with the effects in it; None for an empty body.
        key: the provider's own id of the request, the same over its retries; None when it sends none.
        limit_ms: the provider's own limit, over all its tries.
        budget_ms: what we take of it unless the tenant says otherwise; at most `max_budget_ms`.
        example: name of the file with a request, below `providers/examples/<provider>/`.
    """

    name: str
    summary: str
    triggers: tuple[str, ...]
    event: Callable[[Payload, str, Defaults, str], dict[str, Any]]
    choose: Callable[[Payload], str | None] = field(default=lambda _: "")
    carries: frozenset[Effect] = frozenset()
    elsewhere: frozenset[Effect] = frozenset()
    losses: Callable[[Payload, Effects], Sequence[Dropped]] = field(default=lambda _payload, _effects: ())
    body: Callable[[Payload, Effects], Any] = field(default=lambda _payload, _effects: None)
    key: Callable[[Payload, Incoming], str | None] = field(default=lambda _payload, _incoming: None)
    limit_ms: int
    budget_ms: int
    example: str

    @property
    def max_budget_ms(self) -> int:
        """The provider's limit less a tenth for the way."""
        return self.limit_ms * 9 // 10

    def trigger_of(self, payload: Payload) -> str | None:
        """Which trigger runs; None for none."""
        found = self.choose(payload)
        return self.triggers[0] if found == "" else found


class Provider(ABC):
    """An identity provider.

    Attributes:
        name: in paths.
        title: for people.
        hooks: by name.
        settings_model: settings of each hook beside those that all have.
        proofs: headers one of which every request must have; without one it is refused before its body is
            read. Empty when the proof is in the body.
        body_proof: what every body with a proof has in it, where `proofs` is empty; b"": nothing is sure.
        makes_secret: our side chooses the secret (an API key); else the provider does.
        uses: uses of its secrets.
        fails_open: it lets its user go on after a status that is no success, so that every refusal is a 200.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    hooks: ClassVar[Mapping[str, Hook]]
    settings_model: ClassVar[type[BaseModel]] = NoSettings
    proofs: ClassVar[tuple[str, ...]] = ()
    body_proof: ClassVar[bytes] = b""
    makes_secret: ClassVar[bool] = False
    uses: ClassVar[tuple[str, ...]] = (VERIFY,)
    fails_open: ClassVar[bool] = False

    @property
    def any_hook(self) -> Hook:
        """Some hook, to refuse a request that is for none in the provider's shape."""
        return next(iter(self.hooks.values()))

    @abstractmethod
    async def verify(self, request: Incoming, hook: Configured, origins: Origins) -> bytes:
        """The payload as JSON text, once it is certain who sent it. Raises `RefusedError`."""

    @abstractmethod
    def response_of(self, hook: Hook, payload: Payload, result: Result) -> Answer:
        """The answer. `payload` is empty where the request was refused before it was read.

        Only for a case of `GOES_ON` it may be one that lets the provider's user go on.
        """

    @abstractmethod
    def goes_on(self, hook: Hook, answer: Answer) -> bool:
        """Whether the provider takes `answer` for leave to go on, read as the provider reads it."""

    @abstractmethod
    def sign(self, hook: Hook, raw: bytes, secret: str, now: float) -> tuple[dict[str, str], bytes]:
        """Headers and body of a request as the provider would send it, for `hook simulate` and tests."""

    def event_of(
        self, hook: Hook, payload: Payload, trigger: str, defaults: Defaults, tenant: str
    ) -> dict[str, Any]:
        """The event of `trigger`, whole. Raises `RefusedError`."""
        return hook.event(payload, trigger, defaults, tenant)

    def document(self, hook: Hook, name: str) -> bytes | None:  # noqa: ARG002
        """A text that the provider fetches below the hook's path, the same for every tenant: anybody may read
        it. None: there is none of this name."""
        return None

    def problem_of(self, secret: Secret) -> str:
        """Why a secret cannot be one, or "". The text does not hold it."""
        return "" if secret.use in self.uses else f"{self.title} has no secrets of the use {secret.use}"


def path_of(tenant: str, provider: str, hook: str) -> str:
    """The path of a tenant's hook."""
    return f"{PREFIX}{tenant}/{provider}/{hook}"
