"""The files of an author's folder: only inside it, only as they were read, at once or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.dev.folder import FileChangedError, Folder
from runner.model.caps import MAX_INPUT_FILE_BYTES
from runner.model.errors import InputError

OUTSIDE = "outside.js"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    root = tmp_path / "actions"
    root.mkdir()
    (tmp_path / OUTSIDE).write_text("outside")
    (tmp_path / "elsewhere").mkdir()
    return Folder(root)


def left_over(folder: Folder) -> list[str]:
    return sorted(item.name for item in folder.root.rglob("*"))


def test_files_are_listed_but_for_hidden_foreign_and_linked_ones(folder: Folder) -> None:
    for name in ("b.js", "a/c.py", ".git/x.js", "node_modules/y.js", "a/__pycache__/z.py", ".hidden.js"):
        path = folder.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (folder.root / "link.js").symlink_to(folder.root / "b.js")
    (folder.root / "linked").symlink_to(folder.root.parent / "elsewhere")
    assert folder.names() == ["a/c.py", "b.js"]


@pytest.mark.parametrize(
    "name",
    [
        "../outside.js",
        "a/../../outside.js",
        "/etc/passwd",
        "",
        ".",
        "a//b",
        "a/",
        ".git/hooks/pre-commit",
        "node_modules/x.js",
        "a\\b.js",
        "a\0.js",
        "a\nb.js",
        "x" * 600,
        "/".join("abcdefghijkl"),
    ],
)
def test_names_that_lead_elsewhere(folder: Folder, name: str) -> None:
    for use in (folder.read, folder.path, lambda name: folder.write(name, "x", expected=None)):
        with pytest.raises(InputError) as caught:
            use(name)
        assert caught.value.code == "invalid_path"
    assert folder.tag(name) is None
    assert (folder.root.parent / OUTSIDE).read_text() == "outside"


@given(st.text(st.sampled_from("./\\ab\0\n~%é"), max_size=12))
def test_any_name_stays_inside_or_is_refused(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    root = tmp_path_factory.getbasetemp() / "any-name"
    root.mkdir(exist_ok=True)
    folder = Folder(root)
    try:
        path = folder.path(name)
    except InputError:
        return
    assert path.resolve().is_relative_to(folder.root)


def test_nothing_is_written_through_links(folder: Folder) -> None:
    outside = folder.root.parent / OUTSIDE
    (folder.root / "file.js").symlink_to(outside)
    (folder.root / "folder").symlink_to(folder.root.parent / "elsewhere")
    for name in ("file.js", "folder/new.js"):
        for expected in (None, "0" * 32):
            with pytest.raises(InputError) as caught:
                folder.write(name, "x", expected=expected)
            assert caught.value.code == "invalid_path"
        with pytest.raises(InputError):
            folder.read(name)
    assert outside.read_text() == "outside"
    assert list((folder.root.parent / "elsewhere").iterdir()) == []


def test_what_is_no_regular_file_is_not_waited_for(folder: Folder) -> None:
    os.mkfifo(folder.root / "pipe.js")
    (folder.root / "folder.js").mkdir()
    for name in ("pipe.js", "folder.js"):
        with pytest.raises(InputError) as caught:
            folder.read(name)
        assert caught.value.code == "not_a_file"


def test_a_file_is_replaced_only_by_who_has_read_it(folder: Folder) -> None:
    path = folder.root / "a.js"
    path.write_text("one")
    path.chmod(0o640)
    read = folder.read("a.js")
    path.write_text("two")
    with pytest.raises(FileChangedError) as caught:
        folder.write("a.js", "three", expected=read.tag)
    assert caught.value.current is not None
    assert caught.value.current.text == "two" == path.read_text()
    written = folder.write("a.js", "three", expected=caught.value.current.tag)
    assert (written.text, path.read_text(), written.tag) == ("three", "three", folder.tag("a.js"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert left_over(folder) == ["a.js"]


def test_a_new_file_replaces_none(folder: Folder) -> None:
    folder.write("new.js", "mine", expected=None)
    with pytest.raises(FileChangedError):
        folder.write("new.js", "other", expected=None)
    with pytest.raises(FileChangedError) as caught:
        folder.write("gone.js", "text", expected="0" * 32)
    assert caught.value.current is None
    assert (folder.root / "new.js").read_text() == "mine"
    assert left_over(folder) == ["new.js"]


def test_ends_of_lines_stay_as_the_file_has_them(folder: Folder) -> None:
    path = folder.root / "windows.js"
    path.write_bytes("\ufeffone\r\ntwo\r\n".encode())
    read = folder.read("windows.js")
    assert read.text == "one\ntwo\n"
    written = folder.write("windows.js", "one\nthree\n", expected=read.tag)
    assert path.read_bytes() == b"one\r\nthree\r\n"
    assert written.text == "one\nthree\n"


def test_what_is_no_text_or_too_large(folder: Folder) -> None:
    (folder.root / "binary.js").write_bytes(b"\xff\xfe")
    (folder.root / "large.js").write_bytes(b" " * (MAX_INPUT_FILE_BYTES + 1))
    for name, code in (("binary.js", "not_utf8"), ("large.js", "too_large"), ("none.js", "not_found")):
        with pytest.raises(InputError) as caught:
            folder.read(name)
        assert caught.value.code == code
    for text, code in (("\ud800", "not_utf8"), (" " * (MAX_INPUT_FILE_BYTES + 1), "too_large")):
        with pytest.raises(InputError) as caught:
            folder.write("x.js", text, expected=None)
        assert caught.value.code == code
    assert left_over(folder) == ["binary.js", "large.js"]


def test_there_must_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        Folder(tmp_path / "none")
