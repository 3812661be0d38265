"""The console's page: its files, its headers, its addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from runner.console import bundle
from runner.console.pages import ConsolePages
from runner.http.middleware import RequestContext
from runner.server.app import App
from tests.console.browser import Browser
from tests.serving.server import Server

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{}'; connect-src 'self'; img-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'"
)


@pytest.fixture(scope="module")
def browser(embedded: Server) -> Browser:
    bundle.build(lambda _: None)
    return Browser(embedded.url)


@pytest.fixture
def bare(embedded: Server) -> Iterator[list[bundle.Files | None]]:
    """What the service finds as its bundle; nothing at first."""
    found: list[bundle.Files | None] = [None]
    pages, app = ConsolePages(lambda: found[0]), embedded.app
    assert isinstance(app, App)
    before = app.shortcuts
    app.shortcuts = ((pages.takes, RequestContext(pages)),)
    yield found
    app.shortcuts = before


@pytest.mark.parametrize(
    "path",
    [
        "/console",
        "/console/",
        "/console/executions/exe_1?decision=deny",
        "/console/a/%2e%2e/b",
        "/console/apis",
    ],
)
def test_every_address_answers_the_page(browser: Browser, path: str) -> None:
    reply = browser.call("GET", path, headers={"Accept": "text/html"})
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    text = reply.json.decode()
    found = re.search(r'<meta name="csp-nonce" content="([\w-]{24})"', text)
    assert found is not None
    nonce = found[1]
    assert reply.headers["Content-Security-Policy"] == POLICY.format(nonce)
    assert reply.headers["Cache-Control"] == "no-store"
    assert (reply.headers["X-Frame-Options"], reply.headers["Referrer-Policy"]) == ("DENY", "no-referrer")
    assert "__CSP_NONCE__" not in text
    again = browser.call("GET", path).json.decode()
    assert nonce not in again
    assert browser.call("HEAD", path).status == 200


def test_the_page_needs_its_own_files_alone(browser: Browser) -> None:
    text = browser.call("GET", "/console").json.decode()
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"\son\w+=|style=|https?:", text)
    sources = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert sources
    for source in sources:
        assert source.startswith("/console/assets/")
        reply = browser.call("GET", source)
        assert reply.status == 200
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "immutable" in reply.headers["Cache-Control"]
        tag = {"If-None-Match": reply.headers["ETag"]}
        assert browser.call("GET", source, headers=tag).status == 304
        packed = browser.call("GET", source, headers={"Accept-Encoding": "gzip"})
        assert packed.json == reply.json


@pytest.mark.parametrize(
    "path",
    ["/console/assets/none.js", "/console/assets/", "/console/assets/%2e%2e/index.html", "/console/api/none"],
)
def test_what_is_not_there(browser: Browser, path: str) -> None:
    assert browser.call("GET", path).status == 404


def test_other_methods(browser: Browser) -> None:
    reply = browser.call("POST", "/console/login", {})
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")


def test_the_root_leads_browsers_to_it(browser: Browser) -> None:
    reply = browser.call("GET", "/", headers={"Accept": "text/html,application/xhtml+xml"})
    assert (reply.status, reply.headers["Location"]) == (302, "/console")
    assert browser.call("GET", "/", headers={"Accept": "application/json"}).status == 404


def test_a_bundle_that_is_built_later(embedded: Server, bare: list[bundle.Files | None]) -> None:
    browser = Browser(embedded.url)
    reply = browser.call("GET", "/console")
    assert reply.status == 503
    assert b"actionbox images" in reply.json
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    bare[0] = {"index.html": b"<p>here", "assets/a-1.js": b"1;", "assets/a-1.exe": b"MZ"}
    assert browser.call("GET", "/console").json == b"<p>here"
    assert browser.call("GET", "/console/assets/a-1.js").headers["Content-Type"].startswith("text/javascript")
    assert browser.call("GET", "/console/assets/a-1.exe").status == 404


def test_a_bundle_is_the_same_for_the_same_sources() -> None:
    assert bundle.packed(lambda _: None) == bundle.packed(lambda _: None)
