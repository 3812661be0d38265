"""The build tool that reads tenants' text is bounded, and touches nothing that the text names."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from sandbox.core.caps import MIB
from sandbox.core.failure import BuildError, FailureCode
from sandbox.core.priority import LOW_NICE
from sandbox.javascript.building.bundle import required_names
from sandbox.javascript.building.confined import Bounds, Finished, ToolTimeoutError, run_confined
from tests.sandbox.javascript.conftest import compiled

BOUNDS = Bounds(seconds=5.0, memory_bytes=256 * MIB, output_bytes=1 * MIB)


def python(code: str, text: bytes = b"", bounds: Bounds = BOUNDS, **options: str) -> Finished:
    # The tool starts on its first byte of input, as the bundler does: then its limits are in place.
    waits = f"import sys\ngiven = sys.stdin.buffer.read()\n{code}"
    return run_confined([sys.executable, "-I", "-S", "-c", waits], text, bounds, **options)  # type: ignore[arg-type]


def test_a_tool_reads_its_input_and_is_read() -> None:
    done = python("sys.stdout.write(given.decode() * 2); sys.stderr.write('told')", b"ab")
    assert (done.ok, done.exhausted, done.stdout, done.stderr) == (True, False, b"abab", b"told")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
def test_a_tool_gives_way_to_everything_else() -> None:
    done = python("import os; print(os.getpriority(os.PRIO_PROCESS, 0))")
    assert done.stdout.decode().strip() == str(LOW_NICE)


def test_a_tool_that_fails_says_so() -> None:
    done = python("sys.exit('wrong')")
    assert (done.ok, done.exhausted, done.stderr) == (False, False, b"wrong\n")


def test_time_is_bounded() -> None:
    with pytest.raises(ToolTimeoutError):
        python("while True: pass", bounds=Bounds(0.3, 256 * MIB, MIB))


def test_a_tool_that_reads_nothing_and_hangs_is_ended() -> None:
    with pytest.raises(ToolTimeoutError):
        run_confined(["/bin/sleep", "30"], b"x" * 10**6, Bounds(0.3, 256 * MIB, MIB))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can limit another process")
@pytest.mark.parametrize(
    "code",
    [
        "sys.stdout.write('x' * 2_000_000)",
        "sys.stderr.write('x' * 2_000_000)",
        "open('f', 'w').write('x' * 2_000_000)",
    ],
)
def test_output_is_bounded(code: str, tmp_path: Path) -> None:
    done = python(code, folder=str(tmp_path))
    assert not done.ok
    assert max(len(done.stdout), len(done.stderr)) <= BOUNDS.output_bytes + 1
    assert all(file.stat().st_size <= BOUNDS.output_bytes for file in tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can limit another process")
def test_memory_is_bounded() -> None:
    done = python("import array\nkept = bytearray(300 * 2**20)\nprint('had it')")
    assert (done.ok, done.stdout) == (False, b"")


def test_nothing_of_ours_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTIONBOX_KEY", "hidden")
    done = python("import posix\nprint(posix.environ, posix.getcwd())")
    assert b"hidden" not in done.stdout
    assert done.stdout.rstrip().endswith(b" /")


BOMBS = {
    "arrows": "let x = " + "a=>" * 30_000 + "1",
    "functions": "function a(){" * 7_000 + "}" * 7_000,
    "decorators": "class A{" + "@a b;" * 18_000 + "}",
    "braces": "{" * 99_000,
    "types": "type A = " + "B<" * 30_000 + "1" + ">" * 30_000,
    "union": "type A = " + "|a" * 45_000,
    "objects": "let x = " + "{a:" * 20_000 + "1" + "}" * 20_000,
    "arrays": "let x = " + "[" * 40_000 + "]" * 40_000,
    "templates": "let x = " + "`${" * 12_000 + "1" + "}`" * 12_000,
    "same name": "let x = 1;\n" * 8_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_typescript_bombs_are_programs_or_typed_failures(name: str) -> None:
    try:
        compiled(BOMBS[name] + "\nexport const onExecutePostLogin = () => {};", "bomb.ts")
    except BuildError as error:
        allowed = {FailureCode.SYNTAX, FailureCode.TIMEOUT, FailureCode.MEMORY}
        assert error.failure.code in allowed, error.failure  # noqa: PT017 - either end is right


def test_sources_name_files_that_nobody_opens(tmp_path: Path) -> None:
    """A named pipe tells whether somebody opened it; reading a device would never end."""
    pipe = tmp_path / "pipe.js"
    os.mkfifo(pipe)
    opened = threading.Event()

    def wait() -> None:
        os.close(os.open(pipe, os.O_WRONLY))
        opened.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    text = f"require({str(pipe)!r}); require('/dev/zero'); require('lodash/fp'); import('actions:own');"
    for filename in ("action.js", "action.ts", "action.mjs"):
        assert required_names(text, filename) == {"lodash", "actions:own"}
    compiled(f"import x from {str(pipe)!r};\nexport const a = x;", "action.ts")
    assert not opened.is_set()
    os.close(os.open(pipe, os.O_RDONLY))  # lets the thread go
    waiting.join(5)


def test_a_broken_bundler_is_our_fault_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "esbuild"
    broken.write_text(f"#!/bin/sh\ncat > /dev/null\necho panic in {tmp_path} >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr("sandbox.javascript.toolchain.esbuild", lambda: broken)
    with pytest.raises(BuildError) as caught:
        compiled("export const a = 1", "action.ts")
    assert caught.value.failure.code is FailureCode.INTERNAL
    assert str(tmp_path) not in str(caught.value.failure)


def test_a_bundler_that_crashes_on_a_source_is_a_failure_of_the_source(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    crashing = tmp_path / "esbuild"
    crashing.write_text("#!/bin/sh\ncat > /dev/null\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    monkeypatch.setattr("sandbox.javascript.toolchain.esbuild", lambda: crashing)
    with pytest.raises(BuildError) as caught:
        compiled("export const a = 1", "action.ts")
    assert caught.value.failure.code is FailureCode.MEMORY
