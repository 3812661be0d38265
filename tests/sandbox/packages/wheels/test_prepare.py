"""Packages from a folder of wheels, inside Python Actions."""

# ruff: noqa: E501 - programs of one line

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import sandbox
from sandbox.core.caps import MAX_DEPENDENCIES, MAX_PACKAGE_SOURCE_BYTES, MAX_SOURCE_BYTES, Limits
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Language, Request, Source
from sandbox.egress.none import NoEgress
from sandbox.packages.errors import DependencyError
from sandbox.packages.wheels import PythonModule, WheelLock, parse_requirement, pinned, prepare
from sandbox.port.live import LivePort
from tests.sandbox.packages.wheels.made import put, put_installed, wheel_bytes
from tests.sandbox.ports import FakeApi

LIMITS = Limits(wall_ms=60_000)


def source(body: str, top: str = "") -> Source:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    return Source(Language.PYTHON, "rule.py", f"{top}\ndef on_execute_post_login(event, api):\n{lines}")


def printed(made: Source) -> list[str]:
    program = sandbox.build(made, LIMITS)
    port = LivePort(FakeApi(), NoEgress(), LIMITS)
    result = sandbox.run(program, Request("onExecutePostLogin", "{}", "{}"), LIMITS, port)
    assert result.failure is None, result.failure
    return [line.text for line in result.logs]


def uses(folder: Path, body: str, *requirements: str, **options: Any) -> list[str]:
    return printed(prepare(source(body), requirements, folder=folder, **options).source)


def refusal(folder: Path, *requirements: str, **options: Any) -> DependencyError:
    with pytest.raises(DependencyError) as caught:
        prepare(source("pass"), requirements, folder=folder, **options)
    return caught.value


def unbuildable(folder: Path, body: str, *requirements: str) -> Failure:
    with pytest.raises(BuildError) as caught:
        sandbox.build(prepare(source(body), requirements, folder=folder).source, LIMITS)
    return caught.value.failure


TREE: dict[str, str | bytes] = {
    "tree/__init__.py": "from .leaves import *\nfrom . import inner\nfrom .inner.deep import depth\nprint('tree')",
    "tree/leaves.py": "__all__ = ['leaf']\ndef leaf(): return 'leaf'\ndef hidden(): return 1",
    "tree/inner/__init__.py": "from ..leaves import leaf as above",
    "tree/inner/deep.py": "import tree.leaves\nfrom ...tree.leaves import hidden\ndef depth(): return tree.leaves.leaf() + str(hidden())",
    "tree/unused.py": "import os",
    "tree/late.py": "print('late')\nword = 'w'",
}


