"""What Actions print."""

from __future__ import annotations

from sandbox.core.caps import MAX_LOG_LINE_BYTES
from tests.sandbox.python.actions import Runner


def test_order_and_levels(runner: Runner) -> None:
    lines = """
        import logging
        print("a", 1, None, sep="-")
        console.info("b")
        console.warn("c", [1])
        console.error("d")
        console.debug("e")
        console.trace("f")
        logging.getLogger(__name__).warning("g %s", 5)
        logging.error("h %(x)d", {"x": 6})
    """
    result = runner.body(lines)
    assert [(line.level, line.text) for line in result.logs] == [
        ("log", "a-1-None"),
        ("info", "b"),
        ("warn", "c [1]"),
        ("error", "d"),
        ("debug", "e"),
        ("trace", "f"),
        ("warn", "g 5"),
        ("error", "h 6"),
    ]


def test_nested_objects_print_as_python_does(runner: Runner) -> None:
    event = {"user": {"a": [1, {"b": None}], "t": True}}
    assert runner.printed("print(event, {'s': {1}, 't': (1,)})", event) == [
        f"{event!r} {{'s': {{1}}, 't': (1,)}}"
    ]


def test_a_line_may_take_several_calls(runner: Runner) -> None:
    lines = "print('a', end='')\nprint('b', end=' ')\nprint('c')\nprint()\nprint('last', end='')"
    assert runner.printed(lines) == ["ab c", "", "last"]


def test_one_call_is_one_entry_whatever_it_contains(runner: Runner) -> None:
    text = 'x\n{"level":"error"}\x1b[31m\r\u202e'
    assert runner.printed(f"print({text!r})") == [text]


def test_print_to_a_file_object(runner: Runner) -> None:
    lines = "import io\nout = io.StringIO()\nprint('x', file=out)\nprint(repr(out.getvalue()))"
    assert runner.printed(lines) == [r"'x\n'"]


def test_long_lines_are_cut_with_a_note(runner: Runner) -> None:
    result = runner.body(f"print('x' * {MAX_LOG_LINE_BYTES + 100})\nprint('next')")
    assert result.logs[0].text.endswith("… 100 bytes more")
    assert result.logs[0].cut_bytes == 100
    assert result.logs[1].text == "next"


def test_very_long_lines_are_cut_in_the_guest(runner: Runner) -> None:
    result = runner.body("print('é' * 3_000_000)")
    assert result.failure is None
    assert result.logs[0].text.endswith("bytes more")
    assert len(result.logs[0].text.encode()) < MAX_LOG_LINE_BYTES + 100


def test_lone_surrogates_become_replacement_characters(runner: Runner) -> None:
    assert runner.printed("print('a\\ud800b')") == ["a�b"]


def test_an_object_that_cannot_be_printed_raises_in_the_action(runner: Runner) -> None:
    lines = """
        class Odd:
            def __str__(self): raise ValueError("odd")
        try:
            print(Odd())
        except ValueError as error:
            print(error)
    """
    assert runner.printed(lines) == ["odd"]


def test_what_was_printed_before_a_failure_is_kept(runner: Runner) -> None:
    result = runner.body("print('before', end='')\nraise ValueError('x')")
    assert [line.text for line in result.logs] == ["before"]


def test_warnings_and_forgotten_coroutines_are_logged(runner: Runner) -> None:
    lines = """
        import warnings
        warnings.warn("careful")
        async def f(): pass
        f()
    """
    result = runner.body(lines)
    assert result.failure is None
    assert [line.level for line in result.logs] == ["warn", "warn"]
    assert result.logs[0].text == "careful"
    assert "was never awaited" in result.logs[1].text
