"""Firebase Authentication and Google Cloud Identity Platform: blocking functions.

The proof is in the body, a JWT of Google's. It goes on with a 200 whose body is JSON, and with nothing else
(reference/idp-hooks.md section 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

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
)
from runner.hooks.providers.firebase.functions import FUNCTIONS
from runner.hooks.providers.firebase.tokens import FirebaseSettings, signed, verified

_STATUS: Final = {
    Case.FAILED: 400,
    Case.TIMED_OUT: 504,
    Case.BUSY: 429,
    Case.UNAVAILABLE: 503,
}
_DENIED: Final = 403
_NAMES: Final = {
    400: "FAILED_PRECONDITION",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Google's names of errors."""
_BAD: Final = "INVALID_ARGUMENT"


class Firebase(Provider):
    name = "firebase"
    title = "Firebase"
    hooks: ClassVar[Mapping[str, Hook]] = {hook.name: hook for hook in FUNCTIONS}
    settings_model = FirebaseSettings
    body_proof = b'"jwt"'

    async def verify(self, request: Incoming, hook: Configured, origins: Origins) -> bytes:
        """A token of Google's for the project, or one that a secret of the hook's signs."""
        return await verified(request, hook, origins)

    def response_of(self, hook: Hook, payload: Payload, result: Result) -> Answer:
        case = result.case
        if case is Case.ALLOWED:
            return Answer.of(200, hook.body(payload, result.effects))
        if case in GOES_ON:
            return Answer.of(200, {})
        status = result.status if case is Case.REFUSED else _STATUS.get(case, _DENIED)
        name = _BAD if case is Case.REFUSED and status == 400 else _NAMES.get(status, _BAD)
        refusal = {"error": {"message": result.reason, "status": name}}
        return Answer.of(status, refusal, result.retry_after)

    def goes_on(self, hook: Hook, answer: Answer) -> bool:  # noqa: ARG002
        """A record without a mask is an error."""
        found = answer.json
        if not 200 <= answer.status < 300 or not isinstance(found, dict) or "error" in found:
            return False
        record = found.get("userRecord")
        return record is None or (isinstance(record, dict) and bool(record.get("updateMask")))

    def sign(self, hook: Hook, raw: bytes, secret: str, now: float) -> tuple[dict[str, str], bytes]:  # noqa: ARG002
        return {"Content-Type": "application/json"}, signed(raw, secret, now)
