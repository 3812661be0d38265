"""`api.redirect`: URLs and tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triggers.driver import ABSENT, NOW, Flow, error
from triggers.values import session_tokens
from triggers.values.urls import UrlError, with_query

SECRET = "s" * 32
USER = "auth0|66b1f0c2a94d7e0012c3ab45"
ASKING = ["post-login", "password-reset-post-challenge"]


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(claims: Any, secret: str = SECRET, header: Any = None, raw: bytes | None = None) -> str:
    """A JWT made with nothing but the standard library."""
    head = b64(json.dumps({"alg": "HS256", "typ": "JWT"} if header is None else header).encode())
    body = b64(json.dumps(claims).encode() if raw is None else raw)
    signature = hmac.new(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{b64(signature)}"


GOOD: dict[str, Any] = {
    "sub": USER,
    "state": "state-1",
    "exp": NOW + 60,
    "iss": "https://x.example",
    "answer": 42,
}


def back(query: dict | None = None, body: dict | None = None, trigger: str = "post-login") -> Flow:
    """A flow that came back from a redirect."""
    flow = Flow(trigger).action(("redirect.sendUserTo", "https://x.example/"))
    request = {**flow.state.event["request"], "query": query or {}, "body": body or {}}
    return flow.proceed(request=request)


def validate(raw: str, secret: str = SECRET, **services: Any) -> Any:
    flow = back({"session_token": raw, "state": "state-1"})
    return flow.with_services(**services).call("redirect.validateToken", {"secret": secret})


def decoded(raw: str) -> dict[str, Any]:
    body = raw.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


# --- outgoing tokens ---


@pytest.mark.parametrize("trigger", ASKING)
@pytest.mark.parametrize("secret", ["x", "s" * 13, "s" * 32, "s" * 64, "s" * 65, "ü" * 100])
def test_an_outgoing_token(trigger: str, secret: str) -> None:
    raw = Flow(trigger).call("redirect.encodeToken", {"secret": secret, "payload": {"a": [1, "ü"]}})["ok"]
    assert decoded(raw) == {
        "iat": int(NOW),
        "iss": "harbor-dev.eu.auth0.com",
        "sub": USER,
        "exp": int(NOW) + 900,
        "ip": "203.0.113.24",
        "a": [1, "ü"],
    }
    head, body, signature = raw.split(".")
    expected = hmac.new(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    assert signature == b64(expected)
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "HS256", "typ": "JWT"}


def test_the_payload_overrides_unless_the_platform_says_no() -> None:
    options = {"secret": SECRET, "payload": {"sub": "x", "iss": "y", "exp": 1, "iat": 2, "ip": "z"}}
    flow = Flow("post-login")
    assert decoded(flow.call("redirect.encodeToken", options)["ok"]) == options["payload"]
    flow.with_services(payload_may_override_claims=False)
    assert "options.payload must not carry exp, iat, iss, sub" in error(
        flow.call("redirect.encodeToken", options)
    )
    assert "ok" in flow.call("redirect.encodeToken", {"secret": SECRET, "payload": {"ip": "z"}})


@pytest.mark.parametrize(("seconds", "lifetime"), [(1, 1), (60.9, 60), (86_400, 86_400), (None, 900)])
def test_how_long_a_token_lives(seconds: float | None, lifetime: int) -> None:
    options: dict[str, Any] = {"secret": SECRET, "payload": {}, "expiresInSeconds": seconds}
    claims = decoded(Flow("post-login").call("redirect.encodeToken", options)["ok"])
    assert claims["exp"] - claims["iat"] == lifetime


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (None, "options must be an object, not null"),
        ([], "options must be an object"),
        ({"payload": {}}, "options.secret is required"),
        ({"secret": "", "payload": {}}, "options.secret must not be empty"),
        ({"secret": 5, "payload": {}}, "options.secret must be a string"),
        ({"secret": SECRET}, "options.payload is required"),
        ({"secret": SECRET, "payload": []}, "options.payload must be an object"),
        ({"secret": SECRET, "payload": {}, "expiresInSeconds": 0}, "must be from 1 to"),
        ({"secret": SECRET, "payload": {}, "expiresInSeconds": -5}, "must be from 1 to"),
        ({"secret": SECRET, "payload": {}, "expiresInSeconds": 2**1000}, "must be from 1 to"),
        ({"secret": SECRET, "payload": {}, "expiresInSeconds": "60"}, "must be a number"),
        ({"secret": SECRET, "payload": {"a": "x" * 40_000}}, "the limit is 32768"),
        (
            {"secret": "-----BEGIN PUBLIC KEY-----\nx", "payload": {}},
            "a PEM or SSH key must not serve as the secret",
        ),
    ],
)
def test_tokens_that_cannot_be_made(options: Any, says: str) -> None:
    assert says in error(Flow("post-login").call("redirect.encodeToken", options))


def test_a_secret_is_never_quoted() -> None:
    for options in ({"secret": ["hunter2"], "payload": {}}, {"secret": "-----BEGIN PUBLIC KEY-----hunter2"}):
        assert "hunter2" not in error(Flow("post-login").call("redirect.encodeToken", options))


def test_facts_that_are_missing_are_left_out() -> None:
    flow = Flow("post-login", {"request.hostname": ABSENT})
    assert "iss" not in decoded(flow.call("redirect.encodeToken", {"secret": SECRET, "payload": {}})["ok"])


# --- returning tokens ---


@pytest.mark.parametrize("trigger", ASKING)
def test_a_returning_token(trigger: str) -> None:
    flow = back({"session_token": token(GOOD)}, trigger=trigger)
    assert flow.call("redirect.validateToken", {"secret": SECRET}) == {"ok": GOOD}


def test_the_body_is_read_before_the_query() -> None:
    flow = back({"t": token({**GOOD, "answer": 1})}, {"t": token({**GOOD, "answer": 2})})
    options = {"secret": SECRET, "tokenParameterName": "t"}
    assert flow.call("redirect.validateToken", options)["ok"]["answer"] == 2
    assert 'has no parameter "session_token"' in error(
        flow.call("redirect.validateToken", {"secret": SECRET})
    )


@pytest.mark.parametrize("value", [None, "", 5, ["x"], {}])
def test_a_parameter_that_is_no_token(value: Any) -> None:
    flow = back({"session_token": value})
    assert "has no parameter" in error(flow.call("redirect.validateToken", {"secret": SECRET}))


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"exp": NOW}, "has expired"),
        ({"exp": NOW - 1}, "has expired"),
        ({"exp": ABSENT}, "has no exp"),
        ({"exp": "9999999999"}, "exp is not a time"),
        ({"exp": True}, "exp is not a time"),
        ({"exp": None}, "exp is not a time"),
        ({"exp": 10**400}, "is not JSON"),
        ({"exp": -(10**400)}, "is not JSON"),
        ({"exp": float("inf")}, "exp is not a time"),
        ({"exp": -1}, "has expired"),
        ({"nbf": NOW + 1}, "not valid yet"),
        ({"nbf": 10**30}, "not valid yet"),
        ({"nbf": 10**400}, "is not JSON"),
        ({"iat": 10**400}, "is not JSON"),
        ({"nbf": "x"}, "nbf is not a time"),
        ({"iat": []}, "iat is not a time"),
        ({"state": ABSENT}, "has no state"),
        ({"state": "state-2"}, "state is not that of this flow"),
        ({"state": ["state-1"]}, "state is not that of this flow"),
        ({"state": None}, "state is not that of this flow"),
        ({"sub": ABSENT}, "has no sub"),
        ({"sub": "auth0|other"}, "sub is not that of this flow"),
        ({"sub": 5}, "sub is not that of this flow"),
        ({"iss": 5}, "iss is not a string"),
    ],
)
def test_a_token_with_wrong_claims(claims: dict[str, Any], says: str) -> None:
    changed = {name: value for name, value in {**GOOD, **claims}.items() if value is not ABSENT}
    reply = validate(token(changed))
    assert says in error(reply)
    assert reply["error"]["code"] == "invalid_token"


def test_the_issuer_is_compared_when_the_platform_sets_one() -> None:
    assert "ok" in validate(token(GOOD), redirect_issuer="https://x.example")
    assert "iss is not that of this flow" in error(validate(token(GOOD), redirect_issuer="https://y.example"))
    without = {name: value for name, value in GOOD.items() if name != "iss"}
    assert "ok" in validate(token(without))
    assert "has no iss" in error(validate(token(without), redirect_issuer="https://x.example"))


def test_our_own_outgoing_token_does_not_come_back() -> None:
    raw = Flow("post-login").call("redirect.encodeToken", {"secret": SECRET, "payload": {}})["ok"]
    assert "has no state" in error(validate(raw))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "hs256"},
        {"alg": "HS384"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": "ES256"},
        {"alg": ["HS256"]},
        {"alg": None},
        {},
        [],
        "HS256",
        {"alg": "HS256", "crit": ["exp"]},
        {"alg": "HS256", "crit": []},
        {"alg": "HS256", "b64": False},
    ],
)
def test_a_header_that_is_refused(header: Any) -> None:
    assert "error" in validate(token(GOOD, header=header))


@pytest.mark.parametrize(
    "extra", [{"kid": "../../x"}, {"jku": "https://evil.example"}, {"jwk": {"kty": "oct"}}, {"foo": 1}]
)
def test_a_header_cannot_choose_the_key(extra: dict[str, Any]) -> None:
    header = {"alg": "HS256", **extra}
    assert "ok" in validate(token(GOOD, header=header)) or "jwk" in extra
    assert "signature is wrong" in error(validate(token(GOOD, secret="e" * 32, header=header)))


@pytest.mark.parametrize("key", ["", "S" * 32, "s" * 31, "s" * 33, "t" + "s" * 31, "s" * 32 + "\0x"])
def test_another_key(key: str) -> None:
    if key:
        assert "signature is wrong" in error(validate(token(GOOD), secret=key))
    else:
        assert "must not be empty" in error(validate(token(GOOD), secret=key))


@pytest.mark.parametrize(
    "raw",
    [
        "x",
        "a.b",
        "a.b.c.d",
        "..",
        token(GOOD) + "=",
        token(GOOD) + " ",
        token(GOOD) + "\n",
        token(GOOD).replace(".", "..", 1),
        token(GOOD)[:-4],
        token(GOOD).rpartition(".")[0] + ".",
        token(GOOD, raw=b"not json"),
        token(GOOD, raw=b"[1]"),
        token(GOOD, raw=b'"x"'),
        token(GOOD, raw=b"[" * 30_000),
        token(GOOD, raw=b'{"exp":NaN,"sub":"x","state":"state-1"}'),
        token(GOOD, raw=b"\xff\xfe"),
        token(GOOD, raw=b"{" + b'"a":' * 100 + b"}"),
        token({**GOOD, "a": "x" * 200_000}),
        "é.é.é",
    ],
)
def test_malformed_tokens(raw: str) -> None:
    assert validate(raw)["error"]["code"] == "invalid_token"


def test_every_flipped_bit_of_a_token_is_noticed() -> None:
    good = token(GOOD)
    for place in range(0, len(good), 7):
        flipped = good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]
        assert "error" in validate(flipped), place


@given(st.text(max_size=60) | st.binary(max_size=60).map(b64).map(lambda part: f"{part}.{part}.{part}"))
def test_arbitrary_text_is_a_token_error(raw: str) -> None:
    with pytest.raises(session_tokens.TokenError):
        session_tokens.verify(raw, SECRET, session_tokens.Expected(NOW, "state-1", USER))


def test_a_flow_without_a_state_accepts_no_token() -> None:
    flow = Flow("post-login", {"request.query": {"session_token": token(GOOD)}})
    assert "state is not that of this flow" in error(flow.call("redirect.validateToken", {"secret": SECRET}))


# --- URLs ---


@pytest.mark.parametrize(
    ("url", "becomes"),
    [
        ("https://x.example", "https://x.example/"),
        ("HTTPS://X.Example:443/a b", "https://x.example/a%20b"),
        ("http://x.example:80", "http://x.example/"),
        ("http://x.example:8080/?", "http://x.example:8080/"),
        ("  https://x.example/\n", "https://x.example/"),
        ("https:\\\\x.example\\a", "https://x.example/a"),
        ("https:x.example", "https://x.example/"),
        ("https:////x.example", "https://x.example/"),
        ("https://u:p@x.example/", "https://u:p@x.example/"),
        ("https://[2001:DB8::1]/", "https://[2001:db8::1]/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://x.example/?a=1#b c", "https://x.example/?a=1#b%20c"),
        ("https://x.example/%7E?q=%20", "https://x.example/%7E?q=%20"),
        ("com.harbor.app://done?x=1", "com.harbor.app://done?x=1"),
        ("myapp:/done", "myapp:/done"),
        ("myapp:///done", "myapp:///done"),
    ],
)
def test_urls_in_their_normal_form(url: str, becomes: str) -> None:
    assert with_query(url, {}) == becomes


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/path",
        "x.example",
        "//x.example",
        "?a=1",
        "http://",
        "https:///",
        "https://:80/",
        "https://x.example:99999/",
        "https://x.example:a/",
        "https://x y.example/",
        "https://x<y.example/",
        "https://[::1/",
        "https://\u00fc\u0000.example/",
        "https://" + "ü" * 70 + ".example/",
        "https://[g]/",
        "1http://x",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://x.example/1",
        "about:blank",
        "view-source:https://x.example",
    ],
)
@pytest.mark.parametrize("path", ["redirect.sendUserTo", "transaction.setResultUrl"])
def test_urls_that_are_refused(url: str, path: str) -> None:
    reply = Flow("password-reset-post-challenge").call(path, url)
    assert reply["error"]["name"] == "TypeError"
    assert reply["error"]["message"].startswith(f"api.{path}: url ")


@given(st.text(max_size=40), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3))
def test_any_text_is_a_url_or_a_url_error(url: str, query: dict[str, str]) -> None:
    try:
        result = with_query(url, query)
    except UrlError:
        return
    assert result.isascii()
    assert not set(result) & set(' \n\t"<>\\')
    assert with_query(result, {}) == result


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
def test_a_query_comes_back_as_it_went(query: dict[str, str]) -> None:
    from urllib.parse import parse_qsl, urlsplit

    url = with_query("https://x.example/?kept=1", query)
    assert dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)) == {"kept": "1", **query}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "url is required"),
        ([5], "url must be a string, not 5"),
        (["https://x.example", {"query": []}], "options.query must be an object"),
        (["https://x.example", {"query": {"a": {"b": 1}}}], 'options.query.a must be a string, not {"b":1}'),
        (["https://x.example", {"query": {"a": [[1]]}}], "options.query.a must be a string, not [[1]]"),
        (["https://x.example", "x"], "options must be an object"),
    ],
)
@pytest.mark.parametrize("path", ["redirect.sendUserTo", "transaction.setResultUrl"])
def test_arguments_that_are_refused(arguments: list, says: str, path: str) -> None:
    assert says in error(Flow("password-reset-post-challenge").call(path, *arguments))


def test_null_and_arrays_in_a_query_become_what_javascript_makes_of_them() -> None:
    query = {"a": None, "b": ["x", 1, None, True], "c": []}
    flow = Flow("post-login").action(("redirect.sendUserTo", "https://x.example", {"query": query}))
    assert flow.effects.redirect.url == "https://x.example/?a=null&b=x%2C1%2C%2Ctrue&c=&state=state-1"


def test_numbers_and_booleans_in_a_query_become_text() -> None:
    query = {"a": 5, "b": True, "c": 2.0, "d": 0.5, "e": False, "f": 1e30}
    flow = Flow("password-reset-post-challenge").action(
        ("transaction.setResultUrl", "https://x.example", {"query": query})
    )
    assert flow.effects.result_url == "https://x.example/?a=5&b=true&c=2&d=0.5&e=false&f=1e%2B30"


def test_unknown_options_are_ignored() -> None:
    flow = Flow("post-login").action(("redirect.sendUserTo", "https://x.example", {"quary": {"a": "1"}}))
    assert flow.effects.redirect.url == "https://x.example/?state=state-1"


# --- canRedirect, setResultUrl ---


@pytest.mark.parametrize(
    ("event", "answer"),
    [
        ({}, True),
        ({"request.query": {"prompt": "none"}}, False),
        ({"request.query": {"prompt": "login"}}, True),
        ({"transaction.protocol": "oauth2-refresh-token"}, False),
        ({"transaction.protocol": "oauth2-password"}, False),
        ({"transaction.protocol": "oauth2-resource-owner"}, False),
        ({"transaction.protocol": "oauth2-webauthn"}, False),
        ({"transaction.protocol": "samlp"}, True),
        ({"transaction.protocol": "oauth2-token-exchange"}, True),
        ({"transaction": ABSENT}, True),
    ],
)
def test_can_redirect(event: dict, answer: bool) -> None:
    assert Flow("post-login", event).call("redirect.canRedirect") == {"ok": answer}


def test_the_result_url() -> None:
    flow = Flow("password-reset-post-challenge").action(
        ("transaction.setResultUrl", "https://a.example/"),
        ("transaction.setResultUrl", "https://x.example/?a=1", {"query": {"a": "2"}}),
    )
    assert flow.effects.result_url == "https://x.example/?a=2"
