"""Shared modules of Python Actions: `from actions import NAME`."""

# ruff: noqa: E501 - programs of one line

from __future__ import annotations

import json
from typing import NoReturn

import pytest

import sandbox
from sandbox.action_build import BuildState, Module, Wanted, build_action
from sandbox.core.caps import MAX_PYTHON_UNITS_BYTES, Limits
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Language, Request, Source
from sandbox.egress.none import NoEgress
from sandbox.packages.wheels import PythonModule, prepare
from sandbox.port.live import LivePort
from sandbox.python.dependency_image import Compiled, build_equipped
from sandbox.result import ExecutionResult
from tests.sandbox.ports import FakeApi
from tests.sandbox.python.actions import Runner

GREETER = """
print("loading")
count = 0
def hello(name):
    global count
    count += 1
    return f"{actions.secrets.WORD} {name} {count}"
"""


def module(text: str, name: str = "greeter") -> PythonModule:
    return PythonModule(name, f"{name}.py", text)


def run(
    runner: Runner,
    body: str,
    *modules: PythonModule,
    top: str = "",
    secrets: dict[str, dict[str, str]] | None = None,
) -> ExecutionResult:
    text = f"{top}\nasync def on_execute_post_login(event, api):\n" + "".join(
        f"    {line}\n" for line in body.split("\n")
    )
    made = prepare(Source(Language.PYTHON, "rule.py", text), folder=None, modules=modules)
    program = runner.engine.build(made.source, runner.limits)
    request = Request("onExecutePostLogin", "{}", "{}", json.dumps(secrets) if secrets else "")
    return sandbox.run(program, request, runner.limits, LivePort(FakeApi(), NoEgress(), runner.limits))


def printed(
    runner: Runner, body: str, *modules: PythonModule, top: str = "", **options: dict[str, dict[str, str]]
) -> list[str]:
    result = run(runner, body, *modules, top=top, **options)
    assert result.failure is None, result.failure
    return [line.text for line in result.logs]


def refused(runner: Runner, body: str, *modules: PythonModule) -> Failure:
    with pytest.raises(BuildError) as caught:
        run(runner, body, *modules)
    return caught.value.failure


class TestImporting:
    @pytest.mark.parametrize(
        ("top", "call"),
        [
            ("from actions import greeter", "greeter.hello('a')"),
            ("import actions.greeter", "actions.greeter.hello('a')"),
            ("import actions.greeter as g", "g.hello('a')"),
            ("import actions", "actions.greeter.hello('a')"),
            ("from actions.greeter import hello as h", "h('a')"),
        ],
    )
    def test_every_form(self, runner: Runner, top: str, call: str) -> None:
        secrets = {"greeter": {"WORD": "hi"}}
        assert printed(runner, f"print({call})", module(GREETER), top=top, secrets=secrets) == [
            "loading",
            "hi a 1",
        ]
        assert printed(runner, f"{top}\nprint({call})", module(GREETER), secrets=secrets) == [
            "loading",
            "hi a 1",
        ]

    def test_loaded_when_first_imported_and_once(self, runner: Runner) -> None:
        body = "print('start')\nfrom actions import greeter\nimport actions\nprint(actions.greeter is greeter)\ngreeter.hello('a')\nprint(greeter.count)"
        assert printed(runner, body, module(GREETER)) == ["start", "loading", "True", "1"]

    def test_every_execution_starts_afresh(self, runner: Runner) -> None:
        body = "from actions import greeter\ngreeter.hello('a')\nprint(greeter.count)"
        made = prepare(
            Source(
                Language.PYTHON,
                "rule.py",
                f"def on_execute_post_login(event, api):\n    {body.replace(chr(10), chr(10) + '    ')}",
            ),
            folder=None,
            modules=[module(GREETER)],
        )
        program = runner.engine.build(made.source, runner.limits)
        for _ in range(3):
            port = LivePort(FakeApi(), NoEgress(), runner.limits)
            result = sandbox.run(program, Request("onExecutePostLogin", "{}", "{}"), runner.limits, port)
            assert [line.text for line in result.logs] == ["loading", "1"]

    def test_hyphens_are_underscores(self, runner: Runner) -> None:
        body = "from actions import my_greeter\nprint(my_greeter.__name__, my_greeter.word())"
        one = module("def word():\n    return actions.secrets.WORD", "my-greeter")
        assert printed(runner, body, one, secrets={"my-greeter": {"WORD": "hi"}}) == ["actions.my_greeter hi"]

    def test_an_error_while_loading_is_raised_each_time(self, runner: Runner) -> None:
        body = "for _ in range(2):\n    try:\n        from actions import broken\n    except KeyError as error:\n        print(error)"
        broken = module("print('loading')\n{}['gone']", "broken")
        assert printed(runner, body, broken) == ["loading", "'gone'", "'gone'"]

    def test_the_rest_of_the_library_is_there_too(self, runner: Runner) -> None:
        text = """
import dataclasses
import json
from typing import NoReturn
from http import HTTPStatus

@dataclasses.dataclass
class Point:
    x: int
    y: "int" = 2

def dumped():
    return json.dumps(dataclasses.asdict(Point(1)))

async def fetched():
    return HTTPStatus.OK.value
"""
        body = "from actions import lib\nprint(lib.dumped(), await lib.fetched(), lib.Point(1))"
        assert printed(runner, body, module(text, "lib")) == ['{"x": 1, "y": 2} 200 Point(x=1, y=2)']

    def test_two_modules(self, runner: Runner) -> None:
        body = "from actions import b, a\nprint(a.name, b.name)"
        assert printed(runner, body, module("name = __name__", "b"), module("name = __name__", "a")) == [
            "actions.a actions.b"
        ]


