"""Loads the packages and modules of an Action version into the guest before its image is frozen.

Packages run their top level here, once. One that draws random numbers, logs, asks for the network or leaves
a timer behind while it loads is left to be loaded afresh in every execution: a snapshot must not hold a seed
(design section 1). Clocks read 0 meanwhile, as if the package had been loaded long ago: on Auth0, too, an
instance is older than the execution. (lodash reads the clock fifty times while it loads.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sandbox.caps import KIB
from sandbox.javascript.machine import UNDEFINED, GuestExceptionError, Machine, number
from sandbox.javascript.silence import Silence

_MAX_TOLD: Final = 2 * KIB
_BUNDLE_NAME: Final = "actionbox:packages"
_MAX_REASON: Final = 200

Entry = tuple[str, str]
"""Scope and specifier."""


_DRAWS: Final = "draws random numbers"


class Watch(Silence):
    """Notes what was asked of the world, if anything."""

    def __init__(self) -> None:
        self.asked = ""

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


class Packages:
    """Implements `sandbox.javascript.boot.Equipment`.

    Args:
        script: the bundle, or empty.
        entries: what to load.
        modules: name and bytecode of each shared module.

    Attributes:
        fresh: entries that are loaded in every execution, with what they do while they load.
    """

    def __init__(self, script: str, entries: Sequence[Entry], modules: Sequence[tuple[str, bytes]]) -> None:
        self._script = script
        self._entries = entries
        self._modules = modules
        self._code = b""
        self._port = Watch()
        self.fresh: dict[Entry, str] = {}

    def compile(self, compile_script: Callable[[str, str], bytes]) -> None:
        """See `Equipment.compile`."""
        if self._script:
            self._code = compile_script(self._script, _BUNDLE_NAME)

    def make_port(self) -> Watch:
        """See `Equipment.make_port`."""
        self._port = Watch()
        return self._port

    def install(self, machine: Machine) -> bool:
        """See `Equipment.install`."""
        _equip(machine, "action", UNDEFINED, UNDEFINED)
        if self._code:
            _equip(machine, "bundle", UNDEFINED, machine.run_bytecode(self._code))
        for name, code in self._modules:
            _equip(machine, "module", machine.new_string(name), machine.run_bytecode(code))
        loaded = [self._load(machine, entry) for entry in self._entries if entry not in self.fresh]
        return all(loaded)

    def _load(self, machine: Machine, entry: Entry) -> bool:
        """Load one entry. False when it has to stay out of the snapshot."""
        self._port.asked = ""
        seed = machine.memory.read(machine.layout.random_state, 8, 8)
        scope, specifier = entry
        answer = _equip(machine, "load", machine.new_string(scope), machine.new_string(specifier))
        while machine.run_job():
            pass
        problem = machine.text(answer, _MAX_TOLD) if machine.is_string(answer) else ""
        reason = (
            f"fails ({problem.splitlines()[0][:_MAX_REASON]})" if problem else self._reason(machine, seed)
        )
        if not reason:
            return True
        self.fresh[entry] = reason
        return False

    def _reason(self, machine: Machine, seed: bytes) -> str:
        """What the entry did that no snapshot may hold; empty for nothing."""
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


def _equip(machine: Machine, what: str, name: int, value: int) -> int:
    try:
        return machine.call(machine.layout.equip, machine.new_string(what), name, value)
    except GuestExceptionError as error:
        raise RuntimeError(
            f"the guest could not be equipped: {machine.text(error.value, _MAX_TOLD)}"
        ) from None
