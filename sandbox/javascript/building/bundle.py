"""Everything that an Action version may require, as one archive: built once, cached by what went into it."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox.core.caps import MAX_BUNDLE_BYTES, MIB
from sandbox.javascript import toolchain
from sandbox.javascript.building import transpile
from sandbox.javascript.building.confined import COMPILING, Bounds, ToolTimeoutError, run_confined
from sandbox.javascript.packages import files as package_files
from sandbox.javascript.packages import unserved
from sandbox.javascript.packages.files import PackageFiles, Packer
from sandbox.packages.errors import DependencyError
from sandbox.packages.npm.install import unpack
from sandbox.packages.npm.lock import Lock
from sandbox.packages.npm.names import split_specifier
from sandbox.packages.npm.origin import Origin
from sandbox.packages.npm.store import TarballStore
from sandbox.wasm.artefacts import cache_directory, load_or_build

Say = Callable[[str], None]
_BUNDLER: Final = toolchain.HERE / "bundler.cjs"
_SUBSTITUTES: Final = {path.stem: path for path in sorted((toolchain.HERE / "substitutes").glob("*.cjs"))}
"""Files of ours in the place of packages that cannot run here but whose API can be had."""
_OWN_FOLDER: Final = "/actionbox/"
"""Where programs see them; as bundler.cjs has it."""
_SCOPE: Final = "actions:"
_BUNDLING: Final = Bounds(seconds=120.0, memory_bytes=2048 * MIB, output_bytes=4 * MAX_BUNDLE_BYTES)
_COLLECTED: Final = "400"
"""Percent that the bundler's heap grows by between collections: a fifth less processor time, for some 100 MB
(measured)."""
_NO_PACKAGE: Final = re.compile(r"[./\\]|[a-zA-Z]:[/\\]|(?:https?|data|file):")
"""Paths and URLs, which name no package."""
_MAX_TOLD: Final = 8

BUILTINS: Final = (
    "assert", "assert/strict", "async_hooks", "buffer", "child_process", "cluster", "console", "constants",
    "crypto", "dgram", "diagnostics_channel", "dns", "dns/promises", "domain", "events", "fs", "fs/promises",
    "http", "http2", "https", "inspector", "module", "net", "os", "path", "path/posix", "path/win32",
    "perf_hooks", "process", "punycode", "querystring", "readline", "readline/promises", "repl", "stream",
    "stream/consumers", "stream/promises", "stream/web", "string_decoder", "sys", "test", "timers",
    "timers/promises", "tls", "trace_events", "tty", "url", "util", "util/types", "v8", "vm", "wasi",
    "worker_threads", "zlib",
)  # fmt: skip
"""What Node has built in: the guest answers, or refuses, each."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One set of packages: the Action's own (name `""`), or a module's (`actions:NAME`).

    Attributes:
        specifiers: what is loaded of them: every declared package, and subpaths that stand in the text.
        required: those that stand in the text as they are.
    """

    name: str
    lock: Lock
    specifiers: tuple[str, ...]
    required: frozenset[str] = frozenset()

    @property
    def at(self) -> str:
        """The folder, as programs see it, that `node_modules` is in, with a slash at its end."""
        return f"/modules/{self.name.removeprefix(_SCOPE)}/" if self.name else "/"


def scope_of(name: str, lock: Lock, text: str, filename: str) -> Scope:
    """The scope of a source `text`: every declared package, and the subpaths that the text names."""
    declared = [package for package, _ in lock.wanted]
    items = (item for item in _required(text, filename) if not item.startswith(_SCOPE))
    used = {_without_version(item) for item in items if split_specifier(item)[0] in declared}
    return Scope(name, lock, tuple(sorted({*declared, *used})), frozenset(used))


def required_names(text: str, filename: str) -> frozenset[str]:
    """Packages (without version and subpath) and modules that stand as literals in `text`."""
    return frozenset(
        item if item.startswith("actions:") else split_specifier(item)[0]
        for item in _required(text, filename)
    )


def _without_version(specifier: str) -> str:
    name, subpath = split_specifier(specifier)
    return f"{name}/{subpath}" if subpath else name


def _required(text: str, filename: str) -> list[str]:
    """The module names that stand as literals in `text`; none when it does not parse, which the compiler
    says better."""
    with tempfile.TemporaryDirectory(prefix="actionbox-") as folder:
        report = Path(folder) / "report.json"
        command = [
            str(toolchain.esbuild()),
            f"--loader={transpile.loader(filename)}",
            "--bundle",
            "--external:*",  # looks at no file, whatever the text names: a path may be a device
            "--format=cjs",
            "--tsconfig-raw={}",
            "--log-level=silent",
            f"--metafile={report}",
            f"--outfile={Path(folder) / 'out.js'}",
        ]
        try:
            done = run_confined(command, text.encode(), COMPILING, folder=folder)
        except (OSError, ToolTimeoutError):
            return []
        if not done.ok or done.exhausted:
            return []
        inputs = json.loads(report.read_text())["inputs"]
    found = (item["path"] for entry in inputs.values() for item in entry["imports"])
    return [path for path in found if not _NO_PACKAGE.match(path)]


def bundle(scopes: Sequence[Scope], origin: Callable[[], Origin], store: TarballStore, say: Say) -> bytes:
    """The packages of all scopes, as `PackageFiles` reads them; empty when nothing is required.

    Args:
        origin: asked for when a tarball is not in `store`.
        say: told what the bundler noticed.

    Raises:
        DependencyError: `bundle`, `exports`, `native`, `cap`, or what unpacking raises.
    """
    if not any(scope.specifiers for scope in scopes):
        return b""
    parts = [(scope.name, scope.lock.to_json(), scope.specifiers, sorted(scope.required)) for scope in scopes]
    files = (_BUNDLER, Path(package_files.__file__), *_SUBSTITUTES.values())
    own = [path.read_text(encoding="utf-8") for path in files]
    key = json.dumps([own, toolchain.manifests_digest(), parts])
    return load_or_build("javascript-packed", key, lambda: _bundle(scopes, origin, store, say))


def _bundle(scopes: Sequence[Scope], origin: Callable[[], Origin], store: TarballStore, say: Say) -> bytes:
    root = Path(tempfile.mkdtemp(dir=cache_directory(), prefix="bundling-")).resolve()
    packer = Packer()
    for path in _SUBSTITUTES.values():
        packer.add(f"{_OWN_FOLDER}{path.name}", path.read_bytes())
    try:
        job = []
        for number, scope in enumerate(scopes):
            folder = root / f"scope-{number}"
            folder.mkdir()
            _unpack(scope, origin, store, folder, packer)
            job.append(
                {"name": scope.name, "folder": str(folder), "at": scope.at, "specifiers": scope.specifiers}
            )
        say(f"bundling {sum(len(scope.lock.packages) for scope in scopes)} packages")
        result = _run_bundler(root, job)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    _check(result, scopes, packer, say)
    seen = {
        scope.name: {"at": scope.at, "names": [name for name, _ in scope.lock.wanted]} for scope in scopes
    }
    made = packer.pack(result["eager"], result["links"], result["code"], seen)
    if left_out := PackageFiles(made).left_out:
        say(f"{left_out} files of the packages are left out: what they can read has a limit")
    return made


def _unpack(
    scope: Scope, origin: Callable[[], Origin], store: TarballStore, folder: Path, packer: Packer
) -> None:
    def keep(path: str, content: bytes) -> None:
        packer.add(scope.at + path, content)

    unpack(scope.lock, origin, store, folder, keep)


def _run_bundler(root: Path, scopes: list[dict[str, Any]]) -> Mapping[str, Any]:
    modules = toolchain.packages(lambda _: None)
    job = {
        "esbuild": str(modules / "esbuild"),
        "root": str(root),
        "scopes": scopes,
        "builtins": BUILTINS,
        "substitutes": {name: str(path) for name, path in _SUBSTITUTES.items()},
    }
    try:
        done = run_confined(
            [str(toolchain.node()), str(_BUNDLER)],
            json.dumps(job).encode(),
            _BUNDLING,
            folder=root,
            environment={"PATH": "", "HOME": str(root), "GOGC": _COLLECTED},
        )
    except ToolTimeoutError:
        raise DependencyError("bundle", "The packages take too long to bundle.") from None
    except OSError as error:
        raise DependencyError("bundle", "The bundler could not be started.") from error
    if done.exhausted:
        raise DependencyError("bundle", "The packages take too much memory to bundle.")
    if not done.ok:
        tail = done.stderr.decode("utf-8", "replace").strip()[-1000:].replace(str(root), "")
        raise DependencyError("bundle", f"The bundler failed: {tail}")
    result: Mapping[str, Any] = json.loads(done.stdout)
    return result


def _check(result: Mapping[str, Any], scopes: Sequence[Scope], packer: Packer, say: Say) -> None:
    """Raises `DependencyError` for what the bundler found that cannot work."""
    if result["native"]:
        file = result["native"][0]
        raise DependencyError(
            "native",
            f"{split_specifier(file)[0]} is a native add-on ({file}): machine code cannot run in an Action.",
            package=split_specifier(file)[0],
            next_step="Use a package that is written in JavaScript alone.",
        )
    if result["errors"]:
        raise _failed(result["errors"])
    for item in result["unresolved"]:
        scope = next(scope for scope in scopes if scope.name == item["scope"])
        unserved.check(item["specifier"], scope, packer.read, packer.paths)
        say(f"the Action requires {item['specifier']}, which is not there; it fails if it is reached")
    for item in result["missing"][:_MAX_TOLD]:
        say(f"{item['from']} requires {item['specifier']}, which is not there; it fails if it is reached")
    if packer.size(result["eager"]) > MAX_BUNDLE_BYTES:
        raise DependencyError(
            "cap",
            f"The packages hold more than {MAX_BUNDLE_BYTES} bytes of JavaScript.",
            next_step="Depend on fewer packages, or require only the subpaths that you use.",
        )


def _failed(errors: Sequence[Mapping[str, Any]]) -> DependencyError:
    first = errors[0]
    where = f" in {first['file']}, line {first['line']}" if first["file"] else ""
    package = split_specifier(first["file"])[0] if first["file"] else None
    return DependencyError(
        "bundle",
        f"The packages could not be bundled: {first['text']}{where}.",
        package=package,
        next_step="Use another version of the package, or another package.",
    )
