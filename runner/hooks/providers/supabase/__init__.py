"""Supabase Auth (GoTrue): its seven HTTP hooks (reference/idp-hooks.md section 4).

A refusal is a 200 with `error`: GoTrue hands `http_code` and `message` to its own caller, and makes every
other status a 500 of its own text. `Retry-After` is never sent: with it GoTrue calls again at once, and older
builds took the last of such answers for leave to go on.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from runner.hooks.model import (
    GOES_ON,
    VERIFY,
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
from runner.hooks.providers.supabase.attempts import ATTEMPTS, REFUSALS
from runner.hooks.providers.supabase.messages import EMAIL, SMS
from runner.hooks.providers.supabase.tokens import ACCESS_TOKEN, is_token
from runner.hooks.providers.supabase.users import USERS
from runner.hooks.schemes.standard_webhooks import (
    SIGNATURE,
    check_standard_webhook,
    key_of,
    standard_webhook,
)

_TOLERANCE: Final = 300.0
"""Seconds, as in the standard's own verifiers."""
_MAX_ANSWER: Final = 200 * 1024
"""Bytes that GoTrue reads."""
_HTTP_CODE: Final = {
    Case.DENIED: 403,
    Case.SUSPENDED: 403,
    Case.UNCARRIED: 403,
    Case.FAILED: 500,
    Case.TIMED_OUT: 504,
    Case.RETRY: 503,
    Case.DROPPED: 422,
    Case.BUSY: 429,
    Case.UNAVAILABLE: 503,
}
"""Statuses that GoTrue answers its own caller with."""


class Supabase(Provider):
    name = "supabase"
    title = "Supabase Auth"
    hooks: ClassVar[Mapping[str, Hook]] = {
        hook.name: hook for hook in (ACCESS_TOKEN, *USERS, SMS, EMAIL, *ATTEMPTS)
    }
    proofs = (SIGNATURE,)

    async def verify(self, request: Incoming, hook: Configured, origins: Origins) -> bytes:
        check_standard_webhook(request, hook.values(), origins.now, _TOLERANCE)
        return request.raw

    def response_of(self, hook: Hook, payload: Payload, result: Result) -> Answer:
        case = result.case
        if case in GOES_ON:
            return Answer.of(202 if case is Case.ACCEPTED else 200, hook.body(payload, result.effects))
        if case is Case.REFUSED:
            return Answer.of(result.status, _error(result.status, result.reason))
        if case is Case.DENIED and hook in ATTEMPTS:
            return Answer.of(200, {"decision": "reject", "message": REFUSALS[hook.name]})
        return Answer.of(200, _error(_HTTP_CODE[case], result.reason))

    def goes_on(self, hook: Hook, answer: Answer) -> bool:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        kind = headers.get("content-type", "")
        if answer.status == 204 and not kind:
            return hook is not ACCESS_TOKEN
        if answer.status not in (200, 202, 204) or kind.partition(";")[0].strip() != "application/json":
            return False
        found = answer.json
        if len(answer.body) > _MAX_ANSWER or not isinstance(found, dict):
            return False
        error = found.get("error")
        if isinstance(error, dict) and error.get("message"):
            return False
        if hook is ACCESS_TOKEN:
            return is_token(found.get("claims"))
        return found.get("decision") != "reject"

    def sign(self, hook: Hook, raw: bytes, secret: str, now: float) -> tuple[dict[str, str], bytes]:  # noqa: ARG002
        signed = standard_webhook(raw, secret, str(uuid.uuid4()), now)
        return {"Content-Type": "application/json", **signed}, raw

    def problem_of(self, secret: Secret) -> str:
        if secret.use == VERIFY and key_of(secret.value) is None:
            return "the secret must be v1,whsec_ and then at least 24 bytes in base64; add several one by one"
        return super().problem_of(secret)


def _error(status: int, message: str) -> dict[str, Any]:
    """Without a `message` GoTrue takes it for no error."""
    return {"error": {"http_code": status, "message": message}}