class TestImports:
    def test_a_package_of_several_files(self, tmp_path: Path) -> None:
        put(
            tmp_path,
            "tree",
            files={
                **TREE,
                "tree/inner/deep.py": "import tree.leaves\nfrom ..leaves import hidden\ndef depth(): return tree.leaves.leaf() + str(hidden())",
            },
        )
        body = "import tree\nprint(tree.leaf(), tree.depth(), tree.inner.above())\nimport tree.late as late\nfrom tree import late as again\nprint(late is again, late.word, tree.late is late)"
        assert uses(tmp_path, body, "tree==1.0") == ["tree", "leaf leaf1 leaf", "late", "True w True"]

    def test_relative_imports_end_at_the_package(self, tmp_path: Path) -> None:
        put(tmp_path, "tree", files=TREE)
        failure = unbuildable(tmp_path, "import tree", "tree==1.0")
        assert failure.code is FailureCode.POLICY
        assert failure.place is not None
        assert (failure.place.file, failure.place.line) == ("tree-1.0/tree/inner/deep.py", 2)

    def test_only_what_is_reached_is_built(self, tmp_path: Path) -> None:
        put(
            tmp_path,
            "tree",
            files={"tree/__init__.py": "x = 1", "tree/unused.py": "import os", "tree/used.py": ""},
        )
        made = prepare(source("import tree.used"), ["tree==1.0"], folder=tmp_path).source
        program = sandbox.build(made, LIMITS)
        assert [item.source.filename for item in program.modules] == [
            "tree-1.0/tree/__init__.py",
            "tree-1.0/tree/used.py",
        ]

    def test_circles(self, tmp_path: Path) -> None:
        put(
            tmp_path,
            "ring",
            files={
                "ring/__init__.py": "from . import a",
                "ring/a.py": "from . import b\nx = 1",
                "ring/b.py": "from . import a\ndef x(): return a.x",
            },
        )
        assert uses(tmp_path, "import ring\nprint(ring.a.b.x())", "ring==1.0") == ["1"]

    def test_single_modules_and_dataclasses(self, tmp_path: Path) -> None:
        text = "from __future__ import annotations\nimport dataclasses\nfrom typing import ClassVar\n@dataclasses.dataclass\nclass P:\n    x: int\n    K: ClassVar[int] = 3\n"
        put(tmp_path, "points", files={"points.py": text})
        assert uses(tmp_path, "from points import P\nprint(P(1), P.K)", "points==1.0") == ["P(x=1) 3"]

    def test_optional_and_type_checking_imports(self, tmp_path: Path) -> None:
        text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas\ntry:\n    import numpy\nexcept ImportError as error:\n    found = str(error)\n"
        put(tmp_path, "light", files={"light.py": text})
        line = uses(tmp_path, "import light\nprint(light.found)", "light==1.0")[0]
        assert line.startswith("The module 'numpy' is not available to Actions")

    def test_an_action_and_a_module_may_have_two_versions(self, tmp_path: Path) -> None:
        for version in ("1.0", "2.0"):
            put(tmp_path, "ver", version, {"ver.py": f"def which(): return {version!r}"})
        module = PythonModule("m", "m.py", "import ver\ndef which(): return ver.which()", ("ver==2.0",))
        body = "import ver\nfrom actions import m\nprint(ver.which(), m.which())"
        assert uses(tmp_path, body, "ver==1.0", modules=[module]) == ["1.0 2.0"]

    def test_a_package_sees_neither_modules_nor_other_scopes(self, tmp_path: Path) -> None:
        put(tmp_path, "nosy", files={"nosy.py": "from actions import m"})
        module = PythonModule("m", "m.py", "")
        made = prepare(source("import nosy"), ["nosy==1.0"], folder=tmp_path, modules=[module]).source
        with pytest.raises(BuildError) as caught:
            sandbox.build(made, LIMITS)
        assert caught.value.failure.message == "A package cannot use the modules of an Action."
        made = prepare(
            source("pass"), ["nosy==1.0"], folder=tmp_path, modules=[PythonModule("m", "m.py", "import nosy")]
        ).source
        with pytest.raises(BuildError, match="nosy"):
            sandbox.build(made, LIMITS)

    def test_errors_name_the_file_of_the_package(self, tmp_path: Path) -> None:
        put(tmp_path, "strictly", files={"strictly.py": "def check(x):\n    raise ValueError(x)"})
        program = sandbox.build(
            prepare(source("import strictly\nstrictly.check(1)"), ["strictly==1.0"], folder=tmp_path).source
        )
        result = sandbox.run(
            program,
            Request("onExecutePostLogin", "{}", "{}"),
            LIMITS,
            LivePort(FakeApi(), NoEgress(), LIMITS),
        )
        assert result.failure is not None
        assert result.failure.place is not None
        assert (result.failure.place.file, result.failure.place.line) == ("strictly-1.0/strictly.py", 2)
        assert [frame.file for frame in result.failure.stack] == ["strictly-1.0/strictly.py", "rule.py"]


class TestRealPackages:
    """Two pure-Python packages that this project itself needs."""

    def test_idna(self, tmp_path: Path) -> None:
        version = put_installed(tmp_path, "idna")
        body = "import idna\nprint(idna.encode('königsgäßchen.example').decode(), idna.decode('xn--4ca.example'))\ntry:\n    idna.encode('a..b')\nexcept idna.IDNAError as error:\n    print(type(error).__name__)"
        assert uses(tmp_path, body, f"idna=={version}") == [
            "xn--knigsgchen-b4a3dun.example ä.example",
            "IDNAError",
        ]

    def test_mdurl(self, tmp_path: Path) -> None:
        version = put_installed(tmp_path, "mdurl")
        assert uses(
            tmp_path, "import mdurl\nprint(mdurl.encode('https://a.example/ä b'))", f"mdurl=={version}"
        ) == ["https://a.example/%C3%A4%20b"]

    @pytest.mark.parametrize(
        ("name", "module", "says"),
        [
            ("iniconfig", "iniconfig", "The module 'os'"),
            ("typing-extensions", "typing_extensions", "The module 'builtins'"),
        ],
    )
    def test_what_others_break(self, tmp_path: Path, name: str, module: str, says: str) -> None:
        version = put_installed(tmp_path, name)
        failure = unbuildable(tmp_path, f"import {module}", f"{name}=={version}")
        assert failure.code is FailureCode.POLICY
        assert failure.message.startswith(f"{says} is not available to Actions")
        assert failure.place is not None
        assert failure.place.file.startswith(f"{name}-{version}/")


