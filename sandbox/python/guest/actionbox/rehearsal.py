"""A dress rehearsal before the snapshot: what runs here is warm in every execution.

It builds and runs a small Action against no host, so that code is specialised, caches are filled and
lazy imports are done. Nothing of it may remain visible: the marks are taken back.
"""

import base64
import json
import sys

from . import compiler, console, execution, failures, loop, modules

SOURCE = """
import json
from datetime import datetime

def helper(value):
    return {"roles": [role.upper() for role in value or []], "n": f"{len(value or [])}"}

async def on_rehearsal(event, api):
    if event.user.email and event.user.email.endswith("@example.com"):
        print("rehearsal", event.user.app_metadata)
    data = helper(event.user.app_metadata.roles)
    api.id_token.set_custom_claim("https://example.com/roles", data)
    api.access.deny(reason="no")
    return json.dumps(data)
"""
EVENT = {
    "user": {"email": "a@example.com", "user_id": "u|1", "app_metadata": {"roles": ["a", "b"], "n": 1.5}},
    "request": {"ip": "192.0.2.1", "geoip": {"countryCode": "DE"}, "query": {}, "body": None},
    "accessToken": {"customClaims": {}, "scope": ["openid"]},
}
SURFACE = {
    "access": {"deny": ["api", ["reason"]]},
    "idToken": {"setCustomClaim": ["api", ["name", "value"]]},
    "multifactor": {"enable": ["api", ["provider"], ["allowRememberBrowser"]]},
}
ROUNDS = 20
"""Runs before the interpreter has specialised what it will."""

_arguments = ("", "", "", "")


def rehearse() -> None:
    """Before the snapshot: run until nothing changes any more."""
    global _arguments
    console.install()
    built = json.loads(compiler.build(SOURCE, "rehearsal.py", True))
    if "code" not in built:
        raise RuntimeError(f"the rehearsal does not compile: {built}")
    code = base64.b64decode(built["code"]).decode("latin-1")
    _arguments = ("r:" + code, "onRehearsal", json.dumps(EVENT), json.dumps(SURFACE))
    for _ in range(ROUNDS):
        _run()
    _take_back()
    execution.settle_memory()


def warm() -> None:
    """Run once more in a new instance: the pages that an execution writes become its own, off the path."""
    _run()
    _take_back()


def _run() -> None:
    result = execution.execute(*_arguments)
    if result != execution.OK:
        raise RuntimeError(f"the rehearsal failed: {result}")


def _take_back() -> None:
    sys.modules.pop(execution.MODULE, None)
    sys.setrecursionlimit(1_000)
    loop.forget()
    failures.set_filename(None)
    modules.forget()
