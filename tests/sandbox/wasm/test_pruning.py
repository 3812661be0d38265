"""What nobody uses leaves the cache of images; what anybody uses stays."""

from __future__ import annotations

import multiprocessing
import os
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from sandbox.core import caps
from sandbox.wasm import artefacts, pruning
from sandbox.wasm.artefacts import load_or_build
from sandbox.wasm.pruning import DAY_SECONDS, cached, prune

SIZE = 1000
OLD = caps.CACHE_UNUSED_DAYS * DAY_SECONDS + 60


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACTIONBOX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def age(path: Path, seconds: float) -> Path:
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def made(folder: Path, name: str, seconds: float, size: int = SIZE) -> Path:
    """An image that was used `seconds` ago."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-0123abcd.bin"
    path.touch()
    os.truncate(path, size)
    path.with_suffix(".lock").touch()
    return age(path, seconds)


def names(entries: tuple[pruning.Cached, ...] | list[pruning.Cached]) -> list[str]:
    return [one.name for one in entries]


def test_what_was_not_used_for_long_goes(cache: Path) -> None:
    old, new = made(cache, "old", OLD), made(cache, "new", OLD - 120)
    done = prune(cache)
    assert (names(done.removed), names(done.kept)) == (["old"], ["new"])
    assert not old.exists()
    assert not old.with_suffix(".lock").exists()
    assert new.exists()
    assert new.with_suffix(".lock").exists()


@pytest.mark.parametrize(("more", "left"), [(0, ["a", "b", "c"]), (1, ["a", "b"])])
def test_the_longest_unused_go_when_there_is_too_much(cache: Path, more: int, left: list[str]) -> None:
    for name, seconds, size in (("c", 9_000, SIZE), ("a", 7_000, caps.MAX_CACHE_BYTES - 2 * SIZE)):
        made(cache, name, seconds, size)
    made(cache, "b", 8_000, SIZE + more)
    assert names(prune(cache).kept) == left


def test_what_was_used_just_now_stays_however_much_there_is(cache: Path) -> None:
    made(cache, "a", 10)
    assert names(prune(cache, max_bytes=0).kept) == ["a"]


def test_loading_counts_as_use(cache: Path) -> None:
    load_or_build("js", "v1", lambda: b"image")
    [path] = cache.glob("*.bin")
    age(path, OLD)
    assert load_or_build("js", "v1", lambda: b"another") == b"image"
    assert names(prune(cache).kept) == ["js"]
    age(path, OLD)
    assert artefacts.find("js", "v1") == b"image"
    assert names(prune(cache).kept) == ["js"]


def test_building_an_image_prunes(cache: Path) -> None:
    old = made(cache, "old", OLD)
    load_or_build("js", "v1", lambda: b"image")
    assert not old.exists()
    assert load_or_build("js", "v1", lambda: b"another") == b"image"


def test_builds_that_follow_each_other_prune_once_in_a_while(cache: Path) -> None:
    load_or_build("js", "v1", lambda: b"image")
    old = made(cache, "old", OLD)
    load_or_build("js", "v2", lambda: b"image")
    assert old.exists()
    age(cache / "pruned", 601)
    load_or_build("js", "v3", lambda: b"image")
    assert not old.exists()


def _serve(loaded: Event, over: Event) -> None:
    load_or_build("python-native", "v1", lambda: b"image")
    loaded.set()
    over.wait(30)


def test_what_a_running_process_uses_stays_until_it_ends(cache: Path) -> None:
    """However it ends: the system gives the lock back."""
    context = multiprocessing.get_context("spawn")
    loaded, over = context.Event(), context.Event()
    process = context.Process(target=_serve, args=(loaded, over))
    process.start()
    try:
        assert loaded.wait(30)
        [path] = cache.glob("*.bin")
        age(path, OLD)
        assert [one.in_use for one in cached(cache)] == [True]
        assert names(prune(cache).kept) == ["python-native"]
    finally:
        process.kill()
        process.join()
    assert names(prune(cache).removed) == ["python-native"]


def test_what_is_being_built_stays(cache: Path) -> None:
    path = made(cache, "js", OLD)
    with artefacts._exclusive(path.with_suffix(".lock")):
        assert names(prune(cache).kept) == ["js"]
    assert names(prune(cache).removed) == ["js"]


def test_what_was_used_since_the_look_around_stays(cache: Path) -> None:
    path = made(cache, "js", OLD)
    [seen] = cached(cache)
    os.utime(path)
    assert not pruning._remove(seen)
    assert path.exists()


def test_packages_go_like_images(cache: Path) -> None:
    for name, seconds in (("javascript-packages-1", OLD), ("javascript-packages-2", 60)):
        (cache / name / "node_modules").mkdir(parents=True)
        (cache / name / "node_modules" / "index.js").write_bytes(bytes(SIZE))
        age(cache / name, seconds)
    done = prune(cache)
    assert [one.path.name for one in done.removed] == ["javascript-packages-1"]
    assert [one.size >= SIZE for one in (*done.removed, *done.kept)] == [True, True]
    assert [path.name for path in cache.iterdir()] == ["javascript-packages-2"]


def test_remains_of_killed_processes_go_a_day_later(cache: Path) -> None:
    made(cache, "js", 60)
    for name in ("js-1.binabc", "artefact.keyabc", "other.lock", "js-2.binyoung"):
        (cache / name).write_bytes(b"half")
        age(cache / name, 60 if "young" in name else DAY_SECONDS + 60)
    (cache / "bundling-x" / "sub").mkdir(parents=True)
    age(cache / "bundling-x", DAY_SECONDS + 60)
    age(cache / "js-0123abcd.lock", DAY_SECONDS + 60)
    (cache / "artefact.key").write_bytes(bytes(32))
    age(cache / "artefact.key", OLD)
    prune(cache)
    left = ["artefact.key", "js-0123abcd.bin", "js-0123abcd.lock", "js-2.binyoung"]
    assert sorted(path.name for path in cache.iterdir()) == left


def _prune_often(cache: str) -> None:
    for _ in range(200):
        prune(Path(cache), unused_days=0, max_bytes=0)


def test_pruning_while_others_load(cache: Path) -> None:
    """Whoever loads gets the image, whatever is removed meanwhile."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_prune_often, args=(str(cache),))
    process.start()
    try:
        rounds = 0
        while process.is_alive() or not rounds:
            assert load_or_build(f"js{rounds % 3}", "v1", lambda: b"image" * 999) == b"image" * 999
            rounds += 1
    finally:
        process.join()
    assert process.exitcode == 0


def test_a_cache_that_is_not_there_is_nothing_to_prune(tmp_path: Path) -> None:
    assert prune(tmp_path / "none") == pruning.Pruned((), ())
