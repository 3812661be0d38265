"""A dress rehearsal before the image is taken: what runs here is warm in every execution.

It builds and runs a small Action against no host, so that code is specialised, caches are filled and
lazy imports are done. Nothing of it may remain visible: the marks are taken back.
"""

import base64
import json
import sys
from typing import Any

from . import compiler, console, execution, failures, loop, modules

SOURCE = """
import json
import re
from datetime import UTC, datetime, timedelta

PATTERN = re.compile(r"^[^@]+@example\\.com$")
LIMITS = {"a": 1, "b": [2, 3]}

class Rule:
    def __init__(self, name, roles=()):
        self.name = name
        self.roles = list(roles)

    def allows(self, role):
        return role in self.roles or self.name == "*"

def helper(value, *rest, key=None, **more):
    try:
        return {"roles": [role.upper() for role in value or []], "n": f"{len(value or []):>3}", **more}
    finally:
        key = key or sorted(rest)

async def later(value):
    return value

async def on_rehearsal(event, api):
    user = event.user
    if user.email and user.email.endswith("@example.com") and PATTERN.match(user.email):
        print("rehearsal", user.app_metadata, event.request.geoip.country_code)
    data = helper(user.app_metadata.roles, 2, 1, key="k", more={k: v for k, v in LIMITS.items()})
    rules = [Rule(name, ["a", "b"]) for name in ("x", "y", "*")]
    if any(rule.allows("A") for rule in rules) and event.missing is None:
        api.id_token.set_custom_claim("https://example.com/roles", data)
        api.access_token.set_custom_claim("https://example.com/n", await later(len(data)))
    if datetime.now(UTC) - timedelta(days=1) < datetime(1970, 1, 1, tzinfo=UTC):
        api.multifactor.enable("any", allow_remember_browser=False)
    try:
        raise ValueError(f"{user.user_id} {event.client.metadata.get('x')}")
    except ValueError as error:
        console.log("caught", error)
    api.access.deny(reason="no")
    return json.dumps(data)
"""
WORDS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma".split()
)


def _event() -> dict[str, Any]:
    """About as large and as nested as the events of real triggers (5 kB)."""
    part = {
        word: {"id": f"{word}_1234567890", "value": [1, 2.5, True, None, {"k": word * 3}]} for word in WORDS
    }
    user = {"email": "a@example.com", "user_id": "u|1", "app_metadata": {"roles": ["a", "b"], "n": 1.5}}
    request = {"ip": "192.0.2.1", "geoip": {"countryCode": "DE"}, "query": {}, "body": None}
    client = {"client_id": "c1", "metadata": {"x": "y"}}
    token = {"customClaims": {}, "scope": ["openid"]}
    event = {"user": user, "request": request, "client": client, "accessToken": token}
    return event | {f"{word}Part": part[word] | {"more": part} for word in WORDS[:2]} | part


def _surface() -> str:
    methods = {
        f"set{word.title()}": ["api", ["name", "value"], ["optionOne", "optionTwo"]] for word in WORDS[:6]
    }
    claim = ["api", ["name", "value"]]
    members = dict.fromkeys(WORDS[:8], methods) | {
        "access": {"deny": ["api", ["reason"]]},
        "idToken": {"setCustomClaim": claim},
        "accessToken": {"setCustomClaim": claim},
        "multifactor": {"enable": ["api", ["provider"], ["allowRememberBrowser", "providerOptions"]]},
    }
    return "\n".join(f"{name}\t{json.dumps(member)}" for name, member in members.items())


ROUNDS = 20
"""Runs before the interpreter has specialised what it will."""

_arguments = ("", "", "", "", "")


def rehearse() -> None:
    """Before the image is taken: run until nothing changes any more."""
    global _arguments
    console.install()
    built = json.loads(compiler.build(SOURCE, "rehearsal.py", True))
    if "code" not in built:
        raise RuntimeError(f"the rehearsal does not compile: {built}")
    code = base64.b64decode(built["code"]).decode("latin-1")
    _arguments = ("r:" + code, "onRehearsal", json.dumps(_event()), _surface(), "")
    for _ in range(ROUNDS):
        _run()
    _take_back()


ROOM = 1 << 20
"""Bytes of memory that an execution may take before it has to ask the host for more."""


def warm() -> str | None:
    """Run once more in a new instance: the pages that an execution writes become its own, off the path.
    What went wrong, if anything did: a broken image must say so."""
    try:
        _run()
        _take_back()
        bytes(ROOM)  # freed at once, and the allocator keeps it
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _run() -> None:
    result = execution.execute(*_arguments)
    if result != execution.OK:
        raise RuntimeError(f"the rehearsal failed: {result}")


def _take_back() -> None:
    sys.modules.pop(execution.MODULE, None)
    sys.setrecursionlimit(1_000)
    loop.renew()
    failures.set_filename("")
    modules.forget()
