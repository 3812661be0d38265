"""Ory Kratos: web hooks of its self-service flows, and its courier of SMS and e-mail.

Kratos asks a Jsonnet template what to send, and we serve it (`Kratos.document`): it names what may leave
Kratos. A refusal is a 4xx with `messages`, which Kratos shows in its form; it reads them only with
`response.parse` (reference/idp-hooks.md section 3).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from runner.hooks.model import (
    GOES_ON,
    Answer,
    Case,
    Hook,
    Payload,
    Result,
)
from runner.hooks.providers.kratos.courier import COURIER
from runner.hooks.providers.kratos.flows import IGNORED, LOGIN, RECOVERY, REGISTERED, REGISTRATION, SETTINGS
from runner.hooks.providers.ory import OryProvider, status_of
from runner.hooks.schemes.authorization import bearer

_FOLDER: Final = Path(__file__).parent
_TEMPLATE: Final = "template.jsonnet"
_MESSAGE_ID: Final = 4_000_001
"""Of Kratos's texts: a validation error of no particular kind."""


class Kratos(OryProvider):
    name = "kratos"
    title = "Ory Kratos"
    hooks: ClassVar[Mapping[str, Hook]] = {
        hook.name: hook for hook in (LOGIN, REGISTRATION, REGISTERED, SETTINGS, RECOVERY, *COURIER)
    }

    def response_of(self, hook: Hook, payload: Payload, result: Result) -> Answer:
        case = result.case
        if case in GOES_ON:
            body = hook.body(payload, result.effects) if case is Case.ALLOWED else None
            status = 202 if case is Case.ACCEPTED else 204
            return Answer(status) if body is None else Answer.of(200, body)
        if hook in COURIER and case is Case.DROPPED:
            return Answer(204)
        status = status_of(result)
        return Answer.of(status, _refusal(result.reason), result.retry_after)

    def goes_on(self, hook: Hook, answer: Answer) -> bool:
        """With `response.parse` for those hooks that deny. Of the others, whether Kratos takes it for done:
        it does not wait."""
        if hook in COURIER:
            return 200 <= answer.status < 300
        if answer.status == 200 and hook.name not in IGNORED:
            return isinstance(answer.json, dict)
        return 200 <= answer.status < 400

    def sign(self, hook: Hook, raw: bytes, secret: str, now: float) -> tuple[dict[str, str], bytes]:  # noqa: ARG002
        headers = {"Content-Type": "application/json", "Authorization": bearer(secret)}
        return headers if hook in COURIER else {**headers, "Ory-Webhook-Trigger-ID": str(uuid.uuid4())}, raw

    def document(self, hook: Hook, name: str) -> bytes | None:
        return _TEMPLATES[hook.name] if name == _TEMPLATE else None


def _refusal(message: str) -> dict[str, Any]:
    """One message is the least: without any, Kratos takes the answer for broken."""
    text = {"id": _MESSAGE_ID, "text": message, "type": "error"}
    return {"messages": [{"instance_ptr": "#/", "messages": [text]}]}


def _template(hook: Hook) -> bytes:
    return (_FOLDER / ("courier.jsonnet" if hook in COURIER else "web_hook.jsonnet")).read_bytes()


_TEMPLATES: Final = {hook.name: _template(hook) for hook in Kratos.hooks.values()}
