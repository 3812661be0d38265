"""ZITADEL, Actions v2: functions, requests, events, and HTTP providers of SMS and e-mail.

A refusal is a 200 with `forwardedStatusCode`, which ZITADEL reads from any target; whether it heeds it is up
to the target's `interruptOnError` (reference/idp-hooks.md section 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import model_validator

from runner.hooks.model import (
    DECRYPT,
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
from runner.hooks.providers.zitadel.functions import FUNCTIONS
from runner.hooks.providers.zitadel.happenings import EVENT, REQUEST
from runner.hooks.providers.zitadel.messages import MESSAGES
from runner.hooks.schemes.jose import PublicKeys, check_signed, open_sealed, private_key
from runner.hooks.schemes.timed_hmac import check_timed_hmac, timed_hmac

_HEADER: Final = "zitadel-signature"
_TOLERANCE: Final = 300.0
"""Seconds, as in ZITADEL's own receiver."""
_FORWARDED: Final = {
    Case.DENIED: 403,
    Case.SUSPENDED: 403,
    Case.UNCARRIED: 403,
    Case.FAILED: 424,
    Case.TIMED_OUT: 424,
}
"""Statuses that ZITADEL hands to its own caller, with our text; 400 to 499 are."""
_STATUS: Final = {Case.BUSY: 429, Case.UNAVAILABLE: 503}
_UNDELIVERED: Final = 424
"""ZITADEL sends a message again after every status but 2xx."""


class ZitadelSettings(PublicKeys):
    """`payload_type`: of the target, `PAYLOAD_TYPE_JSON`, `_JWT` or `_JWE`. The instance's keys, for the
    latter two, are at `https://<domain>/oauth/v2/keys`."""

    payload_type: Literal["json", "jwt", "jwe"] = "json"

    @model_validator(mode="after")
    def _has_keys(self) -> ZitadelSettings:
        if self.payload_type != "json" and not (self.jwks_url or self.jwks):
            raise ValueError("payload_type jwt and jwe need jwks_url or jwks")
        return self


class Zitadel(Provider):
    name = "zitadel"
    title = "ZITADEL"
    hooks: ClassVar[Mapping[str, Hook]] = {
        hook.name: hook for hook in (*FUNCTIONS, REQUEST, EVENT, *MESSAGES)
    }
    settings_model = ZitadelSettings
    proofs = (_HEADER,)
    uses = (VERIFY, DECRYPT)

    async def verify(self, request: Incoming, hook: Configured, origins: Origins) -> bytes:
        """The signature of the body as it came, then the token that it is."""
        secrets = hook.values()
        check_timed_hmac(request.header(_HEADER), request.raw, secrets, origins.now, _TOLERANCE)
        settings: ZitadelSettings = hook.settings
        body = request.raw
        if settings.payload_type == "jwe":
            body = open_sealed(body, hook.values(DECRYPT))
        if settings.payload_type != "json":
            body = await check_signed(
                body, hook.tenant, origins.source, url=settings.jwks_url, listed=settings.jwks
            )
        return body

    def response_of(self, hook: Hook, payload: Payload, result: Result) -> Answer:
        case = result.case
        if case is Case.ALLOWED:
            return Answer.of(200, hook.body(payload, result.effects))
        if case in GOES_ON:
            return Answer.of(202 if case is Case.ACCEPTED else 200)
        if hook in MESSAGES and case is Case.DROPPED:
            return Answer.of(200)
        if hook in MESSAGES and (case in _FORWARDED or case is Case.RETRY):
            return Answer.of(_UNDELIVERED, _refusal(_UNDELIVERED, result.reason))
        if case in _FORWARDED:
            return Answer.of(200, _refusal(_FORWARDED[case], result.reason))
        status = _STATUS.get(case, result.status)
        return Answer.of(status, _refusal(status, result.reason), result.retry_after)

    def goes_on(self, hook: Hook, answer: Answer) -> bool:
        """With `interruptOnError`. Of a notification provider only the status counts."""
        if not 200 <= answer.status < 300:
            return False
        if hook in MESSAGES:
            return True
        found = answer.json
        return not isinstance(found, dict) or not (
            found.get("forwardedStatusCode") or found.get("forwardedErrorMessage")
        )

    def sign(self, hook: Hook, raw: bytes, secret: str, now: float) -> tuple[dict[str, str], bytes]:  # noqa: ARG002
        return {"Content-Type": "application/json", "ZITADEL-Signature": timed_hmac(raw, secret, now)}, raw

    def problem_of(self, secret: Secret) -> str:
        if secret.use != DECRYPT:
            return super().problem_of(secret)
        try:
            private_key(secret.value)
        except ValueError as error:
            return f"the secret for decryption cannot be used: {error}"
        return ""


def _refusal(status: int, message: str) -> dict[str, Any]:
    return {"forwardedStatusCode": status, "forwardedErrorMessage": message}
