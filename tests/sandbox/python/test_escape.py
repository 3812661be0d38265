"""Attempts to leave the sandbox, with the policy and without it. The host's own oracles decide.

The policy is depth: each attempt must come to nothing when it is off and the whole of CPython
in the instance belongs to the tenant (threat-model E8).
"""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.core.caps import Limits
from sandbox.core.failure import BuildError, FailureCode
from sandbox.result import ExecutionResult
from tests.sandbox.ports import FakeApi
from tests.sandbox.python.actions import Runner

LIMITS = Limits(wall_ms=60_000)


@pytest.fixture(params=["restricted", "unrestricted"])
def held(request: pytest.FixtureRequest, runner: Runner, open_runner: Runner) -> Runner:
    """The sandbox with the policy, and without it."""
    return runner if request.param == "restricted" else open_runner


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[str]:
    """A secret that stands in a file, in the environment and behind a listening socket of the host."""
    word = "canary-" + secrets.token_hex(12)
    (tmp_path / "secret").write_text(word)
    os.environ["SANDBOX_CANARY"] = word
    yield word
    del os.environ["SANDBOX_CANARY"]


def attempt(held: Runner, source: str) -> str:
    """Everything that comes out of an attempt, whatever became of it."""
    try:
        result = held.run(source, limits=LIMITS)
    except BuildError as error:
        return repr(error.failure)
    return repr((result.failure, result.logs, result.commands, result.journal))


def source(body: str) -> str:
    return f"{body}\ndef on_execute_post_login(event, api): pass\n"


WALK = """
seen, found = set(), []
def walk(value, depth):
    if id(value) in seen or depth > 6 or len(seen) > 20_000: return
    seen.add(id(value))
    if isinstance(value, str) and "canary" in value: found.append(value)
    if isinstance(value, dict):
        for key, item in list(value.items()): walk(item, depth + 1)
    elif isinstance(value, (list, tuple, set)):
        for item in list(value): walk(item, depth + 1)
    else:
        for name in dir(value):
            try: walk(getattr(value, name), depth + 1)
            except Exception: pass
"""


@pytest.mark.parametrize(
    "body",
    [
        "print(open('{path}').read())",
        "import os\nprint(os.environ, os.getcwd(), os.listdir('/'), os.listdir('.'))",
        "import os\nprint(open(os.path.join('{folder}', 'secret')).read())",
        "import io\nprint(io.open('{path}').read())",
        "import pathlib\nprint(pathlib.Path('{path}').read_text())",
        "import os\nfor n in range(64):\n    try: print(os.read(n, 100))\n    except OSError: pass",
        "import os\nfor n in range(64):\n    try: print(os.fstat(n), os.listdir(n))\n    except OSError: pass",
        "import os\nos.symlink('{path}', 'x'); print(open('x').read())",
        "import importlib.util, sys\nprint(importlib.util.spec_from_file_location('x', '{path}').loader.get_data('{path}'))",
        "import linecache\nprint(linecache.getlines('{path}'))",
        "print([c for c in ().__class__.__base__.__subclasses__() if 'Loader' in c.__name__][0]('a', '{path}').get_data('{path}'))",
        "print((lambda: 0).__globals__['__builtins__']['open']('{path}').read())",
        "def g():\n    yield\nprint(g().gi_frame.f_back, g().gi_frame.f_builtins['open']('{path}').read())",
        "try: 1/0\nexcept Exception as e: print(e.__traceback__.tb_frame.f_back.f_globals)",
        "print('{{0.__class__.__base__.__subclasses__}}'.format(()))",
        WALK + "walk(__builtins__ if False else print, 0)\nprint(found)",
        "import gc\nprint([o for o in gc.get_objects() if isinstance(o, str) and 'canary' in o])",
        "import sys\nprint([sys.modules[m] for m in sys.modules], sys.path, sys.argv, sys.executable, sys.platform)",
        "import ctypes\nprint(ctypes.string_at(0, 1000))",
        "import _testcapi",
        "import os\nprint(os.popen('cat {path}').read())",
        "import subprocess\nprint(subprocess.run(['cat', '{path}'], capture_output=True))",
        "import os\nos.system('cat {path}')",
        "import os\nprint(os.getpid(), os.getuid(), os.uname())",
        "import posix\nprint(posix.environ)",
        "import resource, pwd",
        "import zipimport\nprint(zipimport.zipimporter('{path}'))",
        "exec('print(open(\"{path}\").read())')",
        "eval('__import__(\"os\").environ')",
        "print(__import__('os').environ)",
        "print(__loader__, __spec__, __file__)",
        "import wit_world.imports.host as h\nprint(h.call('read', '{path}'), h.call('env', ''), h.start('open', '{path}'))",
    ],
)
def test_files_environment_and_memory_of_the_host(
    held: Runner, canary: str, tmp_path: Path, body: str
) -> None:
    text = body.replace("{path}", str(tmp_path / "secret")).replace("{folder}", str(tmp_path))
    assert canary not in attempt(held, source(text.replace("{{", "{").replace("}}", "}")))


