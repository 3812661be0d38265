"""Secrets at rest: bound to their owner, openable after a rotation, and never half open."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.config.keys import Keys
from runner.store import KeyRing, Sealed, SealError
from runner.store.sealed.sealing import locked

RING = KeyRing({"k1": b"1" * 32})
WORDS = st.lists(st.text(max_size=6), min_size=1, max_size=4)


@given(st.text(max_size=50), WORDS)
def test_what_was_sealed_opens_for_the_same_owner(value: str, context: list[str]) -> None:
    value = value.encode("utf-8", "replace").decode()
    context = [part.encode("utf-8", "replace").decode() for part in context]
    assert RING.open(RING.seal(value, context), context) == value


@given(WORDS, WORDS)
def test_it_opens_for_no_other_owner(context: list[str], other: list[str]) -> None:
    context, other = (
        [part.encode("utf-8", "replace").decode() for part in item] for item in (context, other)
    )
    sealed = RING.seal("value", context)
    if context != other:
        with pytest.raises(SealError, match="altered, or copied"):
            RING.open(sealed, other)


@given(st.integers(0, 30), st.integers(1, 255))
def test_an_altered_byte_opens_nothing(at: int, change: int) -> None:
    sealed = RING.seal("value", ["a"])
    data = bytearray(sealed.data)
    data[at % len(data)] ^= change
    with pytest.raises(SealError):
        RING.open(Sealed(sealed.key_id, bytes(data)), ["a"])


def test_rotation_seals_with_a_new_key_and_opens_with_the_old_one() -> None:
    old = RING.seal("value", ["a"])
    ring = RING.rotated()
    assert ring.current == "k2"
    assert ring.ids == ("k2", "k1")
    assert ring.open(old, ["a"]) == "value"
    assert ring.seal("value", ["a"]).key_id == "k2"
    with pytest.raises(SealError, match="not in the key ring"):
        ring.without(["k1", "k2"]).open(old, ["a"])


def test_the_same_value_never_looks_the_same() -> None:
    assert RING.seal("value", ["a"]).data != RING.seal("value", ["a"]).data


def test_a_ring_on_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ring.json"
    made = KeyRing.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyRing.load(path).open(made.seal("v", ["a"]), ["a"]) == "v"
    with pytest.raises(SealError, match=r"there is a key ring .* already"):
        KeyRing.create(path)
    made.rotated().save(path)
    assert KeyRing.load(path).ids == ("k2", "k1")
    path.chmod(0o644)
    with pytest.raises(SealError, match="can be read by others"):
        KeyRing.load(path)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"keys": []}', '{"keys": {"k1": "AAAA"}}', '{"keys": {}}', '{"keys": {"k 1": ""}}'],
)
def test_rings_that_cannot_be_used(text: str) -> None:
    with pytest.raises(SealError):
        KeyRing.from_text(text)


def test_derived_keys_differ_by_purpose_and_outlive_a_rotation() -> None:
    assert RING.derive("a") != RING.derive("b")
    assert RING.derive("a")[0] in RING.rotated().derive("a")
    assert RING.derive("a")[0] != RING.rotated().derive("a")[0]


def test_a_ring_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "ring.json"
    made = KeyRing.create(path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(SealError, match="cannot be written"):
            made.rotated().save(path)
        with pytest.raises(SealError, match="cannot be written"):
            KeyRing.create(tmp_path / "other.json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["ring.json"]


def test_one_at_a_time_changes_a_ring(tmp_path: Path) -> None:
    path = tmp_path / "ring.json"
    KeyRing.create(path)
    with locked(path), pytest.raises(SealError, match="another process"), locked(path):
        pass
    with locked(path):
        pass
    with pytest.raises(SealError, match="cannot be read"), locked(tmp_path / "none" / "ring.json"):
        pass


def test_a_ring_that_breaks_while_the_service_runs_is_not_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "ring.json"
    made = KeyRing.create(path)
    keys = Keys(made, path)
    path.write_text("{")
    assert keys.ring.current == made.current
    made.rotated().save(path)
    assert keys.ring.ids == ("k2", "k1")
