"""Finds a version for every package that an Action needs, and a place where `require` finds it.

Like npm: breadth first, one copy as high up as it can stand, a nested copy where ranges do not meet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from sandbox.core.caps import MAX_PACKAGE_DEPTH, MAX_PACKAGES
from sandbox.packages.errors import DependencyError
from sandbox.packages.npm.manifest import Manifest, runs_here
from sandbox.packages.npm.names import check_name, check_wanted
from sandbox.packages.npm.origin import Origin
from sandbox.packages.npm.semver import InvalidVersionError, best, parse_range, parse_version

Kind = Literal["needed", "optional", "peer"]
Say = Callable[[str], None]
_ALIAS: Final = "npm:"
_LATEST: Final = "latest"


@dataclass(eq=False, slots=True)
class Node:
    """A package in its place. The root has no parent and no package."""

    name: str
    manifest: Manifest | None = None
    parent: Node | None = None
    optional: bool = False
    children: dict[str, Node] = field(default_factory=dict)
    links: dict[str, tuple[str, Node]] = field(default_factory=dict)
    """Dependency to (wanted version, node that `require` finds)."""

    def upwards(self) -> Iterator[Node]:
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    def within(self) -> Iterator[Node]:
        yield self
        for child in self.children.values():
            yield from child.within()

    @property
    def path(self) -> str:
        names = [node.name for node in self.upwards() if node.parent is not None]
        return "/".join(f"node_modules/{name}" for name in reversed(names))

    def find(self, name: str) -> Node | None:
        """The package that `require(name)` finds from here."""
        for node in self.upwards():
            if name in node.children:
                return node.children[name]
        return None


@dataclass(frozen=True, slots=True)
class _Edge:
    """Somebody needs something."""

    node: Node
    name: str
    wanted: str
    kind: Kind
    optional: bool


def resolve(wanted: Mapping[str, str], origin: Origin, say: Say) -> Node:
    """The tree of packages for `wanted` (name to version, range or tag).

    Args:
        origin: where packages come from.
        say: told of deprecated packages and of what is left out.

    Raises:
        DependencyError: see there.
    """
    return _Resolver(origin, say).resolve(wanted)


class _Resolver:
    def __init__(self, origin: Origin, say: Say) -> None:
        self._origin = origin
        self._say = say
        self._count = 0
        self._queue: deque[_Edge] = deque()
        self._peers: deque[_Edge] = deque()

    def resolve(self, wanted: Mapping[str, str]) -> Node:
        root = Node("")
        self._origin.expect(wanted)
        for name in sorted(wanted):
            self._queue.append(_Edge(root, name, wanted[name], "needed", False))
        # Peers wait until everything else has its place, so that they settle on what is there.
        while self._queue or self._peers:
            edge = self._queue.popleft() if self._queue else self._peers.popleft()
            try:
                self._satisfy(edge)
            except DependencyError as error:
                if not edge.optional and edge.kind != "optional":
                    raise
                self._say(f"left out optional {edge.name}: {error.message}")
        return root

    def _satisfy(self, edge: _Edge) -> None:
        package, wanted = _target(edge)
        found = edge.node.find(edge.name) if edge.kind != "peer" else _beside(edge)
        if found is not None and found.manifest is not None:
            if _meets(found, package, wanted):
                edge.node.links[edge.name] = (wanted, found)
                return
            if edge.kind == "peer":
                self._say(
                    f"{_label(edge.node)} asks for {edge.name} {wanted} beside it; "
                    f"{found.manifest.version} is used"
                )
                return
        self._place(edge, package, wanted)

    def _place(self, edge: _Edge, package: str, wanted: str) -> None:
        manifest = self._choose(edge, package, wanted)
        parent = _highest(edge, manifest)
        depth = sum(1 for _ in parent.upwards())
        self._count += 1
        if self._count > MAX_PACKAGES or depth > MAX_PACKAGE_DEPTH:
            raise DependencyError(
                "cap",
                f"The dependencies need more than {MAX_PACKAGES} packages, or nest too deeply.",
                package=package,
                next_step="Depend on fewer or smaller packages.",
            )
        optional = edge.optional or edge.kind == "optional"
        node = Node(edge.name, manifest, parent, optional)
        parent.children[edge.name] = node
        edge.node.links[edge.name] = (wanted, node)
        self._tell(manifest)
        self._enqueue(node, manifest, optional)

    def _choose(self, edge: _Edge, package: str, wanted: str) -> Manifest:
        offer = self._origin.offer(package)
        version = offer.tags.get(wanted) or _best(package, wanted, offer.versions, offer.tags.get(_LATEST))
        manifest = offer.versions.get(version) if version else None
        if manifest is None:
            raise _no_match(edge, package, wanted, offer.versions)
        if not runs_here(manifest):
            raise DependencyError(
                "platform",
                f"{package}@{manifest.version} holds machine code for "
                f"{', '.join(manifest.systems + manifest.processors)}; Actions run in WebAssembly.",
                package=f"{package}@{manifest.version}",
                next_step="Use a package that is written in JavaScript alone.",
            )
        return manifest

    def _tell(self, manifest: Manifest) -> None:
        label = f"{manifest.name}@{manifest.version}"
        if manifest.deprecated:
            self._say(f"{label} is deprecated: {manifest.deprecated}")
        if manifest.scripts:
            self._say(f"{label} has an install script, which is not run")

    def _enqueue(self, node: Node, manifest: Manifest, optional: bool) -> None:
        peers = {name: item for name, item in manifest.peers.items() if name not in manifest.optional_peers}
        self._origin.expect([*manifest.dependencies, *manifest.optional])
        for name, wanted in sorted(manifest.dependencies.items()):
            if name not in manifest.bundled:
                self._queue.append(_Edge(node, name, wanted, "needed", optional))
        for name, wanted in sorted(manifest.optional.items()):
            self._queue.append(_Edge(node, name, wanted, "optional", optional))
        for name, wanted in sorted(peers.items()):
            self._peers.append(_Edge(node, name, wanted, "peer", optional))


def _beside(edge: _Edge) -> Node | None:
    """The package that a peer finds, looked for from the folder that its package stands in."""
    return edge.node.parent.find(edge.name) if edge.node.parent is not None else None


def _target(edge: _Edge) -> tuple[str, str]:
    """The package and the wanted version that an edge names: an alias names another package."""
    check_name(edge.name)
    name, wanted = edge.name, edge.wanted.strip()
    if wanted.startswith(_ALIAS):
        name, at, wanted = wanted.removeprefix(_ALIAS).rpartition("@")
        if not at or not name:
            name, wanted = name + at + wanted, _LATEST
        check_name(name)
    if any(mark in wanted for mark in (":", "/", "#")):
        raise DependencyError(
            "kind",
            f"{_label(edge.node)} needs {name} from {wanted[:100]!r}; only versions of a registry are taken.",
            package=name,
            next_step="Use a version of the package that depends on published packages alone.",
        )
    return name, check_wanted(name, wanted)


def _meets(found: Node, package: str, wanted: str) -> bool:
    manifest = found.manifest
    if manifest is None or manifest.name != package:
        return False
    try:
        return parse_range(wanted).admits(parse_version(manifest.version))
    except InvalidVersionError:
        return True  # a tag: what has been chosen already will do


def _best(package: str, wanted: str, versions: Mapping[str, Manifest], latest: str | None) -> str | None:
    """The version to take: the latest one if it is in the range, as npm does, else the highest that is not
    deprecated, else the highest."""
    try:
        wanted_range = parse_range(wanted)
    except InvalidVersionError:
        raise DependencyError(
            "version",
            f"{package} has no version or tag {wanted!r}.",
            package=package,
            next_step="Write a version such as 1.2.3, a range such as ^1.2.3, or latest.",
        ) from None
    if latest is not None and latest in versions and wanted_range.admits(parse_version(latest)):
        return latest
    kept = [version for version, manifest in versions.items() if not manifest.deprecated]
    return best(wanted, kept) or best(wanted, versions)


def _highest(edge: _Edge, manifest: Manifest) -> Node:
    """The highest folder where the package can stand without hiding what others have found."""
    start = edge.node
    if edge.kind == "peer" and start.parent is not None:
        start = start.parent
    place = start
    for node in start.upwards():
        if edge.name in node.children or _hides(node, edge.name, manifest):
            break
        place = node
    return place


def _hides(node: Node, name: str, manifest: Manifest) -> bool:
    """Whether a package put into `node` would come before one that something below has found above."""
    version = parse_version(manifest.version)
    for below in node.within():
        link = below.links.get(name)
        if link is None or any(above is node for above in link[1].upwards()):
            continue
        try:
            if not parse_range(link[0]).admits(version):
                return True
        except InvalidVersionError:
            return True
    return False


def _no_match(edge: _Edge, package: str, wanted: str, versions: Mapping[str, Manifest]) -> DependencyError:
    newest = best("*", versions)
    whose = "" if edge.node.parent is None else f", which {_label(edge.node)} needs,"
    return DependencyError(
        "no-match",
        f"No version of {package}{whose} matches {wanted!r}.",
        package=package,
        next_step=f"The newest version is {newest}." if newest else "",
    )


def _label(node: Node) -> str:
    return "the Action" if node.manifest is None else f"{node.manifest.name}@{node.manifest.version}"
