"""The cache of images: what is loaded is what this installation made."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from sandbox.wasm import artefacts
from sandbox.wasm.artefacts import UnsafeCacheError, cache_directory, load_or_build

PAYLOAD = bytes(range(256)) * 8


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACTIONBOX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Builder:
    def __init__(self, payload: bytes = PAYLOAD) -> None:
        self.built = 0
        self._payload = payload

    def __call__(self) -> bytes:
        self.built += 1
        return self._payload


def only_image(cache: Path) -> Path:
    [path] = cache.glob("*.bin")
    return path


def test_an_image_is_built_once() -> None:
    builder = Builder()
    assert [load_or_build("js", "v1", builder) for _ in range(3)] == [PAYLOAD] * 3
    assert builder.built == 1


def test_another_key_or_name_is_another_image() -> None:
    builder = Builder()
    for name, key in (("js", "v1"), ("js", "v2"), ("py", "v1")):
        load_or_build(name, key, builder)
    assert builder.built == 3


@pytest.mark.parametrize("position", [0, 31, 32, 500, -1])
def test_a_flipped_bit_anywhere_is_noticed_and_the_image_built_again(
    cache: Path, position: int, caplog: pytest.LogCaptureFixture
) -> None:
    builder = Builder()
    load_or_build("js", "v1", builder)
    path = only_image(cache)
    raw = bytearray(path.read_bytes())
    raw[position] ^= 1
    path.write_bytes(raw)
    assert load_or_build("js", "v1", builder) == PAYLOAD
    assert builder.built == 2
    assert "integrity" in caplog.text
    assert load_or_build("js", "v1", builder) == PAYLOAD
    assert builder.built == 2


@pytest.mark.parametrize("raw", [b"", b"short", bytes(32), bytes(64)])
def test_a_file_that_is_no_image_is_replaced(cache: Path, raw: bytes) -> None:
    builder = Builder()
    load_or_build("js", "v1", builder)
    only_image(cache).write_bytes(raw)
    assert load_or_build("js", "v1", builder) == PAYLOAD


def test_an_image_under_the_name_of_another_is_refused(cache: Path) -> None:
    load_or_build("js", "v1", Builder(b"one"))
    one = only_image(cache).read_bytes()
    load_or_build("js", "v2", Builder(b"two"))
    for path in cache.glob("*.bin"):
        path.write_bytes(one)
    assert load_or_build("js", "v1", Builder(b"new")) == b"one"
    assert load_or_build("js", "v2", Builder(b"new")) == b"new"


@pytest.mark.parametrize("key", [b"", b"short"])
def test_an_image_made_under_another_key_is_refused(cache: Path, key: bytes) -> None:
    builder = Builder()
    load_or_build("js", "v1", builder)
    (cache / "artefact.key").write_bytes(key)
    load_or_build("js", "v1", builder)
    assert builder.built == 2
    assert len((cache / "artefact.key").read_bytes()) == 32


def test_a_key_that_others_can_read_is_made_anew(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    builder = Builder()
    load_or_build("js", "v1", builder)
    path = cache / "artefact.key"
    before = path.read_bytes()
    path.chmod(0o644)
    assert load_or_build("js", "v1", builder) == PAYLOAD
    assert builder.built == 2, "whoever read it could have tagged the image"
    assert path.read_bytes() != before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "could be read by others" in caplog.text


def test_folder_key_and_images_are_for_the_owner_only(cache: Path) -> None:
    load_or_build("js", "v1", Builder())
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    for path in (only_image(cache), cache / "artefact.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_an_own_folder_that_others_can_write_is_closed(cache: Path, mode: int) -> None:
    cache.mkdir()
    cache.chmod(mode)
    assert stat.S_IMODE(cache_directory().stat().st_mode) == 0o700


def owned_by(monkeypatch: pytest.MonkeyPatch, path: Path, owner: int, mode: int) -> None:
    """Make `path` look as if `owner` had made it, for a user who is not root."""
    real = Path.stat

    def fake(self: Path, **options: bool) -> os.stat_result:
        status = real(self, **options)
        if self != path:
            return status
        fields = list(status)
        fields[stat.ST_MODE], fields[stat.ST_UID] = stat.S_IFDIR | mode, owner
        return os.stat_result(fields)

    monkeypatch.setattr(Path, "stat", fake)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.parametrize(("owner", "mode"), [(1234, 0o777), (1234, 0o700), (0, 0o777), (0, 0o775)])
def test_a_folder_that_someone_else_can_write_is_refused(
    cache: Path, monkeypatch: pytest.MonkeyPatch, owner: int, mode: int
) -> None:
    cache.mkdir()
    owned_by(monkeypatch, cache, owner, mode)
    with pytest.raises(UnsafeCacheError, match="ACTIONBOX_CACHE") as caught:
        load_or_build("js", "v1", Builder())
    assert str(cache) in str(caught.value)


def test_a_folder_of_the_system_that_only_it_can_write_is_trusted(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir()
    owned_by(monkeypatch, cache, 0, 0o755)
    assert cache_directory() == cache


def test_an_image_that_cannot_be_stored_is_still_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(path: Path, payload: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(artefacts, "_write", full)
    assert load_or_build("js", "v1", Builder()) == PAYLOAD
    assert "could not be cached" in caplog.text


def test_a_build_that_fails_leaves_nothing_behind(cache: Path) -> None:
    def broken() -> bytes:
        raise RuntimeError("no compiler")

    with pytest.raises(RuntimeError):
        load_or_build("js", "v1", broken)
    assert not list(cache.glob("*.bin*"))
    assert load_or_build("js", "v1", Builder()) == PAYLOAD


def _contend(folder: str, counter: str, start: object) -> None:
    os.environ["ACTIONBOX_CACHE"] = folder

    def build() -> bytes:
        with Path(counter).open("a") as file:
            file.write("x")
        return PAYLOAD

    start.wait()  # type: ignore[attr-defined]
    assert load_or_build("js", "v1", build) == PAYLOAD


def test_processes_that_start_together_build_once(cache: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, counter = context.Barrier(3), tmp_path / "built"
    workers = [context.Process(target=_contend, args=(str(cache), str(counter), start)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert counter.read_text() == "x"
