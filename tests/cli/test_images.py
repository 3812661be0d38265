"""`actionbox images --list` and `--prune`."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.cli.test_types import actionbox


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An image that was used now, one a day ago and one 15 days ago."""
    monkeypatch.setenv("ACTIONBOX_CACHE", str(tmp_path))
    tmp_path.chmod(0o700)
    for name, days in (("new", 0), ("day", 1.1), ("old", 15)):
        path = tmp_path / f"{name}-1.bin"
        path.write_bytes(bytes(2_500_000))
        os.utime(path, (time.time() - days * 86_400,) * 2)
    return tmp_path


def left(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.glob("*.bin"))


def test_the_cache_is_listed(cache: Path) -> None:
    done = actionbox("images", "--list")
    lines = done.stdout.splitlines()
    assert (done.returncode, len(lines)) == (0, 4), done.stderr
    assert [text.split()[-1] for text in lines[:3]] == ["new-1.bin", "day-1.bin", "old-1.bin"]
    assert lines[0].split()[:3] == ["2.5", "MB", "used"]
    assert lines[3].startswith("kept 3, 7.5 MB, in ")
    assert len(left(cache)) == 3


@pytest.mark.parametrize(
    ("options", "kept"),
    [([], ["day-1.bin", "new-1.bin"]), (["--unused-days", "1"], ["new-1.bin"])],
)
def test_the_cache_is_pruned(cache: Path, options: list[str], kept: list[str]) -> None:
    done = actionbox("images", "--prune", *options)
    removed = 3 - len(kept)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"removed {removed}, {2.5 * removed} MB; kept {len(kept)}, ")
    assert left(cache) == kept


@pytest.mark.parametrize(
    ("options", "told"),
    [(["--unused-days", "3"], "give both"), (["--prune", "--unused-days", "-1"], "negative")],
)
def test_options_that_do_not_fit(cache: Path, options: list[str], told: str) -> None:
    done = actionbox("images", *options)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(left(cache)) == 3