class TestSecrets:
    def test_each_has_its_own(self, runner: Runner) -> None:
        text = "def show():\n    return actions.secrets.A, actions.secrets['A'], actions.secrets.NONE, 'A' in actions.secrets"
        body = "from actions import one, two\nprint(one.show(), two.show())"
        lines = printed(
            runner,
            body,
            module(text, "one"),
            module(text.replace("actions.secrets['A'], ", ""), "two"),
            secrets={"one": {"A": "1"}, "two": {}},
        )
        assert lines == ["('1', '1', None, True) (None, None, False)"]

    def test_they_can_be_imported_as_well(self, runner: Runner) -> None:
        text = "import actions\nfrom actions import secrets\ndef show():\n    return secrets.A + actions.secrets.A"
        assert printed(
            runner, "from actions import m\nprint(m.show())", module(text, "m"), secrets={"m": {"A": "x"}}
        ) == ["xx"]

    def test_an_action_has_no_actions_of_its_own(self, runner: Runner) -> None:
        result = run(runner, "print(actions.secrets)", module("", "m"), secrets={"m": {"A": "x"}})
        assert result.failure is not None
        assert "name 'actions' is not defined" in result.failure.message


class TestRefusals:
    def test_modules_cannot_use_modules(self, runner: Runner) -> None:
        failure = refused(
            runner,
            "from actions import a",
            module("import json\nfrom actions import b", "a"),
            module("", "b"),
        )
        assert (failure.code, failure.message) == (FailureCode.POLICY, "A module cannot use other modules.")
        assert failure.place is not None
        assert (failure.place.file, failure.place.line, failure.place.column) == ("actions:a", 2, 21)

    @pytest.mark.parametrize(
        ("body", "modules", "says"),
        [
            ("from actions import other", ("a", "b"), "The Action has no module 'other'; it has a, b."),
            ("import actions.other", ("a",), "The Action has no module 'other'; it has a."),
            ("from actions.other import x", ("a",), "The Action has no module 'other'; it has a."),
        ],
    )
    def test_what_is_not_there(self, runner: Runner, body: str, modules: tuple[str, ...], says: str) -> None:
        failure = refused(runner, body, *(module("", name) for name in modules))
        assert failure.message == says
        assert failure.place is not None
        assert failure.place.file == "rule.py"

    def test_an_action_without_modules(self, runner: Runner) -> None:
        says = "The Action has no module 'greeter'; add it, with its version, to the Action."
        assert runner.refusal("from actions import greeter").message == says
        assert runner.refusal("import actions").message.startswith("The Action has no modules; add it")

    @pytest.mark.parametrize(
        ("text", "code", "line"),
        [
            ("x = 1\nimport os", FailureCode.POLICY, 2),
            ("\n\n)", FailureCode.SYNTAX, 3),
            ("x.__dict__", FailureCode.POLICY, 1),
        ],
    )
    def test_the_policy_is_the_same(self, runner: Runner, text: str, code: FailureCode, line: int) -> None:
        failure = refused(runner, "from actions import m", module(text, "m"))
        assert failure.code is code
        assert failure.place is not None
        assert (failure.place.file, failure.place.line) == ("actions:m", line)

    def test_a_name_that_is_not_in_the_module(self, runner: Runner) -> None:
        result = run(runner, "from actions.m import nothing", module("", "m"))
        assert result.failure is not None
        assert result.failure.error_name == "ImportError"


