"""Okta's inline hooks: tokens, SAML assertions, registration, telephony (reference/idp-hooks.md section 5).

Every answer is a 200, whatever happened: after any other status Okta lets the token or the assertion go out
unchanged, and has its own sender deliver the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from runner.hooks.model import (
    GOES_ON,
    Answer,
    Case,
    Configured,
    Hook,
    Incoming,
    Origins,
    Payload,
    Provider,
    Result,
    Secret,
)
from runner.hooks.providers.okta.registration import REGISTRATION
from runner.hooks.providers.okta.saml import SAML
from runner.hooks.providers.okta.telephony import PENDING, SUCCESSFUL, TELEPHONY, action
from runner.hooks.providers.okta.tokens import TOKEN
from runner.hooks.schemes.fixed_header import check_fixed, header_problem

_HEADER: Final = "authorization"
_OPEN: Final = (TOKEN, SAML)
"""Hooks whose user goes on after every status, and every body, that says nothing else."""


class Okta(Provider):
    name = "okta"
    title = "Okta"
    hooks: ClassVar[Mapping[str, Hook]] = {hook.name: hook for hook in (TOKEN, SAML, REGISTRATION, TELEPHONY)}
    proofs = (_HEADER,)
    makes_secret = True
    fails_open = True

    async def verify(self, request: Incoming, hook: Configured, origins: Origins) -> bytes:  # noqa: ARG002
        check_fixed(request.header(_HEADER), hook.values())
        return request.raw

    def response_of(self, hook: Hook, payload: Payload, result: Result) -> Answer:
        case = result.case
        if case in GOES_ON:
            return Answer.of(200, hook.body(payload, result.effects))
        if hook is TELEPHONY and case is Case.DROPPED:
            return Answer.of(200, action(payload, PENDING))
        return Answer.of(200, _refusal(hook, result))

    def goes_on(self, hook: Hook, answer: Answer) -> bool:
        found = answer.json
        if not 200 <= answer.status < 300 or not isinstance(found, dict):
            return hook in _OPEN or (hook is REGISTRATION and answer.status == 204)
        if "error" in found:
            return False
        commands = found.get("commands")
        values = [
            (item.get("type"), item.get("value"))
            for item in (commands if isinstance(commands, list) else [])
            if isinstance(item, dict)
        ]
        if hook is TELEPHONY:
            return any(
                isinstance(item, dict) and item.get("status") in (SUCCESSFUL, PENDING)
                for _, value in values
                if isinstance(value, list)
                for item in value
            )
        denied = ("com.okta.action.update", {"registration": "DENY"})
        return hook in _OPEN or denied not in values

    def sign(self, hook: Hook, raw: bytes, secret: str, now: float) -> tuple[dict[str, str], bytes]:  # noqa: ARG002
        return {"Content-Type": "application/json", "Authorization": secret}, raw

    def problem_of(self, secret: Secret) -> str:
        """It is the whole of the header, which may be a scheme and a token."""
        return super().problem_of(secret) or header_problem(secret, blanks=True)


def _refusal(hook: Hook, result: Result) -> dict[str, Any]:
    """With `error` Okta carries out no command; a registration is denied by both."""
    message = result.reason
    error: dict[str, Any] = {"errorSummary": message}
    if hook is not REGISTRATION:
        return {"error": error}
    cause = {
        "errorSummary": message,
        "reason": result.case.value.upper(),
        "locationType": "body",
        "location": "data.userProfile.email",
        "domain": "end-user" if result.case is Case.DENIED else "external-service",
    }
    deny = {"type": "com.okta.action.update", "value": {"registration": "DENY"}}
    return {"commands": [deny], "error": {**error, "errorCauses": [cause]}}