@pytest.mark.parametrize(
    "body",
    [
        "import os\nopen('{folder}/made', 'w').write('x')",
        "import os\nos.mkdir('{folder}/made')",
        "import os\nos.rename('{folder}/secret', '{folder}/made')",
        "import os\nos.remove('{folder}/secret')",
        "import os\nfd = os.open('{folder}/made', os.O_CREAT | os.O_WRONLY)\nos.write(fd, b'x')",
        "import sqlite3\nsqlite3.connect('{folder}/made')",
        "import tempfile\ntempfile.mkdtemp(dir='{folder}')",
        "import logging as l\nl.FileHandler('{folder}/made')",
        "import shelve\nshelve.open('{folder}/made')",
    ],
)
def test_nothing_is_written(held: Runner, tmp_path: Path, body: str) -> None:
    (tmp_path / "secret").write_text("kept")
    attempt(held, source(body.replace("{folder}", str(tmp_path))))
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert (tmp_path / "secret").read_text() == "kept"


@pytest.mark.parametrize(
    "body",
    [
        "import socket\ns = socket.socket()\ns.connect(('127.0.0.1', {port}))\ns.send(b'x')",
        "import socket\nprint(socket.create_connection(('127.0.0.1', {port})))",
        "import socket\nprint(socket.getaddrinfo('localhost', {port}))",
        "import urllib.request\nprint(urllib.request.urlopen('http://127.0.0.1:{port}/').read())",
        "import http.client\nc = http.client.HTTPConnection('127.0.0.1', {port})\nc.request('GET', '/')",
        "import asyncio\nasync def f(): await asyncio.open_connection('127.0.0.1', {port})\nasyncio.run(f())",
        "import _socket\ns = _socket.socket()\ns.connect(('127.0.0.1', {port}))",
        "print(http.get('http://127.0.0.1:{port}/').text)",
    ],
)
def test_no_sockets(held: Runner, body: str) -> None:
    """A listening socket of the host sees no connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        attempt(held, source(body.replace("{port}", str(server.getsockname()[1]))))
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("import os\nos.abort()", ()),
        ("import os\nos._exit(0)", ("wasi:cli/exit",)),
        ("import sys\nsys.exit(0)", ()),
        ("import sys\nsys.__stdout__.write('x' * 100_000)\nsys.__stdout__.flush()", ("wasi:cli/stdout",)),
        ("import socket\nsocket.socket()", ("wasi:sockets",)),
        ("import sys\nprint(sys.__stdin__.read())", ("wasi:cli/stdin",)),
        ("import time\ntime.get_clock_info('process_time')\ntime.process_time()", ()),
        ("import threading\nthreading.Thread(target=print).start()", ()),
        ("import signal\nsignal.raise_signal(9)", ()),
        ("import faulthandler\nfaulthandler._sigsegv()", ()),
        ("import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()", ()),
    ],
)
def test_calls_that_the_sandbox_does_not_have(open_runner: Runner, body: str, names: tuple[str, ...]) -> None:
    """Without the policy: each ends this execution in a typed failure, and only this one."""
    result = open_runner.run(source(body), limits=LIMITS)
    if result.failure is not None:
        assert result.failure.code is not FailureCode.INTERNAL, result.failure
        assert all(name in result.failure.message for name in names), result.failure
    assert open_runner.printed("print('next')") == ["next"]


FORGED = """
import wit_world.imports.host as host
def on_execute_post_login(event, api):
    for operation, argument in [
        ("api.access.deny", '["forged"]'), ("api.nope.nothing", "[]"), ("api.", "[]"), ("api.access.deny", "{"),
        ("api.access.deny", "[" * 100_000), ("api.access.deny", '[NaN]'), ("api." + "x" * 5_000, "[]"),
        ("log.info", "forged"), ("log.nope", "x"), ("log", "x"), ("random", "-1"), ("random", "x"), ("random", "9" * 50),
        ("random", "\\u0663"), ("cancel", "-5"), ("cancel", "x"), ("", ""), ("\\0", "\\0"), ("commit", "[]"), ("end", ""),
    ]:
        host.call(operation, argument)
    for handles, limit in [("1,2,x,-1,,99999999999999", 0), ("," * 100_000, 0), ("", 0), ("1", -1), ("0", 1)]:
        host.wait_any(handles, limit)
    host.start("nope", "x"), host.start("fetch", "{"), host.start("fetch", "[" * 100_000), host.start("x" * 9_000, "")