class TestPinned:
    """Versions as the Management API takes them."""

    def test_the_newest_final_one(self, tmp_path: Path) -> None:
        for version in ("1.9", "1.10", "1.10.post2", "1.10.post1", "2.0rc1", "2.0.dev3"):
            put(tmp_path, "maths", version)
        put(tmp_path, "other", "7.0")
        put(tmp_path, "maths", "9.0").rename(tmp_path / "maths-9.0-cp314-cp314-linux_x86_64.whl")
        for wanted in ("", " ", "latest", "LATEST", "==latest"):
            assert pinned("Maths", wanted, tmp_path) == "maths==1.10.post2"

    def test_an_exact_one_needs_no_folder(self) -> None:
        for wanted in ("1.0", "==1.0", " == 1.0 "):
            assert pinned("A_b", wanted, None) == "a-b==1.0"

    @pytest.mark.parametrize(
        "wanted", ["^1", ">=1", "1.*", "1 2", "1,2", "~=1.0", "===1", "-r x", "1;os", "*"]
    )
    def test_ranges_are_none(self, tmp_path: Path, wanted: str) -> None:
        with pytest.raises(DependencyError) as caught:
            pinned("maths", wanted, tmp_path)
        assert caught.value.rule == "version"

    @pytest.mark.parametrize("name", ["@a/b", "../x", "a b", "-x", "", "a" * 300])
    @pytest.mark.parametrize("wanted", ["1.0", "latest"])
    def test_what_is_no_name(self, tmp_path: Path, name: str, wanted: str) -> None:
        with pytest.raises(DependencyError) as caught:
            pinned(name, wanted, tmp_path)
        assert caught.value.rule == "version"

    def test_no_final_one_and_no_folder(self, tmp_path: Path) -> None:
        put(tmp_path, "maths", "1.0a1")
        for folder, part in (
            (tmp_path, "there is 1.0a1"),
            (None, "no folder"),
            (tmp_path / "x", "no folder"),
        ):
            with pytest.raises(DependencyError, match=part):
                pinned("maths", "latest", folder)


