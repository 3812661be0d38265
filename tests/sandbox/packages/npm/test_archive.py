"""Hostile archives (threat-model D2) and hostile names (D4)."""

from __future__ import annotations

import contextlib
import gzip
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core import caps
from sandbox.packages.errors import DependencyError
from sandbox.packages.npm.archive import files
from sandbox.packages.npm.names import check_name, check_wanted, split_specifier
from tests.sandbox.packages.npm.tarballs import tarball


def refused(data: bytes) -> DependencyError:
    with pytest.raises(DependencyError) as caught:
        list(files(data, "evil@1.0.0"))
    return caught.value


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


OUTSIDE = ["../a.js", "a/../../../b.js", "a//b.js", "c:\\a", "a\\..\\b", "a\x01", "b.. "]


class TestArchives:
    def test_regular_files_come_out(self) -> None:
        found = dict(files(tarball({"package.json": "{}", "lib/a.js": "1"}), "good"))
        assert found == {"package.json": b"{}", "lib/a.js": b"1"}

    def test_the_first_folder_may_have_any_name(self) -> None:
        assert dict(files(tarball({"a.js": "1"}, prefix="node/"), "good")) == {"a.js": b"1"}

    @pytest.mark.parametrize("path", OUTSIDE)
    def test_paths_that_leave_the_folder(self, path: str) -> None:
        assert refused(tarball({path: "x"})).rule == "archive"

    def test_a_path_through_the_folder_itself(self) -> None:
        twice = {"./lib/a.js": "1", "lib/a.js": "1", "lib/./b.js": "2"}
        assert list(files(tarball(twice), "good")) == [("lib/a.js", b"1"), ("lib/b.js", b"2")]
        assert refused(tarball({"./a.js": "1", "a.js": "2"})).rule == "archive"

    @pytest.mark.parametrize("prefix", ["", "/", "../", "package/../../"])
    def test_a_first_folder_that_is_none(self, prefix: str) -> None:
        assert refused(tarball({"a.js": "x"}, prefix=prefix)).rule == "archive"

    @pytest.mark.parametrize(
        ("kind", "target"),
        [
            (tarfile.SYMTYPE, "/etc/passwd"),
            (tarfile.LNKTYPE, "package/a.js"),
            (tarfile.CHRTYPE, ""),
            (tarfile.BLKTYPE, ""),
            (tarfile.FIFOTYPE, ""),
        ],
    )
    def test_what_is_no_plain_file(self, kind: bytes, target: str) -> None:
        assert refused(tarball({"a.js": ""}, special("package/b", kind, target))).rule == "archive"

    def test_a_file_twice(self) -> None:
        again = tarfile.TarInfo("package/A.js")
        assert "twice" in refused(tarball({"a.js": "1"}, again)).message

    def test_a_bomb_stops_at_the_cap(self) -> None:
        bomb = gzip.compress(bytes(caps.MAX_PACKAGE_BYTES + 2 * caps.MIB), 1)
        assert len(bomb) < caps.MIB
        assert refused(bomb).rule == "cap"

    def test_the_cap_on_one_file(self) -> None:
        fits = tarball({"a.js": bytes(caps.MAX_PACKAGE_FILE_BYTES)})
        assert [len(content) for _, content in files(fits, "good")] == [caps.MAX_PACKAGE_FILE_BYTES]
        assert refused(tarball({"a.js": bytes(caps.MAX_PACKAGE_FILE_BYTES + 1)})).rule == "cap"

    def test_the_cap_on_entries(self) -> None:
        many = {f"{number}.js": "" for number in range(caps.MAX_PACKAGE_ENTRIES)}
        assert sum(1 for _ in files(tarball(many), "good")) == caps.MAX_PACKAGE_ENTRIES
        assert refused(tarball({**many, "one-more.js": ""})).rule == "cap"

    def test_the_cap_on_paths(self) -> None:
        room = caps.MAX_PACKAGE_PATH - len("package/")
        assert len(list(files(tarball({"a" * room: ""}), "good"))) == 1
        assert refused(tarball({"a" * (room + 1): ""})).rule == "cap"

    @pytest.mark.parametrize(
        "data",
        [b"", b"no gzip", gzip.compress(b"no tar" * 200, mtime=0)],
        ids=["empty", "no gzip", "no tar"],
    )
    def test_what_is_no_archive(self, data: bytes) -> None:
        assert refused(data).rule == "archive"

    def test_one_that_ends_too_early(self) -> None:
        assert refused(tarball({"a.js": "x" * 5000})[:-20]).rule == "archive"

    @given(st.binary(max_size=600))
    def test_any_bytes_are_read_or_refused(self, data: bytes) -> None:
        for content in (data, gzip.compress(data, 1)):
            with contextlib.suppress(DependencyError):
                assert all(path and isinstance(path, str) for path, _ in files(content, "any"))


class TestNames:
    @pytest.mark.parametrize("name", ["axios", "@slack/webhook", "ipaddr.js", "JSONStream", "a-b_c~d"])
    def test_good_names(self, name: str) -> None:
        assert check_name(name) == name

    @pytest.mark.parametrize(
        "name",
        [
            "", "--registry=x", "-g", "../evil", "a/b/c", "@a", "@a/", "@/b", "a b", "a;b", "a\nb",
            "a%2fb", ".hidden", "_x", "http://x/y", "git+ssh://x", "file:../x", "npm:x", "node_modules",
            "a@1", "é", "a?b", "a#b", "a\0b", "x" * 215, "@a/../b", "..",
        ],
    )  # fmt: skip
    def test_names_that_are_none(self, name: str) -> None:
        with pytest.raises(DependencyError) as caught:
            check_name(name)
        assert caught.value.rule == "name"

    @pytest.mark.parametrize("wanted", ["1.2.3", "^1", "1.x || 2", ">=1 <2", "next-12", "1.0.0-rc.1+5"])
    def test_good_versions(self, wanted: str) -> None:
        assert check_wanted("a", wanted) == wanted

    def test_blank_is_latest(self) -> None:
        assert check_wanted("a", "  ") == "latest"

    @pytest.mark.parametrize(
        "wanted",
        [
            "--ignore",
            "-1",
            "http://x",
            "git+https://x",
            "file:..",
            "../x",
            "1;rm",
            "1\n2",
            "npm:b@1",
            "x" * 257,
        ],
    )
    def test_versions_that_are_none(self, wanted: str) -> None:
        with pytest.raises(DependencyError) as caught:
            check_wanted("a", wanted)
        assert caught.value.rule == "version"

    @pytest.mark.parametrize(
        ("specifier", "parts"),
        [
            ("lodash", ("lodash", "")),
            ("lodash/merge", ("lodash", "merge")),
            ("@a/b/c/d", ("@a/b", "c/d")),
            ("ipaddr.js@1.9.0", ("ipaddr.js", "")),
            ("@a/b@2.0.0/c", ("@a/b", "c")),
        ],
    )
    def test_specifiers_are_split(self, specifier: str, parts: tuple[str, str]) -> None:
        assert split_specifier(specifier) == parts
