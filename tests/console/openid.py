"""A small OpenID provider on loopback: it signs in whoever comes, and checks what a client must send."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "actionbox", "s3cret: of a client"


@dataclass
class OpenId:
    """The provider. `claims`: of the user who signs in; `signs`: makes its tokens."""

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    keys: dict[str, RSAKey | ECKey] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    broken: bool = False

    def renew_keys(self) -> None:
        self.keys = {
            "RS256": RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)}),
            "ES256": ECKey.generate_key("P-256", {"kid": secrets.token_hex(4)}),
        }

    def token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "user-1",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.claims,
            **self.changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm in ("none", "HS256"):  # the latter as in algorithm confusion
            parts = [json.dumps(item).encode() for item in ({"alg": self.algorithm}, claims)]
            text = ".".join(base64.urlsafe_b64encode(item).rstrip(b"=").decode() for item in parts)
            if self.algorithm == "none":
                return f"{text}."
            mac = hmac.digest(self.keys["RS256"].as_pem(private=False), text.encode(), "sha256")
            return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        own = self.keys[self.algorithm]
        header = {"alg": self.algorithm, "kid": own.kid}
        return jwt.encode(header, claims, own, algorithms=[self.algorithm])


@contextmanager
def openid() -> Iterator[OpenId]:
    """The provider, for the block."""
    provider = OpenId()
    provider.renew_keys()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

        def answer(self, status: int, value: Any, **headers: str) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            for name, text in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            path = urlsplit(self.path)
            provider.asked.append(path.path)
            if provider.broken:
                self.answer(500, {})
            elif path.path == "/.well-known/openid-configuration":
                base = provider.issuer
                names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
                named = {name: f"{base}/{place}" for name, place in names.items()}
                self.answer(200, {"issuer": base, **named})
            elif path.path == "/keys":
                listed = [key.as_dict(private=False) for key in provider.keys.values()]
                self.answer(200, {"keys": listed})
            else:
                query = {name: values[0] for name, values in parse_qs(path.query).items()}
                assert query["response_type"] == "code"
                assert query["code_challenge_method"] == "S256"
                code = secrets.token_hex(8)
                provider.codes[code] = query
                back = {"code": code, "state": query["state"], "iss": provider.issuer, "session_state": "x"}
                self.answer(302, {}, Location=f"{query['redirect_uri']}?{urlencode(back)}")

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            begun = provider.codes.pop(form["code"], None)
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            expected = base64.b64encode(f"{CLIENT}:{SECRET.replace(': ', '%3A+').replace(' ', '+')}".encode())
            good = (
                begun is not None
                and begun["redirect_uri"] == form["redirect_uri"]
                and begun["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
                and self.headers["Authorization"] == f"Basic {expected.decode()}"
            )
            if not good or begun is None:
                self.answer(400, {"error": "invalid_grant"})
                return
            self.answer(
                200, {"access_token": "x", "token_type": "Bearer", "id_token": provider.token(begun["nonce"])}
            )

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