class TestRequirements:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("idna==3.10", ("idna", "3.10")),
            (" My_Lib == 1.0+local ", ("my-lib", "1.0+local")),
            ("a.b==1!2.0rc1", ("a-b", "1!2.0rc1")),
        ],
    )
    def test_exact_versions(self, text: str, found: tuple[str, str]) -> None:
        assert parse_requirement(text) == found

    @pytest.mark.parametrize(
        "text",
        [
            "idna",
            "idna>=3",
            "idna==3.*",
            "idna[x]==3",
            "-r x",
            "a==1; x",
            "a @ https://x",
            "",
            "==1",
            "a==" + "1" * 600,
        ],
    )
    def test_anything_else(self, text: str) -> None:
        with pytest.raises(DependencyError) as caught:
            parse_requirement(text)
        assert caught.value.rule == "version"

    def test_what_cannot_be_had(self, tmp_path: Path) -> None:
        put(tmp_path, "maths", "1.0")
        put(tmp_path, "maths", "1.1")
        assert (
            "There is no wheel of maths==2.0 in the folder of wheels; there is 1.0, 1.1."
            in refusal(tmp_path, "maths==2.0").message
        )
        assert "no wheel of other==1.0" in refusal(tmp_path, "other==1.0").message
        assert "no folder of wheels" in refusal(None, "maths==1.0").message  # type: ignore[arg-type]
        message = refusal(tmp_path / "gone", "maths==1.0").message
        assert "no folder of wheels where there should be one" in message
        assert str(tmp_path) not in message, "it may be told to a tenant"
        assert "two versions" in refusal(tmp_path, "maths==1.0", "Maths==1.1").message

    def test_wheels_for_one_kind_of_machine(self, tmp_path: Path) -> None:
        (tmp_path / "fast-1.0-cp314-cp314-manylinux_2_28_x86_64.whl").write_bytes(b"")
        assert refusal(tmp_path, "fast==1.0").rule == "native"

    def test_a_wheel_under_another_name(self, tmp_path: Path) -> None:
        (tmp_path / "maths-1.0-py3-none-any.whl").write_bytes(wheel_bytes("other", "1.0", {}))
        assert (
            refusal(tmp_path, "maths==1.0").message == "The wheel maths-1.0-py3-none-any.whl holds other 1.0."
        )

    def test_two_that_hold_the_same_package(self, tmp_path: Path) -> None:
        put(tmp_path, "one", files={"both.py": ""})
        put(tmp_path, "two", files={"both.py": ""})
        assert refusal(tmp_path, "one==1.0", "two==1.0").message == "Both one and two hold a package 'both'."

    @pytest.mark.parametrize("name", ["json", "jwt", "asyncio", "actionbox"])
    def test_names_that_are_taken(self, tmp_path: Path, name: str) -> None:
        put(tmp_path, "fake", files={f"{name}.py": ""})
        failure = unbuildable(tmp_path, "pass", "fake==1.0")
        assert failure.code is FailureCode.DEPENDENCY
        assert (
            failure.message == f"The package '{name}' cannot be used: there is a module of that name already."
        )

    def test_javascript_has_none(self, tmp_path: Path) -> None:
        with pytest.raises(DependencyError) as caught:
            prepare(Source(Language.JAVASCRIPT, "a.js", ""), ["a==1"], folder=tmp_path)
        assert caught.value.rule == "kind"

    @pytest.mark.parametrize("name", ["", "a b", "../x", "1a", "é"])
    def test_names_of_modules(self, name: str) -> None:
        with pytest.raises(DependencyError) as caught:
            prepare(source("pass"), folder=None, modules=[PythonModule(name, "m.py", "")])
        assert caught.value.rule == "name"

    def test_modules_that_are_imported_alike(self) -> None:
        modules = [PythonModule(name, "m.py", "") for name in ("a-b", "a_b")]
        with pytest.raises(DependencyError, match="a_b"):
            prepare(source("pass"), folder=None, modules=modules)


class TestLocks:
    def test_other_bytes_are_refused(self, tmp_path: Path) -> None:
        put(tmp_path, "maths")
        lock = prepare(source("pass"), ["maths==1.0"], folder=tmp_path).lock
        again = WheelLock.from_json(lock.to_json())
        assert again == lock
        assert prepare(source("pass"), ["maths==1.0"], folder=tmp_path, lock=again).lock == lock
        put(tmp_path, "maths", files={"maths/__init__.py": "altered = True"})
        assert refusal(tmp_path, "maths==1.0", lock=again).rule == "integrity"
        put(tmp_path, "maths", "1.1")
        assert prepare(source("pass"), ["maths==1.1"], folder=tmp_path, lock=again).lock.wanted == {
            "maths": "1.1"
        }

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{}",
            '{"lockVersion": 2, "wheels": {}}',
            '{"lockVersion": 1, "wheels": {"a": {"version": "1", "sha256": "x"}}}',
        ],
    )
    def test_locks_that_are_none(self, text: str) -> None:
        with pytest.raises(DependencyError) as caught:
            WheelLock.from_json(text)
        assert caught.value.rule == "lock"


