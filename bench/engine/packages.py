"""The cost of npm packages, signatures and requests in JavaScript Actions, against the trivial one."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import sandbox
from bench.engine.latency import TRIVIAL, RecordingApi, request
from bench.measure import timed
from bench.report import Figure, Report
from runner.project.dependencies import make_origin
from sandbox.action_build import Wanted, build_action
from sandbox.core.caps import Limits
from sandbox.core.program import Language, Program, Source
from sandbox.egress import Egress, EgressPolicy, HttpEgress, NoEgress
from sandbox.port.live import LivePort
from sandbox.wasm.artefacts import cache_directory

_RUNS: Final = 200
_SIGNATURES: Final = 20
_VERSIONS: Final = {"axios": "1.21.1", "lodash": "4.18.1", "jsonwebtoken": "9.0.3", "jose": "6.2.18"}
_KEPT: Final = (
    "artefact.key",
    "javascript-image-",
    "javascript-engine-",
    "javascript-prelude-",
    "javascript-packages-",
    "javascript-locales-",
)
"""What a build finds ready on a machine that has run before: the guest, and no package."""


class BuildFailedError(Exception):
    """The packages cannot be had; the text says why."""


def measured() -> Report:
    """All rows, measured now."""
    rows = Report("npm packages, signatures, requests (JavaScript)", ("what",), ("measured", "target"))
    for name, measure, target in (
        ("require of axios and lodash, beyond the trivial Action, p50", _require, "<= 3 ms p50"),
        ("RS256 sign and verify, jsonwebtoken", lambda: _signature(_JSONWEBTOKEN, "jsonwebtoken"), "<= 5 ms"),
        ("RS256 sign and verify, jose", lambda: _signature(_JOSE, "jose"), "<= 5 ms"),
        ("RS256 sign and verify, crypto.createSign", lambda: _signature(_CRYPTO), "<= 5 ms"),
        ("build with axios, nothing of it cached", _build_seconds, "<= 10 s"),
        ("three concurrent fetches of 100 ms", _fetches, "<= 150 ms"),
    ):
        try:
            rows.add(name, measure(), target)
        except BuildFailedError as error:
            print(f"{name}: {error}", file=sys.stderr)
            rows.leave_out(name, why="its packages could not be had, see above")
    return rows


def _program(text: str, *packages: str) -> Program:
    wanted = [Wanted(name, _VERSIONS[name]) for name in packages]
    build = build_action(Source(Language.JAVASCRIPT, "bench.js", text), wanted, origin=make_origin)
    if build.program is None:
        raise BuildFailedError(build.failure.message if build.failure else "the build failed")
    return build.program


def _runner(program: Program, egress: Egress | None = None) -> Callable[[], None]:
    limits, what = Limits(), request()

    def once() -> None:
        port = LivePort(RecordingApi(), egress or NoEgress(), limits)
        result = sandbox.run(program, what, limits, port)
        assert result.failure is None, result.failure

    return once


def _require() -> Figure:
    trivial = TRIVIAL[Language.JAVASCRIPT]
    plain = timed(_runner(_program(trivial)), _RUNS)
    text = f"const axios = require('axios'); const _ = require('lodash');\n{trivial}"
    loaded = timed(_runner(_program(text, "axios", "lodash")), _RUNS)
    return Figure(loaded.p50 - plain.p50, "ms", 2)


_JSONWEBTOKEN: Final = """
const jwt = require('jsonwebtoken'); const token = jwt.sign({ a: 1 }, KEY, { algorithm: 'RS256' });
if (jwt.verify(token, PUBLIC, { algorithms: ['RS256'] }).a !== 1) throw new Error('wrong');
"""
_JOSE: Final = """
const jose = require('jose');
const unsigned = new jose.SignJWT({ a: 1 }).setProtectedHeader({ alg: 'RS256' });
const token = await unsigned.sign(await jose.importPKCS8(KEY, 'RS256'));
const { payload } = await jose.jwtVerify(token, await jose.importSPKI(PUBLIC, 'RS256'));
if (payload.a !== 1) throw new Error('wrong');
"""
_CRYPTO: Final = """
const crypto = require('crypto'); const made = crypto.createSign('RSA-SHA256').update('text').sign(KEY);
if (!crypto.createVerify('RSA-SHA256').update('text').verify(PUBLIC, made)) throw new Error('wrong');
"""


def _signature(body: str, *packages: str) -> Figure:
    """One signature and its verification: what many in one execution take, less an execution without any."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = (
        f"const KEY = `{private.decode()}`, PUBLIC = `{public.decode()}`;\n"
        "exports.onExecutePostLogin = async () => {\n"
        f"for (let round = 0; round < ROUNDS; round += 1) {{ {body} }}\n}};"
    )
    many, none = (
        timed(_runner(_program(text.replace("ROUNDS", str(count)), *packages)), 30, warm_up=3)
        for count in (_SIGNATURES, 0)
    )
    return Figure((many.p50 - none.p50) / _SIGNATURES, "ms", 2)


def _build_seconds() -> Figure:
    with _fresh_cache():
        start = time.perf_counter()
        _program("const axios = require('axios');\n" + TRIVIAL[Language.JAVASCRIPT], "axios")
        return Figure(time.perf_counter() - start, "s")


@contextmanager
def _fresh_cache() -> Iterator[None]:
    """A cache with the guest and nothing else."""
    usual, before = cache_directory(), os.environ.get("ACTIONBOX_CACHE")
    with tempfile.TemporaryDirectory(prefix="actionbox-bench-") as folder:
        for path in usual.iterdir():
            if not path.name.startswith(_KEPT):
                continue
            if path.is_dir():
                (Path(folder) / path.name).symlink_to(path)
            else:
                shutil.copy2(path, folder)
        os.environ["ACTIONBOX_CACHE"] = folder
        try:
            yield
        finally:
            os.environ.pop("ACTIONBOX_CACHE")
            if before is not None:
                os.environ["ACTIONBOX_CACHE"] = before


def _fetches() -> Figure:
    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(0.1)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        text = (
            f"const url = 'http://127.0.0.1:{server.server_address[1]}/';\n"
            "exports.onExecutePostLogin = () => Promise.all([fetch(url), fetch(url), fetch(url)]);"
        )
        egress = HttpEgress(EgressPolicy(allow_private=True))
        return Figure(timed(_runner(_program(text), egress), 20, warm_up=3).p50, "ms", 0)
    finally:
        server.shutdown()
        server.server_close()
