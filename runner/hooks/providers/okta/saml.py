"""The hook before a SAML assertion of a custom app."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from runner.hooks.effects import Dropped, Effect
from runner.hooks.events import Reading
from runner.hooks.model import Defaults, Hook, Payload
from runner.hooks.providers.okta.parts import BUDGET_MS, LIMIT_MS, begin, key, login, pointer
from triggers import Effects

_NAME: Final = "saml"
_KIND: Final = "com.okta.saml.tokens.transform"
_BASIC: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"


def _event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, data = begin(payload, _NAME, _KIND, trigger, defaults, tenant)
    app = data.object("context").object("protocol").object("issuer")
    event["client"]["client_id"] = app.text("id") or event["client"]["client_id"]
    event["client"]["name"] = app.text("name") or event["client"]["name"]
    login(event, data, "samlp")
    return event


def _before(payload: Payload) -> Mapping[str, Any]:
    return Reading(payload).object("data").object("assertion").mapping("claims")


def _body(payload: Payload, effects: Effects) -> dict[str, Any]:
    before = _before(payload)
    changes = [
        {
            "op": "replace" if name in before else "add",
            "path": pointer("claims", name),
            "value": {"attributes": {"NameFormat": _BASIC}, "attributeValues": _values(value)},
        }
        for name, value in effects.saml.attributes.items()
        if value is not None
    ]
    return {"commands": [{"type": "com.okta.assertion.patch", "value": changes}]} if changes else {}


def _values(value: Any) -> list[dict[str, Any]]:
    items = value if isinstance(value, list) else [value]
    texts = [item if isinstance(item, str) else json.dumps(item) for item in items]
    return [{"attributes": {"xsi:type": "xs:string"}, "value": text} for text in texts]


def _losses(payload: Payload, effects: Effects) -> list[Dropped]:
    before = _before(payload)
    removed = [name for name, value in effects.saml.attributes.items() if value is None and name in before]
    return [Dropped(Effect.SAML_ATTRIBUTES, name, "Okta removes no attribute.") for name in removed]


SAML: Final = Hook(
    name=_NAME,
    summary="Before the SAML assertion of a custom app is made.",
    triggers=("post-login",),
    event=_event,
    carries=frozenset({Effect.SAML_ATTRIBUTES}),
    elsewhere=frozenset({Effect.ID_TOKEN_CLAIMS, Effect.ACCESS_TOKEN_CLAIMS}),
    losses=_losses,
    body=_body,
    key=key,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example=f"{_NAME}.json",
)
