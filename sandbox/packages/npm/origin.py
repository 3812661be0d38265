"""The interface of origins, from which packages come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sandbox.packages.npm.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Offer:
    """An origin's offer of one package: manifests by version, and versions by tag."""

    versions: Mapping[str, Manifest]
    tags: Mapping[str, str]


class Origin(Protocol):
    """A registry, or a folder of tarballs. Safe to call from several threads."""

    def offer(self, name: str) -> Offer:
        """The offer of `name`. Raises `DependencyError` (`not-found`, `registry`, `network`, `cap`)."""
        ...

    def expect(self, names: Iterable[str]) -> None:
        """`offer` will be asked about `names` soon."""
        ...

    def tarball(self, manifest: Manifest) -> bytes:
        """The archive of one version, not yet verified. Raises `DependencyError` as `offer` does."""
        ...

    def expect_tarballs(self, manifests: Iterable[Manifest]) -> None:
        """`tarball` will be asked for `manifests` soon."""
        ...

    def close(self) -> None:
        """Give up what is still under way."""
        ...
