"""The registry client against a registry on loopback, honest and hostile (threat-model D5)."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.core import caps
from sandbox.packages.errors import DependencyError
from sandbox.packages.npm import registry as registry_module
from sandbox.packages.npm.install import Wanted, check_wanted_list, make_lock
from sandbox.packages.npm.lock import Lock, sha512
from sandbox.packages.npm.registry import RegistryOrigin
from sandbox.packages.npm.store import TarballStore
from tests.sandbox.packages.npm.tarballs import package


class Registry:
    """Answers by path; a `str` answer is the target of a redirect."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | str | int] = {}
        self.asked: list[str] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                registry.asked.append(self.path)
                answer = registry.answers.get(self.path, 404)
                body = answer if isinstance(answer, bytes) else b""
                self.send_response(
                    answer if isinstance(answer, int) else 302 if isinstance(answer, str) else 200
                )
                if isinstance(answer, str):
                    self.send_header("location", answer)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/npm"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def publish(self, name: str, data: bytes, *, integrity: str | None = None, tarball: str = "") -> None:
        dist = {"integrity": integrity or sha512(data), "tarball": tarball}
        manifest = {"name": name, "version": "1.0.0", "dist": dist}
        document = {"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": manifest}}
        self.answers[f"/npm/{name.replace('/', '%2f')}"] = json.dumps(document).encode()
        self.answers[f"/npm/{name}/-/{name.rpartition('/')[2]}-1.0.0.tgz"] = data

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def registry() -> Iterator[Registry]:
    server = Registry()
    yield server
    server.close()


def lock_of(registry: Registry, tmp_path: Path, *names: str, allow_private: bool = True) -> Lock:
    origin = RegistryOrigin(registry.url, allow_private=allow_private)
    with contextlib.closing(origin):
        wanted = check_wanted_list([Wanted(name) for name in names])
        return make_lock(wanted, origin, TarballStore(tmp_path / "store"), lambda _: None)


def rule_of(registry: Registry, tmp_path: Path, **options: bool) -> str:
    with pytest.raises(DependencyError) as caught:
        lock_of(registry, tmp_path, "a", **options)
    return caught.value.rule


def test_packages_come_from_the_registry(registry: Registry, tmp_path: Path) -> None:
    registry.publish("a", package("a"), tarball=f"http://127.0.0.1:{registry.port}/npm/a/-/a-1.0.0.tgz")
    registry.publish("@s/b", package("@s/b"), tarball="https://elsewhere.example/b.tgz")
    lock = lock_of(registry, tmp_path, "a", "@s/b")
    assert lock.versions == {"a": "1.0.0", "@s/b": "1.0.0"}
    assert str(registry.port) not in lock.to_json()
    assert "/npm/@s/b/-/b-1.0.0.tgz" in registry.asked


def test_a_locked_package_is_not_asked_for_again(registry: Registry, tmp_path: Path) -> None:
    registry.publish("a", package("a"))
    first = lock_of(registry, tmp_path, "a")
    count = registry.asked.count("/npm/a/-/a-1.0.0.tgz")
    assert lock_of(registry, tmp_path, "a") == first
    assert registry.asked.count("/npm/a/-/a-1.0.0.tgz") <= count + 1


def test_redirects_lead_nowhere_else(registry: Registry, tmp_path: Path) -> None:
    for target in ("http://169.254.169.254/latest/meta-data", "http://localhost:1/", "http://example.com/a"):
        registry.answers["/npm/a"] = target
        assert rule_of(registry, tmp_path) == "network"


def test_redirects_stay_on_scheme_host_and_port(registry: Registry, tmp_path: Path) -> None:
    other, data = Registry(), package("a")
    other.publish("a", data)
    for target in (
        f"{other.url}/a",
        f"//127.0.0.1:{other.port}/npm/a",
        f"https://127.0.0.1:{registry.port}/npm/a",
    ):
        registry.answers["/npm/a"] = target
        with pytest.raises(DependencyError, match=r"allow-list|scheme"):
            lock_of(registry, tmp_path, "a")
    registry.publish("a", data)
    registry.answers["/npm/a/-/a-1.0.0.tgz"] = f"{other.url}/a/-/a-1.0.0.tgz"
    assert rule_of(registry, tmp_path) == "network"
    assert other.asked == []
    other.close()
    registry.answers["/files/a.tgz"] = data
    registry.answers["/npm/a/-/a-1.0.0.tgz"] = f"http://127.0.0.1:{registry.port}/files/a.tgz"
    assert lock_of(registry, tmp_path, "a").versions == {"a": "1.0.0"}


def test_other_bytes_than_stated(registry: Registry, tmp_path: Path) -> None:
    registry.publish("a", package("a"), integrity=sha512(b"something else"))
    assert rule_of(registry, tmp_path) == "integrity"


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_registry_that_refuses(registry: Registry, tmp_path: Path, status: int) -> None:
    registry.answers["/npm/a"] = status
    assert rule_of(registry, tmp_path) == "registry"


def test_no_such_package(registry: Registry, tmp_path: Path) -> None:
    assert rule_of(registry, tmp_path) == "not-found"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"versions": 3}', b'{"versions": {}}', b"[" * 100_000]
)
def test_answers_that_say_nothing(registry: Registry, tmp_path: Path, body: bytes) -> None:
    registry.answers["/npm/a"] = body
    assert rule_of(registry, tmp_path) in ("registry", "no-match", "version")


def test_a_private_registry_may_be_closed(registry: Registry, tmp_path: Path) -> None:
    registry.publish("a", package("a"))
    assert rule_of(registry, tmp_path, allow_private=False) == "network"


def test_the_cap_on_answers(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert caps.MAX_PACKUMENT_BYTES >= caps.MAX_TARBALL_BYTES
    registry.publish("a", package("a"))
    size = max(len(body) for body in registry.answers.values() if isinstance(body, bytes))
    monkeypatch.setattr(registry_module, "MAX_TARBALL_BYTES", size)
    monkeypatch.setattr(registry_module, "MAX_PACKUMENT_BYTES", size)
    assert lock_of(registry, tmp_path, "a").packages
    monkeypatch.setattr(registry_module, "MAX_TARBALL_BYTES", size - 1)
    monkeypatch.setattr(registry_module, "MAX_PACKUMENT_BYTES", size - 1)
    assert rule_of(registry, tmp_path) == "network"


@pytest.mark.parametrize(
    "url",
    ["", "ftp://host/", "file:///etc/passwd", "http://user:pass@host/", "http://host/?a=b", "host", "-x"],
)
def test_settings_that_are_no_registry(url: str) -> None:
    with pytest.raises(DependencyError) as caught:
        RegistryOrigin(url)
    assert caught.value.rule == "registry"
