"""Traps of guests do not depend on who handles signals in the host process."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

TRAPPING = {
    "javascript": ("trap.js", "(" * 50_000),
    "python": ("trap.py", "x = " + "(" * 3_000),
}


@pytest.mark.parametrize("language", TRAPPING)
def test_a_trap_survives_a_signal_handler_that_came_after_the_engine(language: str) -> None:
    filename, text = TRAPPING[language]
    script = dedent(f"""
        import faulthandler
        import sandbox

        engine = sandbox.open_engine(sandbox.Language({language!r}))
        faulthandler.enable()
        try:
            sandbox.build(sandbox.Source(engine.language, {filename!r}, {text!r}))
        except sandbox.BuildError as error:
            print(error.failure.code.value)
    """)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.strip() in {"syntax", "stack", "memory", "policy"}


def test_a_python_trap_at_run_time_survives_it_too() -> None:
    script = dedent("""
        import faulthandler, json
        import sandbox
        from sandbox.egress import NoEgress
        from sandbox.port.live import LivePort

        class Api:
            def call(self, path, arguments):
                return {}

        limits = sandbox.Limits(wall_ms=500)
        for language, name, text in (
            ("python", "a.py", "def on_execute_post_login(event, api):\\n    while True: pass\\n"),
            ("javascript", "a.js", "exports.onExecutePostLogin = () => { for (;;); };"),
        ):
            source = sandbox.Source(sandbox.Language(language), name, text)
            program = sandbox.build(source)
            faulthandler.enable()
            request = sandbox.Request("onExecutePostLogin", "{}", "{}")
            result = sandbox.run(program, request, limits, LivePort(Api(), NoEgress(), limits))
            print(result.failure.code.value)
    """)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.split() == ["timeout", "timeout"]
