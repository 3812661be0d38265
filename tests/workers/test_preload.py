"""A worker has everything in memory before its rights are gone: by its source, and by what it does then."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from runner.model.outcome import Decision
from runner.workers.child import late_imports
from runner.workers.parent.processes.process import WorkerProcess
from runner.workers.protocol.frames import encode
from tests.workers.pools import LivePool, javascript, python

TEXTS = {
    "latin": "Jürgen",
    "two-byte": "Ёлка",
    "three-byte": "日本",
    "astral": "\U0001f600\U00010348",
    "line separators": "\u2028\u2029",
    "private use": "\ue000\U000f0000",
    "noncharacter": "\ufffe\uffff",
}
LABELS = [
    *["utf-8", "utf-16le", "utf-16be", "windows-1252", "latin1", "iso-8859-2", "shift_jis", "gbk", "euc-kr"],
    *["koi8-r", "macintosh", "big5", "no-such-label"],
]


@pytest.mark.parametrize("language", ["javascript", "python"])
@pytest.mark.parametrize("text", [*TEXTS.values(), "\ud800"], ids=[*TEXTS, "lone surrogate"])
def test_text_of_every_plane_is_no_fault(live: LivePool, text: str, language: str) -> None:
    literal = json.dumps(text)
    lines = f"""
api.idToken.setCustomClaim("https://x.example/name", {literal});
api.cache.set({literal}, {literal});
console.log({literal});
api.access.deny({literal});
"""
    if language == "javascript":
        found = live.run(javascript(lines))
    else:
        literal = repr(text)
        lines = f"""
api.id_token.set_custom_claim("https://x.example/name", {literal})
api.cache.set({literal}, {literal})
print({literal})
api.access.deny({literal})
"""
        found = live.run(python(lines))
    right = text if text != "\ud800" else "\ufffd"
    assert found.decision is Decision.DENY, found.failure
    assert found.effects.denial is not None
    assert found.effects.denial.reason == right
    assert found.effects.id_token_claims == {"https://x.example/name": right}


def test_codecs_by_name_hosts_and_encodings_are_there(live: LivePool) -> None:
    body = f"""
for (const label of {json.dumps(LABELS)}) {{
  try {{ new TextDecoder(label).decode(new Uint8Array([0x41, 0xfc, 0xe9, 0x80])); }}
  catch (error) {{ if (!(error instanceof RangeError)) throw error; }}
}}
for (const name of ["utf8", "utf16le", "ucs2", "latin1", "ascii", "base64", "base64url", "hex"]) {{
  Buffer.from("Jürgen", name).toString(name);
}}
api.idToken.setCustomClaim("https://x.example/host", new URL("https://jürgen.example/ß?ß").href);
"""
    redirects = 'api.redirect.sendUserTo("https://jürgen.example/straße", { query: { name: "Jürgen" } });'
    sent = live.run(javascript(redirects))
    assert sent.effects.redirect is not None, sent.failure
    found = live.run(javascript(body))
    assert found.failure is None, found.failure
    assert found.effects.id_token_claims == {
        "https://x.example/host": "https://xn--jrgen-kva.example/%C3%9F?%C3%9F"
    }


LATE = """
import sys
from runner.workers.child import main as child
from runner.workers.child import worker_server

class Late(worker_server.WorkerServer):
    def handle(self, head, body):
        try:
            exec(head["do"])
        except Exception:
            pass

worker_server.WorkerServer = Late
child.main()
"""


@pytest.mark.parametrize(
    ("do", "told"),
    [
        ("import ftplib", "imports 'ftplib'"),
        ("import importlib; importlib.import_module('ftplib')", "imports 'ftplib'"),
        ("import encodings.no_such_codec", "imports 'encodings.no_such_codec'"),
        ("open('/etc/hostname')", "opens '/etc/hostname'"),
        ("import os; os.listdir('/')", "calls os.listdir of '/'"),
        ("import socket; socket.socket()", "calls socket.__new__ of"),
    ],
)
def test_what_comes_too_late_ends_a_watched_worker_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, do: str, told: str
) -> None:
    monkeypatch.setenv(late_imports.SETTING, str(tmp_path / "report"))

    async def provoke() -> WorkerProcess:
        lost = asyncio.Event()

        def received(message: object, _: bytes) -> None:
            if message.t == "ready":  # type: ignore[attr-defined]
                process.send(encode({"do": do}))

        process = WorkerProcess(("-I", "-c", LATE), received, lost.set)
        await process.start()
        await asyncio.wait_for(lost.wait(), 60)
        return process

    process = asyncio.run(provoke())
    assert process.exit_status == late_imports.TOO_LATE, process.told
    assert told in process.told
    assert told in (tmp_path / "report").read_text()


SCAN = Path(__file__).with_name("late_imports.py")
NOT_NEEDED = {
    "another system": {
        "_aix_support", "_ios_support", "_osx_support", "_winapi", "_winreg", "winreg", "nt", "java.lang",
        "vms_lib", "plistlib", "sys.getwindowsversion", "encodings.mbcs", "platformdirs._android",
        "platformdirs.android",
    },
    "a build of Python without OpenSSL": {"_md5", "_sha1", "_sha256", "_sha2", "_sha3"},
    "a command line or a terminal": {
        "argparse", "getopt", "doctest", "pydoc", "readline", "rlcompleter", "_tokenize", "rich.pretty",
        "_colorize", "_pyrepl", "_pyrepl.main", "_pyrepl.readline", "_pyrepl.unix_console",
    },
    "whoever builds extensions of Python": {"_sysconfig"},
    "the start of the interpreter": {"sitecustomize", "usercustomize"},
    "files": {"gzip", "py_compile"},
    "another process": {"concurrent.futures.process", "pickle"},
    "a debug mode": {"tracemalloc"},
    "a Python that is newer": {"annotationlib"},
    "version 1 of pydantic, and its reports of bugs": {"pydantic.v1", "pydantic._internal._git"},
    "a package that is not installed": {"email_validator"},
    "the parent's part": {
        "sandbox.egress.http.connect", "sandbox.egress.http.session", "sandbox.packages.npm.folder",
        "sandbox.packages.npm.registry", "packaging.ranges",
    },
}  # fmt: skip
"""What functions of loaded modules import, by who needs it: no worker that runs legs or builds."""


def test_no_function_of_a_loaded_module_imports_another_one() -> None:
    done = subprocess.run([sys.executable, str(SCAN)], capture_output=True, text=True, check=True)
    late: dict[str, list[str]] = json.loads(done.stdout)
    known = set().union(*NOT_NEEDED.values())
    assert {name: places for name, places in late.items() if name not in known} == {}
