"""`make fuzz`: run every generated test on new examples until the time is over.

What fails is written into its test as an `@example`, so that `make test` finds it from then on, and that test
is left out of the rounds that follow. Exit status 1 when anything was found.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATCHES = ROOT / ".hypothesis" / "patches"
NOTHING_RAN = 5


def main() -> int:
    """Rounds of all generated tests. The last one is cut short when the time is over."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="how long to go on (default: 600)")
    parser.add_argument("--processes", default="auto", help="how many tests at once (default: one per core)")
    parser.add_argument("tests", nargs="*", default=["tests"], help="files or folders (default: all)")
    options = parser.parse_args()
    until = time.time() + options.seconds
    failed: set[str] = set()
    passed = rounds = 0
    while time.time() < until:
        found, count = one_round(until - rounds * 1e-6, failed, options)
        rounds += 1
        passed += count
        failed |= found
        print(f"round {rounds}: {count} tests passed, {len(found)} failed", flush=True)
        if count == 0:
            break
    print(f"fuzz: {rounds} rounds, {passed} runs of generated tests passed, {len(failed)} tests failed")
    for name in sorted(failed):
        print(f"  {name}")
    return 1 if failed else 0


def one_round(until: float, failed: set[str], options: argparse.Namespace) -> tuple[set[str], int]:
    """The names of the tests that failed for the first time, and how many passed.

    Raises:
        SystemExit: pytest itself could not go on.
    """
    before = set(PATCHES.glob("*.patch"))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-m", "hypothesis", "-q", "--no-header", "--tb=short"]
        command += [f"-n{options.processes}", f"--junitxml={report}", "-o", "junit_family=xunit1"]
        command += [f"--deselect={name}" for name in sorted(failed)] + options.tests
        ended = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "ACTIONBOX_FUZZ_UNTIL": repr(until)}, check=False
        )
        if ended.returncode not in (0, 1, NOTHING_RAN):
            raise SystemExit(f"pytest ended with status {ended.returncode}")
        found, passed = results(report)
    for patch in sorted(set(PATCHES.glob("*.patch")) - before):
        subprocess.run(["git", "apply", str(patch)], cwd=ROOT, check=False)
        print(f"written into the tests as an example: {patch.relative_to(ROOT)}", flush=True)
    return found, passed


def results(report: Path) -> tuple[set[str], int]:
    """Names of the tests that failed, and how many passed."""
    failed, passed = set(), 0
    for case in ET.parse(report).iter("testcase"):
        outcomes = {child.tag for child in case} & {"failure", "error", "skipped"}
        if outcomes & {"failure", "error"}:
            failed.add(name_of(case))
        elif not outcomes:
            passed += 1
    return failed, passed


def name_of(case: ET.Element) -> str:
    """The name that pytest takes back: `tests/a/test_b.py::TestC::test_d[e]`."""
    file = case.get("file", "")
    inner = case.get("classname", "").removeprefix(file.removesuffix(".py").replace("/", ".")).strip(".")
    return "::".join(part for part in (file, *inner.split("."), case.get("name", "")) if part)


if __name__ == "__main__":
    sys.exit(main())
