"""A tenant with a hook, and requests as its provider sends them."""

from __future__ import annotations

import copy
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3

from runner.hooks.model import Answer, Hook, Provider
from runner.hooks.providers import PROVIDERS, example_of
from tests.serving.server import Client, Server

HOOKS = "//api/v2/identity-provider-hooks"
SECRET = "a-secret-of-the-tests"


@dataclass(frozen=True)
class Setup:
    """What a hook of a provider needs in the tests beside its name. `settings`: what it cannot do without;
    `secret`: what `sign` is given; `key`: where a payload has its provider's id (a request with the same one
    gets the same answer); `more`: for a machine that is busy with other tests."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    secret: str = SECRET
    key: tuple[str, ...] = ("",)
    more: Mapping[str, Any] = field(default_factory=dict)


SETUPS: dict[str, Setup] = {
    "firebase": Setup(settings={"project": "demo-harbor"}),
    "okta": Setup(key=("eventId",), more={"budget_ms": 2_700}),
    "supabase": Setup(
        secret="v1,whsec_YS1zZWNyZXQtb2YtdGhlLXRlc3RzLWluLWJhc2U2NA==", key=("metadata", "uuid")
    ),
}
"""By provider, for those that need something of their own."""
HANDLERS = {
    "post-login": "onExecutePostLogin",
    "credentials-exchange": "onExecuteCredentialsExchange",
    "pre-user-registration": "onExecutePreUserRegistration",
    "post-user-registration": "onExecutePostUserRegistration",
    "post-change-password": "onExecutePostChangePassword",
    "password-reset-post-challenge": "onExecutePostChallenge",
    "custom-phone-provider": "onExecuteCustomPhoneProvider",
    "custom-email-provider": "onExecuteCustomEmailProvider",
    "post-credential-validation": "onExecutePostCredentialValidation",
}
_POOL = urllib3.PoolManager(maxsize=8, retries=False, timeout=60)


@dataclass(frozen=True)
class Line:
    """A tenant's hook, and the provider at the other end."""

    client: Client
    provider: Provider
    hook: Hook
    path: str
    id: str
    _deployed: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    @property
    def secret(self) -> str:
        return setup(self.provider.name).secret

    def example(self) -> dict[str, Any]:
        """With an id of its own, where the payload has one."""
        return self.anew(copy.deepcopy(example_of(self.provider, self.hook)))

    def anew(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A payload that was not sent before, if it has the provider's id."""
        *parents, name = setup(self.provider.name).key
        holder: Any = payload
        for parent in parents:
            holder = holder.get(parent) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and isinstance(holder.get(name), str):
            holder[name] = str(uuid.uuid4())
        return payload

    def send(
        self,
        payload: Any = None,
        *,
        secret: str = "",
        raw: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
        path: str = "",
        now: float | None = None,
        sign: Callable[..., tuple[dict[str, str], bytes]] | None = None,
    ) -> Answer:
        """`headers`: instead of the provider's own; None leaves one out."""
        text = json.dumps(self.example() if payload is None else payload).encode() if raw is None else raw
        named, body = (sign or self.provider.sign)(self.hook, text, secret or self.secret, now or time.time())
        sent = {**named, **(headers or {})}
        return post(
            self.client.url + (path or self.path),
            body,
            {name: value for name, value in sent.items() if value is not None},
        )

    def goes_on(self, answer: Answer) -> bool:
        return self.provider.goes_on(self.hook, answer)

    def bind(self, code: str, trigger: str = "", **fields: Any) -> dict[str, Any]:
        """An Action of this body alone, on the hook's first trigger; without `fields` the one that was bound
        before, if any."""
        trigger = trigger or self.hook.triggers[0]
        source = f"exports.{HANDLERS[trigger]} = async (event, api) => {{ {code} }};"
        action = None if fields else self._deployed.get((trigger, source))
        if action is None:
            action = self.client.deployed(supported_triggers=[{"id": trigger}], code=source, **fields)
        if not fields:
            self._deployed[trigger, source] = action
        self.client.bind(action, trigger=trigger)
        return action

    def executions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get("//runtime/v1/executions", per_page=100)["executions"]
        return found

    def ended(self, count: int) -> list[dict[str, Any]]:
        """The executions, once there are `count` and none is pending."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = self.executions()
            if len(found) == count and all(item["status"] != "pending" for item in found):
                return found
            time.sleep(0.05)
        raise AssertionError("the executions did not end in time")


def setup(provider: str) -> Setup:
    return SETUPS.get(provider) or Setup()


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    found = _POOL.request("POST", url, body=body, headers=dict(headers), redirect=False)
    return Answer(found.status, found.data, dict(found.headers))


def line(server: Server, provider: str, hook: str, client: Client | None = None, **fields: Any) -> Line:
    """A new hook of a new tenant, or of `client`'s."""
    client = client or server.client()
    given = {"secrets": [{"value": setup(provider).secret}], **setup(provider).more, **fields}
    body = {"provider": provider, "hook": hook, **given}
    if settings := setup(provider).settings:
        body["settings"] = {**settings, **body.get("settings", {})}
    reply = client.call("POST", HOOKS, body)
    assert reply.status == 201, reply
    url = reply.json["url"]
    found = PROVIDERS[provider]
    return Line(client, found, found.hooks[hook], url[url.index("/hooks/v1/") :], reply.json["id"])


def wrong(secret: str) -> str:
    """Another secret of the same form."""
    at = len(secret) // 2
    return secret[:at] + ("B" if secret[at] != "B" else "C") + secret[at + 1 :]
