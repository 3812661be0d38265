"""WSO2 Identity Server and Asgardeo: pre-flow actions of their service extensions.

It goes on with a 200 of the state SUCCESS, and with nothing else (reference/idp-hooks.md section 8).
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
from runner.hooks.providers.wso2.passwords import PASSWORD
from runner.hooks.providers.wso2.tokens import TOKENS
from runner.hooks.schemes.authorization import AUTHORIZATION, bearer, check_authorization
from runner.hooks.schemes.fixed_header import check_fixed, header_problem

_API_KEY: Final = "x-api-key"
_DENIED: Final = (Case.DENIED, Case.SUSPENDED, Case.UNCARRIED)
_STATUS: Final = {Case.FAILED: 400, Case.TIMED_OUT: 400, Case.BUSY: 429, Case.UNAVAILABLE: 503}
"""With an ERROR in the body. Its own are 400, 401 and 500; others end the flow just so."""


class Wso2(Provider):
    name = "wso2"
    title = "WSO2"
    hooks: ClassVar[Mapping[str, Hook]] = {hook.name: hook for hook in (*TOKENS, PASSWORD)}
    proofs = (AUTHORIZATION, _API_KEY)
    makes_secret = True

    async def verify(self, request: Incoming, hook: Configured, origins: Origins) -> bytes:  # noqa: ARG002
        """The secret as a bearer token, as the password of basic authentication, or as an API key."""
        given = request.header(AUTHORIZATION)
        if given is None:
            check_fixed(request.header(_API_KEY), hook.values())
        else:
            check_authorization(given, hook.values())
        return request.raw

    def response_of(self, hook: Hook, payload: Payload, result: Result) -> Answer:
        case = result.case
        if case is Case.ALLOWED:
            return Answer.of(200, {"actionStatus": "SUCCESS", **hook.body(payload, result.effects)})
        if case in GOES_ON:
            return Answer.of(200, {"actionStatus": "SUCCESS"})
        message = result.reason
        if case in _DENIED:
            return Answer.of(
                200,
                {
                    "actionStatus": "FAILED",
                    "failureReason": "access_denied",
                    "failureDescription": message,
                },
            )
        error = {"actionStatus": "ERROR", "errorMessage": case.value, "errorDescription": message}
        return Answer.of(_STATUS.get(case, result.status), error, result.retry_after)

    def goes_on(self, hook: Hook, answer: Answer) -> bool:  # noqa: ARG002
        found: Any = answer.json
        return answer.status == 200 and isinstance(found, dict) and found.get("actionStatus") == "SUCCESS"

    def sign(self, hook: Hook, raw: bytes, secret: str, now: float) -> tuple[dict[str, str], bytes]:  # noqa: ARG002
        return {"Content-Type": "application/json", "Authorization": bearer(secret)}, raw

    def problem_of(self, secret: Secret) -> str:
        return super().problem_of(secret) or header_problem(secret)
