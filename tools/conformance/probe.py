"""Runs the probes, in the guest and in a real Node."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sandbox
from sandbox.core.caps import Limits
from sandbox.core.program import JsonValue, Language, Request, Source
from sandbox.egress import EgressPolicy, HttpEgress
from sandbox.javascript.toolchain import node
from sandbox.port.interface import ApiReply
from sandbox.port.live import LivePort
from tools.conformance.server import serving

HERE: Final = Path(__file__).parent
RECORD: Final = HERE / "node.json"
_HANDLER: Final = "onExecute"
_SURFACE: Final = json.dumps({"tell": ["void", ["what", "value"]]})
_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one side.

    Attributes:
        version: of Node.
        members: name to kind, or to why it is refused.
        probes: `area | what` to what came of it.
    """

    version: str
    members: Mapping[str, str]
    probes: Mapping[str, str]


def of_guest() -> Answers:
    """The answers of this checkout's guest. Raises `AssertionError` when the probes themselves fail."""
    teller = _Teller()
    limits = Limits(wall_ms=_SECONDS * 1000, log_bytes=1 << 20)
    program = sandbox.build(Source(Language.JAVASCRIPT, "probes.js", _script()), limits)
    egress = HttpEgress(EgressPolicy(allow_private=True))
    with serving() as base:
        request = Request(_HANDLER, json.dumps({"base": base, "inherited": True}), _SURFACE)
        result = sandbox.run(program, request, limits, LivePort(teller, egress, limits))
    assert result.failure is None, result.failure
    return Answers(teller.told["version"], teller.told["members"], teller.told["probes"])


def of_node() -> Answers:
    """The answers of the Node that comes with us.

    Raises:
        CalledProcessError: it failed.
    """
    script = (
        _script()
        + f"""
const heard = {{ members: {{}}, probes: {{}} }};
const tell = (what, value) => {{
  heard[what] = typeof value === 'string' ? value : Object.assign(heard[what], value);
}};
setInterval(() => {{}}, 1000); // some timers of Node do not keep it alive
exports.{_HANDLER}({{ base: process.env.BASE }}, {{ tell }})
  .then(() => process.stdout.write(JSON.stringify(heard), () => process.exit()));
"""
    )
    with serving() as base:
        done = subprocess.run(  # noqa: S603 - a list, no shell
            [str(node()), "--no-warnings", "-"],
            input=script.encode(),
            env={"BASE": base, "TZ": "UTC"},
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    told = json.loads(done.stdout)
    return Answers(told["version"], told["members"], told["probes"])


def recorded() -> Answers:
    """Node's answers when `record` was called last."""
    return Answers(**json.loads(RECORD.read_text(encoding="utf-8")))


def record() -> None:
    """Ask Node, and keep what it says."""
    answers = of_node()
    members = dict(sorted(answers.members.items()))
    kept = {"version": answers.version, "members": members, "probes": dict(answers.probes)}
    RECORD.write_text(json.dumps(kept, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


class _Teller:
    """The api of the probes."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {"members": {}, "probes": {}, "version": ""}

    def call(self, path: str, arguments: list[JsonValue]) -> ApiReply:
        del path
        what, value = arguments
        assert isinstance(what, str)
        if isinstance(value, dict):
            self.told[what].update(value)
        else:
            self.told[what] = value
        return {"recorded": True}


def _script() -> str:
    """One CommonJS source for both sides."""
    sets = "\n".join(
        f"(function (exports) {{\n{path.read_text(encoding='utf-8')}\n}})(sets);"
        for path in sorted((HERE / "probes").glob("*.js"))
    )
    return f"""{(HERE / "walk.js").read_text(encoding="utf-8")}
{(HERE / "harness.js").read_text(encoding="utf-8")}
exports.{_HANDLER} = async (event, api) => {{
  const sets = {{}};
  {sets}
  api.tell('version', process.version);
  const tellAll = (what, found) => {{
    const all = Object.entries(found);
    for (let at = 0; at < all.length; at += 200) api.tell(what, Object.fromEntries(all.slice(at, at + 200)));
  }};
  tellAll('members', walk(require, event.inherited));
  tellAll('probes', await answers(sets, event));
}};
"""
