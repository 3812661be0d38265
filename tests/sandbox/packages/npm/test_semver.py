"""Versions and ranges as npm reads them: compared with npm's own `semver`, which comes with Node."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.javascript import toolchain
from sandbox.packages.npm.semver import InvalidVersionError, best, parse_range, parse_version

RANGES = [
    "1.2.3", "=1.2.3", "v1.2.3", "^1.2.3", "^0.2.3", "^0.0.3", "^1", "^0", "^0.0", "^1.x", "~1.2.3", "~1.2",
    "~1", "~>1.2.3", "1.x", "1.2.x", "1.2.*", "*", "", "x", ">=1.2.3", ">1.2.3", ">1", ">1.2", "<=1.2",
    "<1.2", "<2", "<=1.2.3", ">=1.2.3 <2.0.0", ">= 1.2.3 < 2.0.0", "1.2.3 - 2.3.4", "1.2 - 2.3", "1 - 2",
    "1.2.3 - 2", "^1 || ^3", "1.0.0 || >=2.0.0 <2.1.0 || ^4.0.0-beta", "^1.2.3-beta.2", "~1.2.3-beta.2",
    ">=1.0.0-rc.1", "<2.0.0-alpha", "1.2.3-alpha", "^4.0.0-beta.1", ">x", "<*", "=v2.0.0+build", "^ 1.2",
]  # fmt: skip
VERSIONS = [
    "0.0.0", "0.0.3", "0.0.4", "0.2.3", "0.2.9", "0.3.0", "1.0.0", "1.2.2", "1.2.3", "1.2.3-alpha",
    "1.2.3-beta.2", "1.2.3-beta.10", "1.2.4-beta.2", "1.2.4", "1.3.0", "1.9.9", "2.0.0-alpha", "2.0.0",
    "2.0.1", "2.3.4", "2.3.5", "2.4.0", "3.1.0", "4.0.0-beta.1", "4.0.0-beta.5", "4.2.0",
    "1.0.0-rc.1", "5.0.0+build",
]  # fmt: skip


def npm_says() -> Any:
    script = (
        "const semver = require(process.argv[1]);"
        "const { ranges, versions } = JSON.parse(process.argv[2]);"
        "console.log(JSON.stringify(Object.fromEntries(ranges.map("
        "(r) => [r, versions.filter((v) => semver.satisfies(v, r))]))));"
    )
    module = toolchain.node().parent.parent / "lib/node_modules/npm/node_modules/semver"
    data = json.dumps({"ranges": RANGES, "versions": VERSIONS})
    done = subprocess.run(
        [toolchain.node(), "-e", script, str(module), data], capture_output=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def test_ranges_admit_what_npm_admits() -> None:
    found = {
        text: [version for version in VERSIONS if parse_range(text).admits(parse_version(version))]
        for text in RANGES
    }
    assert found == npm_says()


@pytest.mark.parametrize("text", ["1", "1.2", "a.b.c", "1.2.3.4", "01.2.3", "", "1.2.-3", "1" * 300])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(InvalidVersionError):
        parse_version(text)


@pytest.mark.parametrize("text", ["latest", "next", ">>1", "1 -- 2", "^^1", "1.2.3.4", "||" * 200])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(InvalidVersionError):
        parse_range(text)


def test_the_highest_is_best() -> None:
    assert best("^1", VERSIONS) == "1.9.9"
    assert best("^9", VERSIONS) is None
    assert best("*", ["not a version", "1.0.0"]) == "1.0.0"


numbers = st.integers(0, 30)
cores = st.tuples(numbers, numbers, numbers)


def spelled(core: tuple[int, int, int]) -> str:
    return ".".join(map(str, core))


@given(cores, cores)
def test_order_is_that_of_the_numbers(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    assert (parse_version(spelled(one)) < parse_version(spelled(other))) == (one < other)


@given(cores)
def test_a_version_is_in_its_own_ranges(core: tuple[int, int, int]) -> None:
    for operator in ("", "=", "^", "~", ">=", "<="):
        assert parse_range(operator + spelled(core)).admits(parse_version(spelled(core)))


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_range(text)
    except InvalidVersionError:
        return
    assert parse_range(text) is parse_range(text)