class TestCaps:
    def test_a_wheel(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        size = put(tmp_path, "maths").stat().st_size
        monkeypatch.setattr(sys.modules["sandbox.packages.wheels.prepare"], "MAX_WHEEL_BYTES", size)
        prepare(source("pass"), ["maths==1.0"], folder=tmp_path)
        monkeypatch.setattr(sys.modules["sandbox.packages.wheels.prepare"], "MAX_WHEEL_BYTES", size - 1)
        assert refusal(tmp_path, "maths==1.0").rule == "cap"

    def test_files_that_an_action_reaches(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path, "tree", files={"tree/__init__.py": "", "tree/a.py": "", "tree/b.py": ""})
        monkeypatch.setattr("sandbox.python.dependency_image.MAX_PYTHON_UNITS", 2)
        sandbox.build(prepare(source("import tree.a"), ["tree==1.0"], folder=tmp_path).source, LIMITS)
        failure = unbuildable(tmp_path, "import tree.a, tree.b", "tree==1.0")
        assert (failure.code, failure.detail) == (FailureCode.DEPENDENCY, {"rule": "cap"})

    def test_packages(self, tmp_path: Path) -> None:
        names = [f"p{number}" for number in range(MAX_DEPENDENCIES + 1)]
        for name in names:
            put(tmp_path, name)
        prepare(source("pass"), [f"{name}==1.0" for name in names[1:]], folder=tmp_path)
        assert refusal(tmp_path, *(f"{name}==1.0" for name in names)).rule == "cap"

    def test_a_file_of_a_package_may_be_larger_than_an_action(self, tmp_path: Path) -> None:
        for size, name in ((MAX_PACKAGE_SOURCE_BYTES, "fits"), (MAX_PACKAGE_SOURCE_BYTES + 1, "bursts")):
            put(tmp_path, name, files={f"{name}.py": "#" * size})
        sandbox.build(prepare(source("import fits"), ["fits==1.0"], folder=tmp_path).source, LIMITS)
        failure = unbuildable(tmp_path, "import bursts", "bursts==1.0")
        assert failure.code is FailureCode.OUTPUT
        assert "bursts-1.0/bursts.py" in failure.message
        assert MAX_SOURCE_BYTES < MAX_PACKAGE_SOURCE_BYTES


ENDLESS = {
    "loop": ("timeout", "while True: pass"),
    "catches": (
        "timeout",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ),
    "expression": ("timeout", "import re\nre.match(r'^(a+)+$', 'a' * 40 + 'b')"),
    "generator": ("timeout", "def every():\n    while True: yield 1\nsum(every())"),
    "number": ("timeout", "x = 7 ** 30_000_000"),
    "memory": ("memory", "every = []\nwhile True: every.append(bytearray(1 << 20))"),
    "recursion": ("stack", "def again(): return again() + 1\nagain()"),
}


class TestLoading:
    """As when a version is built."""

    @pytest.mark.parametrize("name", ENDLESS)
    def test_what_never_ends_fails_with_the_name_of_the_package(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        code, text = ENDLESS[name]
        if code == "timeout":  # what ends by another limit has time to reach it
            monkeypatch.setattr("sandbox.python.engine.MAX_PACKAGES_LOAD_SECONDS", 1)
        put(tmp_path, name, "1.0", {f"{name}/__init__.py": "from . import inner", f"{name}/inner.py": text})
        with pytest.raises(BuildError) as caught:
            sandbox.build(
                prepare(source("pass", f"import {name}"), [f"{name}==1.0"], folder=tmp_path).source,
                LIMITS,
                load=True,
            )
        assert caught.value.failure.code == code
        assert caught.value.failure.message.startswith(f"The package {name} ")
        assert caught.value.failure.detail == {"package": name}

    def test_of_a_module(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sandbox.python.engine.MAX_PACKAGES_LOAD_SECONDS", 1)
        put(tmp_path, "loop", "1.0", {"loop.py": "while True: pass"})
        for module in (
            PythonModule("my-own", "m.py", "import loop", ("loop==1.0",)),
            PythonModule("my-own", "m.py", "while True: pass"),
        ):
            made = prepare(source("pass"), [], folder=tmp_path, modules=[module]).source
            with pytest.raises(BuildError) as caught:
                sandbox.build(made, LIMITS, load=True)
            package = bool(module.requirements)
            assert caught.value.failure.code == "timeout"
            assert caught.value.failure.message.startswith(
                "The package loop " if package else "The module actions:my-own "
            )

    def test_what_throws_or_asks_for_the_network_is_built(self, tmp_path: Path) -> None:
        put(tmp_path, "throws", "1.0", {"throws.py": "raise ValueError('not today')"})
        put(tmp_path, "asks", "1.0", {"asks.py": "import http\nhttp.get('https://x.example/')"})
        for name in ("throws", "asks"):
            made = prepare(source("pass", f"import {name}"), [f"{name}==1.0"], folder=tmp_path).source
            assert sandbox.build(made, LIMITS, load=True) == sandbox.build(made, LIMITS)

    def test_compiling_all_of_them_is_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sandbox.python.engine.MAX_PACKAGES_COMPILE_SECONDS", 0)
        put(tmp_path, "fine", "1.0")
        failure = unbuildable(tmp_path, "import fine", "fine==1.0")
        assert failure.code == "timeout"
        assert "longer than 0 s to compile" in failure.message
