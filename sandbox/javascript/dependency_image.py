"""Loads the packages and modules of an Action version into the guest before its image is frozen.

Packages run their top level here, once. One that draws random numbers, logs, asks for the network or leaves
a timer behind while it loads is left to be loaded afresh in every execution: an image must not hold a seed
(design section 1). Clocks read 0 meanwhile, as if the package had been loaded long ago: on Auth0, too, an
instance is older than the execution. (lodash reads the clock fifty times while it loads.)
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Final

from sandbox.core.caps import KIB, MAX_PACKAGE_LOADS, MAX_PACKAGE_MEMORY_BYTES
from sandbox.core.failure import BuildError
from sandbox.javascript import unloadable
from sandbox.javascript.boot import BootError, Guest
from sandbox.javascript.null_port import Silence
from sandbox.javascript.packages.files import PackageFiles
from sandbox.javascript.quickjs.machine import (
    UNDEFINED,
    GuestExceptionError,
    GuestStarvedError,
    Machine,
    number,
)
from sandbox.wasm.memory import GuestMemoryError
from sandbox.wasm.traps import GuestStopped

_MAX_TOLD: Final = 2 * KIB
_BUNDLE_NAME: Final = "actionbox:packages"
_MAX_REASON: Final = 200
_LOAD_SECONDS: Final = 2.0
"""Processor time that one package may load for. Honest ones take up to 0.5 s (measured: the SDKs of Auth0 and
AWS)."""
_ALL_SECONDS: Final = 15.0
"""The same of all packages of an Action together."""
_STILL_CLOCK: Final = 20_000
"""Readings of one clock for which it stands still (lodash reads it fifty times)."""

Entry = tuple[str, str]
"""Scope and specifier."""


_DRAWS: Final = "draws random numbers"


class Watch(Silence):
    """Notes what was asked of the world, if anything."""

    def __init__(self) -> None:
        self.asked = ""
        self._readings = 0

    def log(self, level: str, text: str) -> None:
        del level, text
        self.asked = "writes to the console"

    def start(self, operation: str, arguments: str) -> int:
        del operation, arguments
        self.asked = "starts a request"
        return 1

    def random(self, count: int) -> bytes:
        self.asked = _DRAWS
        return bytes(count)

    def compute(self, operation: str, arguments: str) -> str:
        del operation, arguments
        self.asked = "makes keys or signatures"
        return "{}"

    def wall_ms(self) -> int:
        return self._clock()

    def monotonic_ms(self) -> int:
        return self._clock()

    def _clock(self) -> int:
        """0, unless somebody waits for it to go on."""
        self._readings += 1
        if self._readings < _STILL_CLOCK:
            return 0
        self.asked = "waits for the clock"
        return self._readings - _STILL_CLOCK


class Packages:
    """Implements `sandbox.javascript.boot.Equipment`.

    Args:
        files: of the packages; scripts that are required by name are compiled now.
        entries: what to load.
        modules: name and bytecode of each shared module.
        script: the bundle of a version that was built before there were `files`, or empty.

    Attributes:
        fresh: entries that are loaded in every execution, with what they do while they load.
    """

    def __init__(
        self,
        files: PackageFiles,
        entries: Sequence[Entry],
        modules: Sequence[tuple[str, bytes]],
        script: str = "",
    ) -> None:
        self._files = files
        self._script = script
        self._entries = entries
        self._modules = modules
        self._code = b""
        self._scripts: list[tuple[str, bytes]] = []
        self._port = Watch()
        self._used = 0.0
        self._loads = 0
        self.fresh: dict[Entry, str] = {}

    @property
    def files(self) -> PackageFiles:
        """See `Equipment.files`."""
        return self._files

    def compile(self, compile_script: Callable[[str, str], bytes]) -> None:
        """See `Equipment.compile`. Raises `BuildError` for packages that the engine cannot compile."""
        try:
            if self._script:
                self._code = compile_script(self._script, _BUNDLE_NAME)
            for path in self._files.eager:
                text = self._files.script(path)
                if text is not None:
                    self._scripts.append((path, compile_script(text, path)))
        except GuestStopped:
            raise BuildError(unloadable.slow_to_compile()) from None
        except (BootError, GuestStarvedError) as error:
            raise BuildError(unloadable.not_compiled(error)) from None

    @property
    def _scopes(self) -> str:
        """Scope to where its packages are, and their names, as JSON."""
        own = {"": {"at": "/", "names": []}} | {
            f"actions:{name}": {"at": f"/modules/{name}/", "names": []} for name, _ in self._modules
        }
        return json.dumps(own | dict(self._files.scopes))

    def make_port(self) -> Watch:
        """See `Equipment.make_port`."""
        self._port = Watch()
        return self._port

    def install(self, guest: Guest) -> bool:
        """See `Equipment.install`.

        Raises:
            BuildError: a package never finishes loading, needs too much memory, or recurses without end.
        """
        machine = guest.machine
        _equip(machine, "scopes", machine.new_string(self._scopes), UNDEFINED)
        for path, code in self._scripts:
            _equip(machine, "script", machine.new_string(path), machine.run_bytecode(code))
        if self._code:
            _equip(machine, "bundle", UNDEFINED, machine.run_bytecode(self._code))
        for name, code in self._modules:
            _equip(machine, "module", machine.new_string(name), machine.run_bytecode(code))
        loaded = [self._load(guest, entry) for entry in self._entries if entry not in self.fresh]
        return all(loaded)

    def _load(self, guest: Guest, entry: Entry) -> bool:
        """Load one entry. False when it has to stay out of the image, and all has to begin again."""
        machine = guest.machine
        self._port.asked = ""
        seed = machine.memory.read(machine.layout.random_state, 8, 8)
        began = time.thread_time()
        guest.time.allow(_LOAD_SECONDS)
        self._loads += 1
        try:
            problem = self._run(machine, entry)
            reason = self._reason(machine, seed)
        except (GuestStopped, GuestExceptionError, GuestStarvedError) as error:
            raise BuildError(unloadable.ended(entry, error, guest)) from None
        self._used += time.thread_time() - began
        if self._used > _ALL_SECONDS or self._loads > MAX_PACKAGE_LOADS:
            raise BuildError(unloadable.slow(entry))
        if unloadable.heap_bytes(machine) > MAX_PACKAGE_MEMORY_BYTES:
            raise BuildError(unloadable.large(entry))
        if problem and not reason:
            reason = f"fails ({problem.splitlines()[0][:_MAX_REASON]})"
        if not reason:
            return True
        self.fresh[entry] = reason
        return False

    def _run(self, machine: Machine, entry: Entry) -> str:
        """Run an entry's top level and what it queues; what it throws, empty for nothing."""
        scope, specifier = entry
        answer = _equip_raw(machine, "load", machine.new_string(scope), machine.new_string(specifier))
        while machine.run_job():
            pass
        problem = _told(machine, answer)
        failure = unloadable.told(entry, problem, machine)
        if failure is not None:
            raise BuildError(failure)
        return problem

    def _reason(self, machine: Machine, seed: bytes) -> str:
        """The deed of an entry that no image may hold; empty for none."""
        if machine.memory.read(machine.layout.random_state, 8, 8) != seed:
            return _DRAWS
        waiting = number(machine.call(machine.layout.poll))
        return self._port.asked or ("" if waiting is None or waiting < 0 else "leaves a timer behind")

    def notes(self) -> tuple[str, ...]:
        """A sentence for each entry of `fresh`, for the log of the build."""
        return tuple(
            f"{f'{specifier} of {scope}' if scope else specifier} is loaded anew in every execution, "
            f"which takes time, because it {reason} while it loads"
            for (scope, specifier), reason in sorted(self.fresh.items())
        )


def _told(machine: Machine, answer: int) -> str:
    """The error that an entry threw, as the guest tells it; empty for none."""
    if not machine.is_string(answer):
        return ""
    try:
        return machine.text(answer, _MAX_TOLD)
    except GuestMemoryError:
        return "an error with a long message"


def _equip_raw(machine: Machine, what: str, name: int, value: int) -> int:
    return machine.call(machine.layout.equip, machine.new_string(what), name, value)


def _equip(machine: Machine, what: str, name: int, value: int) -> int:
    try:
        return _equip_raw(machine, what, name, value)
    except GuestExceptionError as error:
        raise RuntimeError(
            f"the guest could not be equipped: {machine.text(error.value, _MAX_TOLD)}"
        ) from None
