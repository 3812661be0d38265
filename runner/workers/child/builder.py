"""Makes the image of one set of packages and modules, in a process of its own (see `images`)."""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable
from typing import Any, Final

import sandbox
from runner.workers.protocol.channel import Link
from runner.workers.protocol.codec import failure_bytes, read_dependencies
from sandbox.core.failure import BuildError, internal_failure
from sandbox.core.json_text import well_formed
from sandbox.core.program import Language, Source
from sandbox.javascript.building.confined import Finished, ToolTimeoutError

_EMPTY: Final = "module.exports = {};"
"""The tenant's own source is not given to a builder: it could then not be trusted with the image."""


class Asking:
    """Questions to the parent that both kinds of workers ask while they compile."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def compiled(self, filename: str, text: str) -> Finished:
        """A `sandbox.javascript.building.transpile.Run`: the parent starts the bundler, a process."""
        head = {"t": "transpile", "filename": well_formed(filename[-200:])}
        answer, body = self._link.ask(head, text.encode("utf-8", "surrogatepass"))
        found = answer["ok"]
        if found is None:
            raise ToolTimeoutError
        stderr = base64.b64decode(found["stderr"])
        return Finished(ok=found["done"], stdout=body, stderr=stderr, exhausted=found["exhausted"])


class ImageBuilder(Asking):
    """Answers one message, `equip`."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._image = b""

    def image(self, name: str, key: str, build: Callable[[], bytes]) -> bytes:  # noqa: ARG002 - a `Supply`
        """Make the image, here and now."""
        self._image = build()
        return self._image

    def handle(self, head: dict[str, Any], body: bytes) -> None:
        """Make the image; in a thread, because modules in TypeScript are compiled by the parent."""
        if head["t"] == "answer":
            self._link.answered(head, body)
        elif head["t"] == "equip":
            threading.Thread(target=self._equip, args=(body,), name="actionbox-builder", daemon=True).start()

    def _equip(self, body: bytes) -> None:
        dependencies = read_dependencies(body)
        source = Source(Language.JAVASCRIPT, f"{secrets.token_hex(4)}.js", _EMPTY, dependencies)
        try:
            sandbox.build(source)
        except BuildError as error:
            failure = error.failure
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - the parent waits for an answer
            failure = internal_failure("builder", error)
        else:
            self._link.send({"t": "image_made", "id": 0, "ok": True}, self._image)
            return
        self._link.send({"t": "image_made", "id": 0, "ok": False}, failure_bytes(failure))
