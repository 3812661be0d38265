"""Packages from an npm registry, through the same egress client as an Action's own requests: every address
is judged on every hop, and only the registry's own scheme, host and port are asked (threat-model D5)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from yarl import URL

from sandbox.core.caps import MAX_PACKUMENT_BYTES, MAX_TARBALL_BYTES, MIB, PACKAGES_SECONDS
from sandbox.egress import AllowRule, EgressPolicy, HttpEgress
from sandbox.egress.model import EgressError, FetchRequest, FetchResponse, Outcome
from sandbox.egress.policy.addresses import Address, classify
from sandbox.packages.errors import DependencyError
from sandbox.packages.npm.manifest import Manifest, read_manifest
from sandbox.packages.npm.names import check_name
from sandbox.packages.npm.origin import Offer

_BRIEF: Final = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8"
_TIMEOUT_MS: Final = 60_000.0
_PARALLEL: Final = 8
_TOTAL_BYTES: Final = 1024 * MIB


_NEVER: Final = frozenset({"link-local", "cloud-provider", "multicast", "unspecified", "broadcast"})


@dataclass(frozen=True, slots=True)
class _RegistryPolicy(EgressPolicy):
    """The operator named the registry, so its own host may have an address that no guest may reach (a
    mirror in the operator's network has); the allow-list keeps every other place closed, redirects too."""

    def check_address(self, address: Address, host: str) -> None:
        name = classify(address)
        if (not self.allow_private and name is not None) or name in _NEVER:
            raise EgressError("private-address", f"{host} is not reachable: its address is {name}.")


class RegistryOrigin:
    """Implements `sandbox.packages.npm.origin.Origin` for the registry at `url`. One per build; close it.

    Args:
        url: its root, `https:` (or `http:`, for a mirror on the operator's own network).
        allow_private: the registry may have a private address, as an operator's mirror has.

    Raises:
        DependencyError: `registry`: the URL is none that can be used.
    """

    def __init__(self, url: str, *, allow_private: bool = True) -> None:
        self._root = _checked_root(url)
        policy = _RegistryPolicy(
            allow_private=allow_private,
            allow=(
                AllowRule(
                    host=self._root.raw_host or "",
                    methods=frozenset({"GET"}),
                    ports=frozenset({self._root.port or 0}),
                ),
            ),
            schemes=frozenset({self._root.scheme}),
            response_bytes=max(MAX_PACKUMENT_BYTES, MAX_TARBALL_BYTES),
            total_bytes=_TOTAL_BYTES,
            parallel=_PARALLEL,
        )
        self._session = HttpEgress(policy).open(time.monotonic() + PACKAGES_SECONDS)
        self._lock = threading.Lock()
        self._asked: dict[str, Future[FetchResponse]] = {}
        self._offers: dict[str, Offer] = {}

    def offer(self, name: str) -> Offer:
        """See `Origin.offer`."""
        if name not in self._offers:
            response = self._get(self._packument_url(name), name, _BRIEF)
            self._offers[name] = _read_offer(name, response.body)
        return self._offers[name]

    def expect(self, names: Iterable[str]) -> None:
        """See `Origin.expect`."""
        for name in names:
            if _is_name(name) and name not in self._offers:
                self._ask(self._packument_url(name), _BRIEF)

    def tarball(self, manifest: Manifest) -> bytes:
        """See `Origin.tarball`."""
        label = f"{manifest.name}@{manifest.version}"
        url = self._tarball_url(manifest)
        body = self._get(url, label, "application/octet-stream").body
        with self._lock:
            self._asked.pop(url, None)  # tarballs are large; the store has it from here
        if len(body) > MAX_TARBALL_BYTES:
            raise DependencyError("cap", f"{label} is larger than {MAX_TARBALL_BYTES} bytes.", package=label)
        return body

    def expect_tarballs(self, manifests: Iterable[Manifest]) -> None:
        """See `Origin.expect_tarballs`."""
        for manifest in manifests:
            self._ask(self._tarball_url(manifest), "application/octet-stream")

    def close(self) -> None:
        """See `Origin.close`."""
        self._session.close()

    def _packument_url(self, name: str) -> str:
        check_name(name)
        return f"{self._root}{name.replace('/', '%2f')}"

    def _tarball_url(self, manifest: Manifest) -> str:
        """The address that the registry gives, if it is on the registry; else the usual one there, because a
        mirror repeats the addresses of what it mirrors."""
        try:
            stated = URL(manifest.tarball)
        except ValueError:
            stated = URL("")
        if stated.is_absolute() and stated.origin() == self._root.origin():
            return str(stated)
        name = check_name(manifest.name)
        return f"{self._root}{name}/-/{name.rpartition('/')[2]}-{manifest.version}.tgz"

    def _ask(self, url: str, accept: str) -> Future[FetchResponse]:
        with self._lock:
            future = self._asked.get(url)
            if future is not None:
                return future
            future = self._asked[url] = Future()
        request = FetchRequest(url=url, headers=(("accept", accept),), timeout_ms=_TIMEOUT_MS)
        self._session.start(request, _settle(future))
        return future

    def _get(self, url: str, package: str, accept: str) -> FetchResponse:
        try:
            response = self._ask(url, accept).result(PACKAGES_SECONDS)
        except EgressError as error:
            raise DependencyError(
                "network",
                f"{package} could not be fetched from the registry ({error.rule}): {error.message}",
                package=package,
                next_step="Check the registry setting and the network, or use a folder of packages.",
            ) from error
        except TimeoutError as error:
            raise DependencyError(
                "network", f"{package} was not fetched in time.", package=package
            ) from error
        if response.status == 404:
            raise DependencyError("not-found", f"The registry has no package {package}.", package=package)
        if response.status != 200:
            raise DependencyError(
                "registry",
                f"The registry answered {response.status} when asked for {package}.",
                package=package,
                next_step="Try again later, or check the registry setting.",
            )
        return response


def _settle(future: Future[FetchResponse]) -> Callable[[Outcome], None]:
    def settle(outcome: Outcome) -> None:
        if isinstance(outcome, EgressError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    return settle


def _checked_root(url: str) -> URL:
    try:
        root = URL(url if url.endswith("/") else url + "/")
        usable = root.scheme in ("http", "https") and bool(root.raw_host)
    except ValueError:
        usable = False
    if not usable or root.user or root.password or root.query_string or root.fragment:
        raise DependencyError(
            "registry",
            "The registry setting is not the plain http(s) address of an npm registry.",
            next_step="Set it to an address without user name, password or query.",
        )
    return root


def _is_name(name: str) -> bool:
    try:
        check_name(name)
    except DependencyError:
        return False
    return True


def _read_offer(name: str, body: bytes) -> Offer:
    try:
        data = json.loads(body)
        listed, tags = data["versions"], data.get("dist-tags", {})
        manifests = {version: read_manifest(item) for version, item in listed.items()}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DependencyError(
            "registry",
            f"The registry's answer about {name} cannot be read.",
            package=name,
            next_step="Check that the registry setting names an npm registry.",
        ) from error
    versions = {
        version: manifest
        for version, manifest in manifests.items()
        if manifest is not None and manifest.name == name and manifest.version == version
    }
    known = (
        {tag: item for tag, item in tags.items() if isinstance(item, str)} if isinstance(tags, dict) else {}
    )
    return Offer(versions, known)