class TestErrors:
    def test_places_name_the_file_of_the_module(self, runner: Runner) -> None:
        text = "def check(value):\n    if not value:\n        raise ValueError('empty')\n"
        result = run(runner, "from actions import checks\nchecks.check('')", module(text, "checks"))
        failure = result.failure
        assert failure is not None
        assert failure.place is not None
        assert (failure.place.file, failure.place.line, failure.place.column) == ("actions:checks", 3, 9)
        assert failure.place.excerpt == "        raise ValueError('empty')"
        assert [(frame.file, frame.line) for frame in failure.stack] == [
            ("actions:checks", 3),
            ("rule.py", 4),
        ]

    def test_at_its_top_level(self, runner: Runner) -> None:
        failure = run(runner, "from actions import m", module("x = 1\ny = 1 / 0", "m")).failure
        assert failure is not None
        assert failure.place is not None
        assert (failure.place.file, failure.place.line) == ("actions:m", 2)

    def test_traceback_text(self, runner: Runner) -> None:
        body = "import traceback\nfrom actions import m\ntry:\n    m.go()\nexcept ZeroDivisionError:\n    print(traceback.format_exc())"
        lines = printed(runner, body, module("def go():\n    1 / 0", "m"))
        assert 'File "rule.py", line 6' in lines[0]
        assert 'File "actions:m", line 2, in go' in lines[0]

    def test_a_forged_file_is_not_believed(self, runner: Runner) -> None:
        """What a failure shows is a source of the Action, whatever the guest reports."""
        from sandbox.python import failures

        source = Source(Language.PYTHON, "rule.py", "one\ntwo")
        report = {"code": "throw", "message": "m", "frames": [["f", 2, 0, "/etc/passwd"], ["g", 1, 0, 5]]}
        made = failures.from_guest(report, source, Limits())
        assert [frame.file for frame in made.stack] == ["rule.py", "rule.py"]


def test_the_digest_tells_versions_apart() -> None:
    source = Source(Language.PYTHON, "rule.py", "from actions import m")
    digests = {
        made.digest
        for text in ("x = 1", "x = 2")
        if (made := prepare(source, folder=None, modules=[module(text, "m")]).source.dependencies)
    }
    assert len(digests) == 2


def test_the_code_of_all_units_has_a_cap(runner: Runner) -> None:
    source = prepare(
        Source(Language.PYTHON, "rule.py", ""), folder=None, modules=[module("", "a"), module("", "b")]
    ).source

    def build(size: int) -> None:
        def compile_source(part: Source, context: str) -> Compiled:
            made = runner.engine.build(Source(Language.PYTHON, part.filename, ""), runner.limits)
            code = b"r:" + bytes(size - 2)
            return Compiled(
                type(made)(part, code if part.filename.startswith("actions:") else made.code, made.image)
            )

        build_equipped(source, compile_source)

    build(MAX_PYTHON_UNITS_BYTES // 2)
    with pytest.raises(BuildError) as caught:
        build(MAX_PYTHON_UNITS_BYTES // 2 + 1)
    assert caught.value.failure.code is FailureCode.DEPENDENCY


def test_builds_of_a_service_take_modules_and_packages_only_from_wheels() -> None:
    source = Source(
        Language.PYTHON, "rule.py", "from actions import m\ndef on_execute_post_login(event, api): m.go()"
    )

    def origin() -> NoReturn:
        raise AssertionError("nothing is resolved")

    build = build_action(source, origin=origin, modules=[Module("m", "m.js", "def go(): pass")])
    assert build.state is BuildState.BUILT, build.failure
    assert build.program is not None
    assert [item.source.filename for item in build.program.modules] == ["actions:m"]
    for wanted, modules in (([Wanted("axios")], []), ([], [Module("m", "m.js", "", (Wanted("axios"),))])):
        failure = build_action(source, wanted, origin=origin, modules=modules).failure
        assert failure is not None
        assert failure.message == "axios is wanted, but there is no folder of wheels."
