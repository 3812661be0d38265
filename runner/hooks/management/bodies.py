"""Bodies and answers of `/api/v2/identity-provider-hooks`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from runner.hooks.effects import Effect
from runner.hooks.model import DECRYPT, VERIFY, Case, Defaults
from runner.hooks.providers import PROVIDERS
from runner.http.answer_types import Instant, TriggerId, closed
from runner.http.cursor_pagination import Next
from runner.management.base.schemas import Body
from runner.model.caps import MAX_BUDGET_MS, MAX_HOOK_SECRET, MAX_HOOK_SECRETS, MIN_HOOK_SECRET
from runner.model.outcome import Decision, LogRecord
from sandbox.core.failure import Failure

Use = Literal["verify", "decrypt"]
OnUncarried = Literal["deny", "allow"]
ProviderName = Annotated[str, Field(max_length=32, json_schema_extra={"enum": sorted(PROVIDERS)})]
HookName = Annotated[str, Field(min_length=1, max_length=64)]
Settings = dict[str, Any]
_USES: Final = (VERIFY, DECRYPT)


class SecretInput(Body):
    """A secret. `use`: `verify` checks where a request comes from; `decrypt` is a private key."""

    value: Annotated[str, Field(min_length=MIN_HOOK_SECRET, max_length=MAX_HOOK_SECRET)]
    use: Use = "verify"


class AddSecret(Body):
    """POST /identity-provider-hooks/{id}/secrets. Without `value` one is drawn, where the provider lets."""

    value: Annotated[str, Field(min_length=MIN_HOOK_SECRET, max_length=MAX_HOOK_SECRET)] | None = None
    use: Use = "verify"


class CreateHook(Body):
    """POST /identity-provider-hooks."""

    provider: ProviderName
    hook: HookName
    secrets: Annotated[list[SecretInput], Field(max_length=MAX_HOOK_SECRETS)] = Field(default_factory=list)
    enabled: bool = True
    on_uncarried: OnUncarried = "deny"
    budget_ms: Annotated[int, Field(ge=50, le=MAX_BUDGET_MS)] | None = None
    defaults: Defaults = Defaults()
    settings: Settings = Field(default_factory=dict)


class UpdateHook(Body):
    """PATCH /identity-provider-hooks/{id}: what is sent changes, each member as a whole."""

    enabled: bool = True
    on_uncarried: OnUncarried = "deny"
    budget_ms: Annotated[int, Field(ge=50, le=MAX_BUDGET_MS)] | None = None
    defaults: Defaults = Defaults()
    settings: Settings = Field(default_factory=dict)


class TestHook(Body):
    """POST /identity-provider-hooks/{id}/test: the provider's example, or this payload."""

    __test__ = False  # no test case

    payload: dict[str, Any] | None = None


@closed
class SecretItem(TypedDict):
    """A secret; its value is answered only once, when the service has drawn it."""

    id: str
    use: Use
    created_at: Instant
    value: NotRequired[str]


@closed
class HookItem(TypedDict):
    """A hook. `url`: for the provider; `triggers`: those whose Actions it runs."""

    id: Annotated[str, Field(pattern="^hok_")]
    provider: ProviderName
    hook: str
    url: str
    triggers: list[TriggerId]
    enabled: bool
    on_uncarried: OnUncarried
    budget_ms: int
    defaults: dict[str, Any]
    settings: dict[str, Any]
    secrets: list[SecretItem]
    created_at: Instant
    updated_at: Instant


@closed
class HookList(TypedDict):
    """Hooks in the order of their creation."""

    identity_provider_hooks: list[HookItem]
    next: NotRequired[Next]


@closed
class DroppedItem(TypedDict):
    """An effect that does not reach the provider."""

    effect: Effect
    name: NotRequired[str]
    reason: str


@closed
class AnswerItem(TypedDict):
    """What the provider would get. `body`: JSON; null for an empty one."""

    status: int
    body: Any


@closed
class TestedAction(TypedDict):
    """What one Action did."""

    name: str
    status: str
    logs: list[LogRecord]
    failure: NotRequired[Failure]


@closed
class TestResult(TypedDict):
    """A test. `goes_on`: the provider would let its user go on; `dropped`: what it would not be told."""

    trigger: TriggerId | None
    event: dict[str, Any] | None
    decision: Decision | None
    result: Case
    goes_on: bool
    answer: AnswerItem
    dropped: list[DroppedItem]
    actions: list[TestedAction]


TestResult.__test__ = False  # type: ignore[attr-defined]
