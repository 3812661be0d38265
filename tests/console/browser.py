"""A browser as far as the service can tell: it keeps cookies, and says whose page a request comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3

from runner.admin.tenants import Credentials
from tests.serving.conformance import check_answer
from tests.serving.server import Reply, Server

_POOL = urllib3.PoolManager(maxsize=8, retries=False, timeout=120)


@dataclass
class Browser:
    """One browser. `site`: what it says in `Sec-Fetch-Site`; None for one that does not."""

    url: str
    site: str | None = "same-origin"
    cookies: dict[str, str] = field(default_factory=dict)

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.site is not None:
            sent.setdefault("Sec-Fetch-Site", self.site)
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        answer = _POOL.request(method, self.url + path, body=data, headers=sent, redirect=False)
        for line in answer.headers.getlist("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0].strip('"')
            self.cookies.pop(name, None)
            if value:
                self.cookies[name] = value
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        parsed = json.loads(answer.data) if answer.data and is_json else None
        if is_json or not answer.data:
            check_answer(method, self.url + path, answer.status, answer.headers, parsed)
        return Reply(answer.status, parsed if is_json else answer.data, answer.headers)

    def sign_in(self, made: Credentials) -> Browser:
        """With a client's id and secret."""
        body = {"client_id": made.client_id, "client_secret": made.client_secret}
        reply = self.call("POST", "/console/api/sign-in/client", body)
        assert reply.status == 200, reply
        return self


def signed_in(server: Server, scopes: list[str] | None = None, tenant: str = "") -> Browser:
    """A browser with a session of a new client."""
    made = server.client(tenant, scopes).credentials
    assert made is not None
    return Browser(server.url).sign_in(made)
