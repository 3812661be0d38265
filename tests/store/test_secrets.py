"""Secrets of Actions, modules and versions: whose they are, and what a new set does to the one before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from sqlalchemy import select

from runner.store import KeyRing, SealError, Store
from runner.store.sealed.sealing import ACTION, MODULE, VERSION
from runner.store.sealed.secrets import SecretBox
from runner.store.tables.models import SecretRow
from tests.drawn import examples

RING = KeyRing({"k1": b"1" * 32})
NAMES = st.sampled_from(["A", "B", "C"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("replace"), NAMES, st.dictionaries(NAMES, st.none() | TEXTS)),
        st.tuples(st.just("copy"), NAMES, NAMES),
        st.tuples(st.just("remove"), NAMES, st.none()),
    ),
    max_size=8,
)


@contextmanager
def box(store: Store, ring: KeyRing = RING) -> Iterator[SecretBox]:
    with store.begin() as session:
        yield SecretBox(session, ring, "t1")


def test_sets_of_secrets_are_what_was_written(store: Store) -> None:
    @examples(25, suppress_health_check=list(HealthCheck))
    @given(STEPS)
    def check(steps: list[tuple[str, str, Any]]) -> None:
        there: dict[str, dict[str, str]] = {"A": {}, "B": {}, "C": {}}
        with box(store) as secrets:
            secrets.remove(ACTION, there)
            for step, owner, given in steps:
                if step == "remove":
                    secrets.remove(ACTION, [owner])
                    there[owner] = {}
                elif step == "copy":
                    secrets.copy(ACTION, owner, ACTION, given)
                    there[given] = dict(there[owner])
                else:
                    replaced(secrets, there, owner, given)
            assert {owner: secrets.values(ACTION, owner) for owner in there} == there
            named = secrets.names(ACTION, there)
            assert {owner: [item.name for item in named[owner]] for owner in there} == {
                owner: sorted(values) for owner, values in there.items()
            }

    def replaced(
        secrets: SecretBox, there: dict[str, dict[str, str]], owner: str, wanted: Mapping[str, str | None]
    ) -> None:
        before = there[owner]
        missing = [name for name, value in wanted.items() if value is None and name not in before]
        unchanged = secrets.holds(ACTION, owner, wanted)
        assert secrets.replace(ACTION, owner, wanted) == missing
        if not missing:
            there[owner] = {name: before[name] if value is None else value for name, value in wanted.items()}
        assert unchanged == (not missing and there[owner] == before)

    check()


def test_owners_of_other_kinds_and_tenants_have_their_own(store: Store) -> None:
    with store.begin() as session:
        mine, theirs = (SecretBox(session, RING, tenant) for tenant in ("t1", "t2"))
        mine.replace(ACTION, "x", {"A": "1"})
        mine.replace(MODULE, "x", {"A": "2"})
        theirs.replace(ACTION, "x", {"A": "3"})
        assert [mine.values(ACTION, "x"), mine.values(MODULE, "x"), theirs.values(ACTION, "x")] == [
            {"A": "1"},
            {"A": "2"},
            {"A": "3"},
        ]
        theirs.remove(ACTION, ["x"])
        assert mine.values(ACTION, "x") == {"A": "1"}


def test_a_copy_is_sealed_for_its_owner_and_keeps_the_times(store: Store) -> None:
    with store.begin() as session:
        secrets = SecretBox(session, RING, "t1")
        secrets.replace(ACTION, "x", {"A": "1"})
        (before,) = secrets.names(ACTION, ["x"])["x"]
        secrets.copy(ACTION, "x", VERSION, "v")
        assert secrets.same(ACTION, "x", VERSION, "v")
        assert secrets.names(VERSION, ["v"])["v"] == [before]
        first, second = session.scalars(select(SecretRow).where(SecretRow.name == "A"))
        first.sealed = second.sealed
        session.flush()
        session.expire_all()
        with pytest.raises(SealError, match="copied"):
            secrets.same(ACTION, "x", VERSION, "v")


def test_values_of_another_ring_do_not_open(store: Store) -> None:
    with box(store) as secrets:
        secrets.replace(ACTION, "x", {"A": "1"})
    with (
        box(store, ring=KeyRing({"k2": b"2" * 32})) as secrets,
        pytest.raises(SealError, match="not in the key ring"),
    ):
        secrets.values(ACTION, "x")