"""


def test_forged_host_calls(open_runner: Runner) -> None:
    """The host checks every argument itself: what it does not know comes to nothing."""
    forged: dict[str, Any] = {path: {"forged": True} for path in ("nope__nothing", "")}
    known = FakeApi(**forged)
    result = open_runner.run(FORGED, api=known, limits=LIMITS)
    assert result.failure is None, result.failure
    assert [(command.path, command.arguments) for command in result.commands] == [("access.deny", ["forged"])]
    assert [line.text for line in result.logs] == ["forged"]


def test_unknown_paths_reach_the_api_and_are_refused_there(open_runner: Runner) -> None:
    lines = "import wit_world.imports.host as host\nprint(host.call('api.other.trigger', '[]'))"
    api = FakeApi(other__trigger={"forged": True})
    assert open_runner.printed(lines, api=api) == [
        '{"error":{"name":"TypeError","message":"There is no such api member"}}'
    ]


@pytest.mark.parametrize(
    "body",
    [
        "import actionbox.execution as e\ne.OK = '{\"ok\":true}'\nraise ValueError('x')",
        "import actionbox.execution as e\ne._execute = lambda *a: '{\"ok\":false}'",
        'import actionbox.failures as f\nf.describe = lambda e: \'{"failure":{"code":"nope","frames":[[1,2],[3]],"line":-1}}\'\nraise ValueError',
        "import actionbox.failures as f\nf.describe = lambda e: '[' * 100_000\nraise ValueError",
        "import actionbox.failures as f\nf.describe = lambda e: 'x' * 20_000_000\nraise ValueError",
        "import actionbox.failures as f\nf.describe = lambda e: 5\nraise ValueError",
        'import actionbox.failures as f\nf.describe = lambda e: \'{"failure":{"code":"throw","message":5,"causes":[{}],"names":3}}\'\nraise ValueError',
        "import json\njson.dumps = lambda *a, **k: '{}'\nraise ValueError",
        'import actionbox.failures as f\nf.describe = lambda e: \'{"failure":{"code":"throw","frames":[["f",99999999999,1e400]]}}\'\nraise ValueError',
        'import actionbox.failures as f\nf.describe = lambda e: \'{"ok": true, "ok": 1}\'\nraise ValueError',
    ],
)
def test_forged_answers(open_runner: Runner, body: str) -> None:
    """Whatever an instance answers, the host makes a typed failure of it or takes it for its own tenant's success."""
    result = open_runner.run(body, limits=LIMITS)
    assert isinstance(result, ExecutionResult)
    assert result.failure is None or result.failure.message
    assert open_runner.printed("print('next')") == ["next"]


OVERRIDES = """
import builtins, json, asyncio
class Evil:
    def __getattr__(self, name): raise SystemExit(0)
for name in dir(builtins):
    if name[0] != "_" and name not in ("setattr", "dir", "builtins"):
        setattr(builtins, name, Evil())
json.loads = json.dumps = asyncio.Task = Evil()
import actionbox.surface as s, actionbox.records as r, actionbox.encoder as e
s.encode = r.parse = e.encode = Evil()
def on_execute_post_login(event, api): pass
"""


def test_overridden_builtins_harm_only_their_own_execution(open_runner: Runner) -> None:
    result = open_runner.run(OVERRIDES, limits=LIMITS)
    assert result.failure is not None
    assert open_runner.printed("print(len([1]))") == ["1"]


def test_a_deny_stays_a_deny(runner: Runner) -> None:
    """The host has recorded the command when the call returns; nothing afterwards takes it back."""
    lines = """
        api.access.deny("real")
        try:
            api.access.deny = lambda reason: None
        except AttributeError as error:
            print(error)
        api.access.deny("again")
    """
    result = runner.body(lines)
    assert [command.arguments for command in result.commands] == [["real"], ["again"]]
    assert [line.text for line in result.logs] == ["api.access.deny cannot be replaced"]
