"""`actionbox serve` as its own process, as an operator starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_SHOWN = {
    "url": r"^actionbox serves (\S+)",
    "ca": r"^  CA file   (\S+)",
    "client_id": r"client id      (\S+)",
    "client_secret": r"client secret  (\S+)",
    "token": r"token          (\S+)",
}


@dataclass
class Served:
    """A running service. What only the first start shows is "" afterwards."""

    process: subprocess.Popen[str]
    output: str
    errors: list[str] = field(default_factory=list)
    _reader: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        self.errors.extend(self.process.stderr or ())

    def _find(self, name: str) -> str:
        found = re.search(_SHOWN[name], self.output, re.MULTILINE)
        return found[1] if found else ""

    @property
    def url(self) -> str:
        return self._find("url")

    @property
    def domain(self) -> str:
        return self.url.partition("://")[2]

    @property
    def ca(self) -> str:
        return self._find("ca")

    @property
    def client_id(self) -> str:
        return self._find("client_id")

    @property
    def client_secret(self) -> str:
        return self._find("client_secret")

    @property
    def token(self) -> str:
        return self._find("token")

    def kill(self) -> None:
        """At once, as a power cut would."""
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        """Kill it and let go of its pipes."""
        self.kill()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def stop(self) -> None:
        """SIGTERM, and wait until it has stopped in good order."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        assert status in (0, -signal.SIGTERM)
        self._reader.join(10)
        assert any("Finished server process" in line for line in self.errors)


def start(folder: Path, *options: str, **environment: str) -> Served:
    """Start the service with its data in `folder`; returns when it says that it serves."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("actionbox")), "serve", "--port", "0", *options],
        env=_environment(folder) | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    served = Served(process, "")
    assert process.stdout is not None
    for line in process.stdout:
        served.output += line
        if line == "\n" and ("Try it" in served.output or "Tokens:" in served.output):
            return served
    served.close()
    raise AssertionError(f"the service did not start: {''.join(served.errors)}")


def _environment(folder: Path) -> dict[str, str]:
    """This process's, without what would lead to another database."""
    foreign = ("ACTIONBOX_", "DATABASE_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    if "ACTIONBOX_CACHE" in os.environ:
        kept["ACTIONBOX_CACHE"] = os.environ["ACTIONBOX_CACHE"]
    return kept | {"ACTIONBOX_DATA_DIR": str(folder), "ACTIONBOX_RATE_BURST": "10000"}


@contextmanager
def serving(folder: Path, *options: str, **environment: str) -> Iterator[Served]:
    """The service for the block."""
    served = start(folder, *options, **environment)
    try:
        yield served
    finally:
        served.close()
