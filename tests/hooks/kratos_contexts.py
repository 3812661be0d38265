"""What Kratos gives its templates, with all that must not leave it: members as `templateContext`,
`httpDataModel` and the structs within them name them (`selfservice/hook/web_hook.go`,
`courier/http_channel.go`), and the harshest reading of each, an identity with its credentials."""

from __future__ import annotations

from typing import Any

PRIVATE = "never-to-leave-kratos"
"""In every member that must stay there."""
_ID = "b8a1f6c4-20f5-4d0e-9a35-7d2a6f0c4e11"
_NIL = "00000000-0000-0000-0000-000000000000"
_AT = "2026-11-20T17:40:11.004215Z"
_ZERO = "0001-01-01T00:00:00Z"
_CODES = {"sms": "login_code", "email": "verification_code"}


def identity(*, stored: bool = True) -> dict[str, Any]:
    return {
        "id": _ID if stored else _NIL,
        "external_id": "crm-4711",
        "credentials": {"password": {"type": "password", "config": {"hashed_password": PRIVATE}}},
        "schema_id": "default",
        "schema_url": "https://id.harbor.example/schemas/ZGVmYXVsdA",
        "state": "active",
        "state_changed_at": _AT,
        "traits": {
            "email": "maya.okafor@harbor.example",
            "username": "maya",
            "name": {"first": "Maya", "last": "Okafor"},
        },
        "verifiable_addresses": [
            {
                "id": "5f0c3a4e-8b4d-4f0a-8d6c-0a9be3f6e2d7",
                "value": "maya.okafor@harbor.example",
                "verified": stored,
                "via": "email",
                "status": "completed" if stored else "pending",
                "verified_at": _AT if stored else None,
            },
            {"value": "+31612345678", "verified": False, "via": "sms", "status": "sent"},
        ],
        "recovery_addresses": [{"id": "x", "value": "maya.okafor@harbor.example", "via": "email"}],
        "metadata_public": {"plan": "gold", "user_metadata": {"theme": "dark"}} if stored else None,
        "metadata_admin": {"note": PRIVATE},
        "created_at": "2026-03-02T08:14:05.21Z" if stored else _ZERO,
        "updated_at": _AT if stored else _ZERO,
        "organization_id": None,
        "region": "",
    }


def session() -> dict[str, Any]:
    """Not saved yet: its id is zeros."""
    return {
        "id": _NIL,
        "active": True,
        "expires_at": "2026-11-21T17:40:11Z",
        "authenticated_at": _AT,
        "authenticator_assurance_level": "aal2",
        "authentication_methods": [
            {"method": "password", "aal": "aal1", "completed_at": _AT},
            {"method": "totp", "aal": "aal2", "completed_at": "2026-11-20T17:40:29.5Z"},
        ],
        "issued_at": _AT,
        "identity": identity(),
        "devices": [
            {
                "id": _NIL,
                "ip_address": "203.0.113.7",
                "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
                "location": "Utrecht, NL",
            }
        ],
        "tokenized": PRIVATE,
        "token": PRIVATE,
    }


def flow(active: str) -> dict[str, Any]:
    return {
        "id": "9d0c52ad-3a64-4b0e-8f0e-6f6e5a4f9c21",
        "organization_id": None,
        "type": "browser",
        "expires_at": "2026-11-20T18:40:00Z",
        "issued_at": "2026-11-20T17:40:00Z",
        "request_url": f"https://id.harbor.example/self-service/browser?token={PRIVATE}",
        "return_to": f"https://portal.harbor.example/?state={PRIVATE}",
        "active": active,
        "ui": {
            "action": "https://id.harbor.example/self-service",
            "method": "POST",
            "nodes": [
                {"type": "input", "group": "default", "attributes": {"name": "csrf_token", "value": PRIVATE}},
                {"type": "input", "group": "password", "attributes": {"name": "password", "value": PRIVATE}},
            ],
        },
        "session_token_exchange_code": PRIVATE,
        "transient_payload": {"source": "harbor-portal"},
    }


def for_hook(name: str) -> dict[str, Any]:
    """The `ctx` of one of our hooks."""
    if name in ("sms", "email"):
        return message(name)
    found: dict[str, Any] = {
        "flow": flow("code" if name == "recovery" else "password"),
        "request_headers": {
            "Accept-Language": ["nl-NL,nl;q=0.9,en;q=0.8"],
            "Authorization": [f"Bearer {PRIVATE}"],
            "Cookie": [f"ory_kratos_session={PRIVATE}"],
            "Referer": [f"https://portal.harbor.example/?token={PRIVATE}"],
            "True-Client-Ip": ["203.0.113.7"],
            "User-Agent": ["Mozilla/5.0 (X11; Linux x86_64)"],
            "X-Session-Token": [PRIVATE],
        },
        "request_method": "POST",
        "request_url": f"https://id.harbor.example/self-service/login?flow=9d0c&token={PRIVATE}",
        "request_cookies": {"ory_kratos_session": PRIVATE, "csrf_token": PRIVATE},
        "identity": identity(stored=name != "registration"),
    }
    if name in ("login", "settings"):
        found["session"] = session()
    if name == "settings":
        found["flow"]["identity"] = identity()
    if name in ("login", "registration"):
        found["flow"] |= {
            "oauth2_login_challenge": PRIVATE,
            "oauth2_login_request": {
                "challenge": PRIVATE,
                "client": {
                    "client_id": "harbor-portal",
                    "client_name": "Harbor Portal",
                    "client_secret": PRIVATE,
                    "registration_access_token": PRIVATE,
                },
                "oidc_context": {"login_hint": "maya@harbor.example"},
                "request_url": f"https://auth.harbor.example/oauth2/auth?state={PRIVATE}",
                "requested_access_token_audience": [],
                "requested_scope": ["openid", "offline"],
                "session_id": PRIVATE,
                "skip": False,
                "subject": "",
            },
        }
    return found


def message(name: str) -> dict[str, Any]:
    """Of the courier."""
    sms = name == "sms"
    recipient = "+31612345678" if sms else "maya.okafor@harbor.example"
    found: dict[str, Any] = {
        "recipient": recipient,
        "subject": "" if sms else "Please verify your email address",
        "body": "Your login code is: 482913" if sms else "Hi, please verify with this code: 482913",
        "template_type": "login_code_valid" if sms else "verification_code_valid",
        "template_data": {
            "to": recipient,
            _CODES[name]: "482913",
            "identity": identity(),
            "request_url": f"https://id.harbor.example/self-service/login?token={PRIVATE}",
            "request_url_domain": "id.harbor.example",
            "transient_payload": {"source": "harbor-portal"},
            "expires_in_minutes": 15,
        },
        "message_type": name,
        "request_headers": {"Cookie": [PRIVATE]},
    }
    if not sms:
        found["html_body"] = "<p>Hi, please verify with this code: 482913</p>"
        found["template_data"]["verification_url"] = "https://id.harbor.example/verification?code=482913"
    return found
