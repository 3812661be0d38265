"""What the provider asks of actionbox: one event for each trigger, and what to do with the outcome."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actionbox import Accepted, FlowOutcome, RuntimeClient, ServiceError
from samples.identity_provider.people import Person, now

CONNECTION = {"id": "con_people", "name": "people", "strategy": "auth0"}


class Refused(Exception):
    """The user's operation ends here. `code` and `reason` are for the application."""

    def __init__(self, code: str, reason: str, user_message: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.user_message = user_message or reason


@dataclass
class Transaction:
    """An operation of one user that may wait for something.

    Attributes:
        kind: `login` or `reset`.
        handle: of the suspended flow; it stays on the server.
        event: as the flow began with.
    """

    kind: str
    person: Person
    event: dict[str, Any]
    parameters: dict[str, str]
    handle: str = ""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))


@dataclass(frozen=True)
class Step:
    """What the browser does next: `done`, go to `url`, or answer the challenge."""

    kind: str
    url: str = ""
    outcome: FlowOutcome | None = None


class Flows:
    """One method for each thing that tenants may hook into."""

    def __init__(self, client: RuntimeClient, tenant: str) -> None:
        self._client = client
        self._tenant = tenant

    def before_signup(self, email: str, request: dict[str, Any], application: dict[str, Any]) -> FlowOutcome:
        """Raises `Refused`."""
        event = self._event(request, client=application, connection=CONNECTION)
        event["user"] = {"email": email, "user_metadata": {}, "app_metadata": {}}
        event["transaction"] = {"acr_values": [], "ui_locales": [], "locale": "en", "requested_scopes": []}
        return _checked(self._run("pre-user-registration", event))

    def after_signup(self, person: Person, request: dict[str, Any]) -> str:
        """The id of the execution, which runs later."""
        event = self._event(request, connection=CONNECTION)
        event["user"] = person.as_event()
        return self._later("post-user-registration", event)

    def may_go_on(
        self,
        identifier: str,
        person: Person | None,
        request: dict[str, Any],
        application: dict[str, Any],
        *,
        valid: bool,
    ) -> dict[str, Any] | None:
        """The transaction's metadata for the login that follows; None when there is none.

        There is none for a wrong credential, whatever the Actions say, and for a right one that they refuse
        or cannot judge. All of these are answered alike.
        """
        event = self._event(request, client=application, connection=CONNECTION)
        event["credential"] = {"identifier": identifier, "valid": valid}
        event["authentication"] = {"methods": [{"name": "pwd", "timestamp": now()}]}
        if person is not None:
            event["user"] = person.as_event()
        try:
            outcome = self._run("post-credential-validation", event)
        except ServiceError:
            return None
        if not valid or not outcome.ok:
            return None
        return outcome.effects.transaction_metadata or {}

    def login(
        self,
        person: Person,
        request: dict[str, Any],
        application: dict[str, Any],
        parameters: dict[str, str],
        *,
        metadata: dict[str, Any],
        protocol: str = "oidc-basic-profile",
    ) -> tuple[Transaction, Step]:
        """`metadata`: of the transaction so far. Raises `Refused`."""
        event = self._event(request, client=application, connection=CONNECTION)
        event |= {
            "user": person.as_event(),
            "authentication": {"methods": [{"name": "pwd", "timestamp": now()}]},
            "authorization": {"roles": person.roles},
            "stats": {"logins_count": person.logins},
            "transaction": {
                "acr_values": [],
                "ui_locales": [],
                "locale": "en",
                "protocol": protocol,
                "requested_scopes": parameters.get("scope", "openid").split(),
                "redirect_uri": parameters.get("redirect_uri", ""),
                "state": parameters.get("state", ""),
                "metadata": metadata,
            },
        }
        transaction = Transaction("login", person, event, parameters)
        return transaction, self._step(transaction, self._run("post-login", event))

    def reset(
        self, person: Person, request: dict[str, Any], application: dict[str, Any]
    ) -> tuple[Transaction, Step]:
        """The user has shown to own the mailbox. Raises `Refused`."""
        event = self._event(request, client=application, connection=CONNECTION)
        event |= {
            "user": person.as_event(),
            "authentication": {"methods": [{"name": "email", "timestamp": now()}]},
            "authorization": {"roles": person.roles},
            "stats": {"logins_count": person.logins},
            "transaction": {"ui_locales": [], "locale": "en"},
        }
        transaction = Transaction("reset", person, event, {})
        return transaction, self._step(transaction, self._run("password-reset-post-challenge", event))

    def came_back(self, transaction: Transaction, request: dict[str, Any]) -> Step:
        """A browser that was sent away is back. Raises `Refused`, `ServiceError`."""
        return self._step(transaction, self._client.resume(transaction.handle, request=request))

    def challenged(self, transaction: Transaction, *, passed: bool) -> Step:
        """The second factor was answered. Raises `Refused`, `ServiceError`."""
        methods = [{"name": "mfa", "type": "otp", "timestamp": now()}] if passed else []
        if not passed:
            raise Refused("access_denied", "the code is wrong")
        return self._step(transaction, self._client.resume(transaction.handle, methods=methods))

    def password_changed(self, person: Person, request: dict[str, Any]) -> str:
        """The id of the execution, which runs later."""
        event = self._event(request, connection=CONNECTION)
        user = person.as_event()
        event["user"] = {name: user[name] for name in ("user_id", "email", "email_verified")}
        return self._later("post-change-password", event)

    def machine_token(
        self, application: dict[str, Any], audience: str, scopes: list[str], request: dict[str, Any]
    ) -> FlowOutcome:
        """Raises `Refused`."""
        event = self._event(request, client=application)
        event |= {
            "accessToken": {"customClaims": {}, "scope": scopes},
            "resource_server": {"identifier": audience},
            "transaction": {"requested_scopes": scopes, "target_scopes": scopes},
        }
        return _checked(self._run("credentials-exchange", event))

    def _event(self, request: dict[str, Any], **members: dict[str, Any]) -> dict[str, Any]:
        return {"request": request, "tenant": {"id": self._tenant}, "configuration": {}, **members}

    def _run(self, trigger: str, event: Mapping[str, Any]) -> FlowOutcome:
        outcome = self._client.invoke(trigger, event)
        assert isinstance(outcome, FlowOutcome), f"{trigger} is answered at once"
        return outcome

    def _later(self, trigger: str, event: Mapping[str, Any]) -> str:
        accepted = self._client.invoke(trigger, event)
        assert isinstance(accepted, Accepted), f"{trigger} runs later"
        return accepted.execution_id

    def _step(self, transaction: Transaction, outcome: FlowOutcome) -> Step:
        _checked(outcome)
        apply_metadata(transaction.person, outcome)
        if outcome.suspension is None:
            return Step("done", outcome=outcome)
        transaction.handle = outcome.suspension.handle
        if outcome.suspension.url is not None:
            return Step("redirect", url=outcome.suspension.url)
        return Step("challenge")


def apply_metadata(person: Person, outcome: FlowOutcome) -> None:
    """Write what the flow asked to write; null removes a key."""
    for held, changes in (
        (person.user_metadata, outcome.effects.user_metadata),
        (person.app_metadata, outcome.effects.app_metadata),
    ):
        for name, value in changes.items():
            if value is None:
                held.pop(name, None)
            else:
                held[name] = value


def _checked(outcome: FlowOutcome) -> FlowOutcome:
    denial = outcome.effects.denial
    if denial is not None:
        raise Refused(denial.code, denial.reason, denial.user_message or "")
    if outcome.decision == "failed":
        assert outcome.failure is not None
        raise Refused("access_denied", outcome.failure.message)
    return outcome
