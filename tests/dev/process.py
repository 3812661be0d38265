"""A real `actionbox dev` over a folder, and a browser's session with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.console.browser import Browser

_LINK = re.compile(r"http://localhost:\d+/console#link=(\S+)")
PATIENCE = 300.0


@dataclass(kw_only=True)
class Dev(Browser):
    """The process, and a browser with it. `said`: its standard output so far."""

    folder: Path
    link: str
    said: Callable[[], str]

    def use_link(self) -> None:
        """Sign in, as the console's page does with the link."""
        reply = self.call("POST", "/console/api/sign-in/link", {"token": self.link.partition("=")[2]})
        assert reply.status == 200, reply

    def get(self, path: str) -> Any:
        reply = self.call("GET", path)
        assert reply.status == 200, reply
        return reply.json

    def post(self, path: str, body: Any) -> Any:
        reply = self.call("POST", path, body)
        assert reply.status in (200, 201), reply
        return reply.json

    def until(self, good: Callable[[Any], bool]) -> Any:
        """The folder, once it is so."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.get("/console/api/dev")
            if good(found):
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.1)

    def action(self, name: str) -> tuple[dict[str, Any], str]:
        """The Action of this name, with its entity tag."""
        found = next(item for item in self.get("/console/api/dev")["actions"] if item["name"] == name)
        reply = self.call("GET", f"/api/v2/actions/actions/{found['id']}")
        assert reply.status == 200, reply
        return reply.json, reply.headers["etag"]


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Dev]:
    """`actionbox dev FOLDER` for the block."""
    output = folder.parent / "dev.out"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ACTIONBOX_")}
    environment |= {name: value for name, value in os.environ.items() if name == "ACTIONBOX_CACHE"}
    with output.open("w") as file:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("actionbox")), "dev", str(folder), *options],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while (found := _LINK.search(output.read_text())) is None:
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.1)
        parts = urlsplit(found[0])
        yield Dev(url=f"http://127.0.0.1:{parts.port}", folder=folder, link=found[0], said=output.read_text)
    finally:
        process.terminate()
        assert process.wait(60) == 0, output.read_text()
