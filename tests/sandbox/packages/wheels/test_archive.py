"""Reading wheels: what is in them, and every way in which one can be wrong."""

# ruff: noqa: E501 - programs of one line

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core import caps
from sandbox.packages.errors import DependencyError
from sandbox.packages.wheels import archive
from sandbox.packages.wheels.archive import read_wheel
from tests.sandbox.packages.wheels.made import record_line, wheel_bytes

FILES: dict[str, str | bytes] = {
    "maths/__init__.py": "from .core import add\n",
    "maths/core.py": "\ufeffdef add(a, b):\n    return a + b\n",
    "maths/py.typed": "",
    "maths/data.json": "{}",
    "maths/not-a-module.py": "",
    "maths-1.0.data/scripts/run.py": "",
    "single.py": "x = 1",
}


def refused(data: bytes) -> tuple[str, str]:
    with pytest.raises(DependencyError) as caught:
        read_wheel(data, "maths-1.0.whl")
    assert "maths-1.0.whl" in caught.value.message
    assert caught.value.next_step
    return caught.value.rule, caught.value.message


def test_python_files_by_path() -> None:
    wheel = read_wheel(wheel_bytes("maths", "1.0", FILES), "maths-1.0.whl")
    assert (wheel.name, wheel.version) == ("maths", "1.0")
    assert dict(wheel.modules) == {
        "maths/__init__.py": "from .core import add\n",
        "maths/core.py": "def add(a, b):\n    return a + b\n",
        "single.py": "x = 1",
    }


def test_names_are_normalised() -> None:
    head = "Metadata-Version: 2.1\nname: My_Maths.lib\nVERSION: 1.0\n"
    assert read_wheel(wheel_bytes("maths", "1.0", {}, metadata=head), "x").name == "my-maths-lib"


@pytest.mark.parametrize(
    ("changes", "rule", "says"),
    [
        ({"record": {"maths/core.py": record_line("maths/core.py", b"other")}}, "integrity", "does not fit its RECORD: 'maths/core.py'"),
        ({"record": {"maths/core.py": "maths/core.py,md5=AAAA,1"}}, "integrity", "does not fit its RECORD"),
        ({"record": {"maths/core.py": "maths/core.py,,"}}, "integrity", "does not fit its RECORD"),
        ({"record": {"gone.py": record_line("gone.py", b"")}}, "integrity", "does not fit its RECORD: 'gone.py'"),
        ({"record": {"maths/core.py": ""}}, "integrity", "does not list: 'maths/core.py'"),
        ({"unlisted": {"maths/extra.py": b""}}, "integrity", "does not list: 'maths/extra.py'"),
        ({"unlisted": {"maths/fast.cpython-314-x86_64.so": b""}}, "native", "machine code"),
        ({"unlisted": {"maths/fast.PYD": b""}}, "native", "machine code"),
        ({"unlisted": {"../evil.py": b""}}, "archive", "unsafe path"),
        ({"unlisted": {"/etc/evil.py": b""}}, "archive", "unsafe path"),
        ({"unlisted": {"maths/a\x01b.py": b""}}, "archive", "unsafe path"),
        ({"unlisted": {"maths//x.py": b""}}, "archive", "unsafe path"),
        ({"unlisted": {"maths/CORE.py": b""}}, "archive", "twice"),
        ({"unlisted": {"other-2.0.dist-info/METADATA": b""}}, "archive", "no single dist-info"),
        ({"metadata": "Name: maths\n"}, "archive", "names itself nowhere"),
    ],
)  # fmt: skip
def test_wheels_that_are_wrong(changes: dict[str, Any], rule: str, says: str) -> None:
    found, message = refused(wheel_bytes("maths", "1.0", FILES, **changes))
    assert (found, says in message) == (rule, True), message


def test_text_that_is_none() -> None:
    assert refused(wheel_bytes("maths", "1.0", {"maths/__init__.py": b"\xff\xfe"})) == (
        "archive",
        "The wheel maths-1.0.whl holds 'maths/__init__.py', which is not UTF-8 text.",
    )


def test_links_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        link = zipfile.ZipInfo("maths/link.py")
        link.external_attr = 0o120777 << 16
        made.writestr(link, "/etc/passwd")
    assert refused(out.getvalue())[1].endswith("holds a link, 'maths/link.py'.")


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"no zip at all", wheel_bytes("maths", "1.0", FILES)[:-40]]
)
def test_what_is_no_archive(data: bytes) -> None:
    assert refused(data)[0] == "archive"


@given(st.binary(max_size=200), st.integers(0, 900))
def test_damage_is_an_error_or_nothing(noise: bytes, at: int) -> None:
    """Whatever bytes change, a wheel is refused or still the same."""
    sound = wheel_bytes("maths", "1.0", FILES)
    damaged = sound[:at] + noise + sound[at + len(noise) :]
    try:
        found = read_wheel(damaged, "maths-1.0.whl")
    except DependencyError:
        return
    assert dict(found.modules) == dict(read_wheel(sound, "maths-1.0.whl").modules)


class TestCaps:
    def test_entries(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "MAX_WHEEL_ENTRIES", len(FILES) + 3)
        read_wheel(wheel_bytes("maths", "1.0", FILES), "w")
        monkeypatch.setattr(archive, "MAX_WHEEL_ENTRIES", len(FILES) + 2)
        assert refused(wheel_bytes("maths", "1.0", FILES))[0] == "cap"

    def test_one_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "MAX_WHEEL_FILE_BYTES", 1000)
        read_wheel(wheel_bytes("m", "1", {"m.py": "#" * 1000}), "w")
        assert refused(wheel_bytes("m", "1", {"m.py": "#" * 1001}))[0] == "cap"

    def test_a_bomb_is_stopped_while_it_inflates(self) -> None:
        bomb = wheel_bytes(
            "m", "1", {f"m{number}.py": bytes(caps.MAX_WHEEL_FILE_BYTES) for number in range(5)}
        )
        assert len(bomb) < 100_000
        assert refused(bomb)[1].endswith(f"inflates to more than {caps.MAX_WHEEL_INFLATED_BYTES} bytes.")

    def test_paths(self) -> None:
        part = "a" * (caps.MAX_PACKAGE_PATH // 4 - 1)
        path = "/".join([part, part, part, part]) + "/m.py"
        longest = path[-caps.MAX_PACKAGE_PATH :].lstrip("/")
        assert len(longest) == caps.MAX_PACKAGE_PATH
        read_wheel(wheel_bytes("m", "1", {longest: ""}), "w")
        assert refused(wheel_bytes("m", "1", {"b" + longest: ""}))[0] == "cap"
