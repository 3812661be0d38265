"""No healthy worker breaks its own protocol: what the parent would not read is not sent, and fails alone."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.flow import outcome_builder, outcome_size
from runner.flow.runner import Runner
from runner.model import caps
from runner.model.action import Action
from runner.model.errors import FlowError, ResumeError
from runner.model.outcome import Decision
from runner.suspension.stores import MemoryStore
from runner.workers import BuildCall, LegCall, LegReply
from runner.workers.child.builder import Asking
from runner.workers.child.host_proxies import RemoteCache, RemoteDirectory, RemoteEgress
from runner.workers.child.main import _ToParent
from runner.workers.child.worker_server import WorkerServer
from runner.workers.parent.processes import worker
from runner.workers.protocol import frames, messages
from runner.workers.protocol.channel import Frame
from runner.workers.protocol.codec import failure_bytes, read_failure
from runner.workers.protocol.frames import Bounds, Decoder, UnsendableError
from sandbox.core.caps import MAX_FETCHES, MAX_IMAGE_BYTES, Limits
from sandbox.core.failure import BuildError, Failure, FailureCode, Place
from sandbox.core.failure import Frame as StackFrame
from sandbox.core.program import Language, Source
from sandbox.egress.model import FetchRequest
from sandbox.egress.none import NoEgress
from sandbox.egress.wire import read_request
from sandbox.javascript import image
from tests.workers.pools import EVENT, EVERYTHING, LivePool, javascript, pool
from triggers import EventError, Problem, StaticDirectory
from triggers.engine.services import CacheRecord
from triggers.values.problems import MAX_PROBLEMS

ASTRAL = "\U0001f600"
"""Twelve bytes of a head's JSON for one character; nothing takes more."""
MESSAGES: tuple[type, ...] = get_args(get_args(messages.Message)[0])
_ESCAPED = 3
"""A text of JSON inside JSON: two bytes of UTF-8 become six."""
hostile = st.text(st.characters(), max_size=300) | st.sampled_from([ASTRAL * 70_000, "\ud800", "\0" * 70_000])


def read(frame: bytes) -> tuple[Any, bytes]:
    """What the parent makes of a frame. Raises `FrameError`."""
    [(head, body)] = Decoder().feed(frame)
    return messages.read(head), body


def values(kind: type) -> st.SearchStrategy[dict[str, Any]]:
    """Members of a message, of the right types and of any size."""
    by_type: dict[str, st.SearchStrategy[Any]] = {
        "t": st.just(get_args(kind.model_fields["t"].annotation)[0]),  # type: ignore[attr-defined]
        "rights": st.dictionaries(hostile, st.booleans(), max_size=5),
        "problems": st.lists(st.tuples(hostile, hostile, hostile, hostile | st.none()), max_size=120),
        "parts": st.tuples(*[st.integers()] * 3),
        "ok": st.booleans(),
    }
    for name in ("level", "state", "op", "kind"):
        if name in kind.model_fields:  # type: ignore[attr-defined]
            by_type[name] = st.sampled_from(get_args(kind.model_fields[name].annotation))  # type: ignore[attr-defined]

    def strategy(name: str, annotation: Any) -> st.SearchStrategy[Any]:
        if name in by_type:
            return by_type[name]
        return hostile if annotation is str else st.integers() | st.floats()

    fields = kind.model_fields  # type: ignore[attr-defined]
    return st.fixed_dictionaries({name: strategy(name, field.annotation) for name, field in fields.items()})


@given(st.sampled_from(MESSAGES).flatmap(values), st.binary(max_size=50))
def test_every_message_that_is_sent_is_read(head: dict[str, Any], body: bytes) -> None:
    try:
        frame = messages.encode(head, body)
    except UnsendableError:
        return
    found, content = read(frame)
    assert (found.t, content) == (head["t"], body)


def test_both_ends_of_each_direction_have_the_same_caps() -> None:
    with pytest.raises(UnsendableError):
        messages.encode({"t": "fault", "id": 1, "fault": "x"}, bytes(frames.TO_PARENT.body + 1))
    read(messages.encode({"t": "fault", "id": 1, "fault": "x"}, bytes(frames.TO_PARENT.body)))
    with pytest.raises(UnsendableError):
        frames.encode({}, bytes(frames.TO_WORKER.body + 1))


def test_the_caps_of_what_is_sent_fit_into_the_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert frames.TO_PARENT.body >= caps.MAX_OUTCOME_BYTES + caps.MAX_SUSPENDED_BYTES
    assert frames.TO_PARENT.body >= MAX_IMAGE_BYTES
    assert frames.TO_WORKER.body > _ESCAPED * caps.MAX_SUSPENDED_BYTES, "it comes back with the resume"
    monkeypatch.setattr(image, "MAX_IMAGE_BYTES", 3)
    assert image._bounded(b"xxx") == b"xxx"
    with pytest.raises(BuildError, match="take 4 bytes"):
        image._bounded(b"xxxx")


class Wire:
    """A link whose other end is the parent's reader."""

    def __init__(self, ok: Any = None) -> None:
        self.seen: list[tuple[Any, bytes]] = []
        self._ok = ok

    def send(self, head: Any, body: bytes = b"") -> None:
        self.seen.append(read(messages.encode(head, body)))

    def ask(self, head: Any, body: bytes = b"") -> Frame:
        self.send({**head, "ask": 1}, body)
        return {"ok": self._ok}, b""

    answered = None


HUGE = ["x" * 1_000_000, ASTRAL * 250_000, '"' * 1_000_000, "\u2028" * 300_000]


@pytest.mark.parametrize("text", HUGE, ids=["long", "astral", "quotes", "lines"])
def test_what_legs_ask_for_fits_into_messages(text: str) -> None:
    wire: Any = Wire(ok=[])
    directory = RemoteDirectory(wire, 1)
    directory.groups(text)
    directory.roles(text, text)
    directory.group_type(text)
    assert json.loads(wire.seen[1][1]) == [text, text]
    cache = RemoteCache(wire, 1)
    assert cache.get(text, 1) is None
    assert cache.delete(text, 1) is False
    assert len(wire.seen) == 3, "no key is that long"


def test_cache_records_at_their_caps_fit() -> None:
    wire: Any = Wire()
    cache = RemoteCache(wire, 1)
    for character in ("x", "\0", "é", ASTRAL):
        size = len(character.encode())
        cache.set(character * (64 // size), CacheRecord(character * (4096 // size), 2**53), 2**53)
    assert len(wire.seen) == 4


@pytest.mark.parametrize("character", ["x", "é", "\u2028", ASTRAL, '"'])
def test_requests_at_their_caps_are_read_by_the_parent(character: str) -> None:
    wire: Any = Wire()
    session = RemoteEgress(wire, 1, [], lambda: None).open(1e12)
    size = len(character.encode())
    headers = tuple((f"x-{index:03}", character * (650 // size)) for index in range(99))
    request = FetchRequest(
        url="https://x.example/" + character * (16_000 // size), method="POST", headers=headers,
        body=bytes(2 * 1024 * 1024), timeout_ms=1e9, redirect="manual",
    )  # fmt: skip
    for _ in range(MAX_FETCHES):
        session.start(request, lambda _: None)
    found = read_request(wire.seen[-1][1].decode())
    assert (found.headers, found.url) == (request.headers, request.url)


@pytest.mark.parametrize("text", ["\ud800" * 9, *HUGE], ids=["alone", "long", "astral", "quotes", "lines"])
def test_what_is_said_of_texts_of_any_kind_is_read(text: str) -> None:
    wire: Any = Wire(ok={"stderr": "", "done": True, "exhausted": False})
    problems = [Problem("$" + text, text, text, text)] * MAX_PROBLEMS
    server = WorkerServer(wire)
    server._refuse(1, EventError(problems, 10**12))
    server._refuse(1, FlowError("code", text, next_step=text))
    server._refuse(1, ResumeError("code", text, next_step=text))
    Asking(wire).compiled(text, text)
    handler = _ToParent(wire)
    handler.emit(logging.LogRecord("x", logging.ERROR, "", 1, "%s", (text,), None))
    assert [item.t for item, _ in wire.seen] == ["refused"] * 3 + ["transpile", "log"]


@given(hostile, hostile)
def test_failures_of_texts_of_any_kind_are_read(text: str, other: str) -> None:
    place = Place(other, 1, 1, text)
    stack = (StackFrame(text, other, 1),)
    failure = Failure(FailureCode.THROW, text, other, place, stack, text, {"a": other, "b": None, "c": 1.5})
    assert read_failure(failure_bytes(failure)) == failure


# --- with real workers ---

LONG_NAMES = "".join(f"def {'ü' * 120}{number}(): pass\n" for number in range(380))


def test_export_names_of_any_number_and_length_build(live: LivePool) -> None:
    pids = live.pids()
    text = f"{LONG_NAMES}async def on_execute_post_login(event, api):\n    print('here')\n"
    source = Source(Language.PYTHON, "names.py", text)
    built = live.wait(live.pool.build("harbor", BuildCall(source=source)))
    assert built.failure is None, built.failure
    assert live.run(Action("names", source)).actions[0].logs[0].text == "here"
    assert live.pids() == pids


SUBJECT = "auth0|" + ASTRAL * 100_000
GROUP: Any = {"id": "grp_1", "name": "crew", "connection_id": "con_1"}


def test_a_subject_of_any_length_is_looked_up_as_in_process(live: LivePool) -> None:
    groups = {SUBJECT: [GROUP]}
    event = {**EVENT, "user": {**EVENT["user"], "user_id": SUBJECT}}
    action = javascript("console.log(JSON.stringify((await api.groups.getUserGroups()).groups));")
    alone = Runner(egress=NoEgress(), directory=StaticDirectory(groups)).run("post-login", event, [action])
    with pool(workers=1, directory=lambda _: StaticDirectory(groups)) as own:
        assert own.run(action, event=event).actions[0].logs[0].text == alone.actions[0].logs[0].text
    assert GROUP["id"] in alone.actions[0].logs[0].text
    pids = live.pids()
    assert live.run(action, event=event).actions[0].logs[0].text == "[]"
    assert live.pids() == pids


def narrow(body: int) -> tuple[str, ...]:
    """What a pool starts in place of a worker: one whose messages have room for less."""
    code = (
        "from runner.workers.child import main as child, worker_server\n"
        "from runner.workers.protocol import frames, messages\n"
        f"messages.TO_PARENT = worker_server.TO_PARENT = frames.Bounds(head=100_000, body={body})\n"
        "child.main()"
    )
    return "-I", "-X", "utf8", "-c", code


FLOOD = javascript('for (let i = 0; i < 400; i++) console.log("\\0".repeat(60_000));')
ROOMY = Limits(log_bytes=16 * 1024 * 1024)
WRITER = javascript('console.log("hello"); api.user.setUserMetadata("a", "b");', name="writer")


def test_an_outcome_over_its_cap_fails_its_flow_alone_and_alike(live: LivePool) -> None:
    pids = live.pids()
    actions = [WRITER, javascript(FLOOD.source.text.partition("{\n")[2][:-3], name="flood", limits=ROOMY)]
    alone = Runner(egress=NoEgress()).run("post-login", EVENT, actions)
    other = live.call(WRITER, tenant="other")
    found = live.run(*actions)
    for outcome in (alone, found):
        assert outcome.decision is Decision.FAILED
        assert outcome.failure is not None
        assert outcome.failure.code is FailureCode.OUTPUT
        assert outcome.failed_action == 1
        assert outcome.effects.user_metadata == {}
        assert [record.logs for record in outcome.actions] == [(), ()]
        assert outcome.actions[0].logs_cut_bytes == 5
    assert found.failure == alone.failure
    assert other.result(30).outcome.decision is Decision.ALLOW
    assert live.pids() == pids


def test_a_record_that_is_too_large_for_a_message_is_left_out() -> None:
    call = LegCall(trigger="post-login", event=EVENT, actions=(WRITER,), record=EVERYTHING)

    async def lost(reply: LegReply) -> str:
        assert reply.record is not None
        return (await reply.record).lost

    with pool(workers=1, command=narrow(body=4_000)) as live:
        reply = live.wait(live.pool.run("harbor", call))
        assert reply.outcome.failure is None
        assert live.wait(lost(reply)) == "large"
        small = replace(EVERYTHING, most_bytes=100)
        again = live.wait(live.pool.run("harbor", call.model_copy(update={"record": small})))
        assert live.wait(lost(again)) == "large"
        assert live.pool.stats().restarts == {}


def test_a_flow_that_is_too_large_to_wait_fails_and_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    action = javascript('api.redirect.sendUserTo("https://x.example/");')
    store = MemoryStore()
    runner = Runner(egress=NoEgress(), store=store)
    assert runner.run("post-login", EVENT, [action]).suspension is not None
    kept = len(store._entries)
    monkeypatch.setattr(outcome_builder, "MAX_SUSPENDED_BYTES", 1_000)
    found = runner.run("post-login", EVENT, [action])
    assert found.decision is Decision.FAILED
    assert found.failure is not None
    assert found.failure.detail == {"limit": "suspended_bytes", "value": 1_000}
    assert found.suspension is None
    assert found.effects.redirect is None
    assert len(store._entries) == kept


def test_the_cap_of_an_outcome_is_the_size_of_its_json(monkeypatch: pytest.MonkeyPatch) -> None:
    def low_caps(to: int) -> None:
        for module in (outcome_size, outcome_builder):
            monkeypatch.setattr(module, "MAX_OUTCOME_BYTES", to)

    runner = Runner(egress=NoEgress(), wall=lambda: 1.7e9)
    size = len(runner.run("post-login", EVENT, [WRITER]).to_json().encode())
    low_caps(size + 200)
    assert runner.run("post-login", EVENT, [WRITER]).failure is None
    low_caps(size - 200)
    failure = runner.run("post-login", EVENT, [WRITER]).failure
    assert failure is not None
    assert failure.detail == {"limit": "outcome_bytes", "value": size - 200}
    assert "writer" in failure.message


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
))  # fmt: skip
def test_the_rough_weight_of_a_value_is_not_below_its_json(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert len(text.encode("utf-8", "surrogatepass")) <= 6 * outcome_size._weight(value)


def test_a_call_that_is_too_large_for_a_worker_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pool(workers=1) as live:
        assert live.run(WRITER).decision is Decision.ALLOW
        pids = live.pids()

        def encode(head: Any, body: bytes = b"") -> bytes:
            return frames.encode(head, body, Bounds(head=100_000, body=100_000))

        monkeypatch.setattr(worker, "encode", encode)
        event = {**EVENT, "user": {**EVENT["user"], "nickname": "n" * 100_000}}
        large = [live.call(WRITER, javascript("console.log(2);"), event=event) for _ in range(3)]
        small = live.call(WRITER)
        for call in large:
            failure = call.result(30).outcome.failure
            assert failure is not None
            assert failure.code is FailureCode.OUTPUT
            assert "too large for a worker" in failure.message
        assert small.result(30).outcome.decision is Decision.ALLOW
        assert live.run(javascript("console.log(2);")).actions[0].logs[0].text == "2", "its source was sent"
        assert live.pids() == pids
        assert live.pool.stats().tenants["harbor"].running == 0


def test_a_leg_or_build_that_comes_to_more_than_a_message_holds_fails_alone() -> None:
    over = LegCall(trigger="post-login", event=EVENT, actions=(WRITER,))
    with pool(workers=1, command=narrow(body=100)) as live:
        pids = live.pids()
        found = live.wait(live.pool.run("harbor", over)).outcome
        assert found.failure is not None
        assert found.failure.code is FailureCode.OUTPUT
        broken = Source(Language.JAVASCRIPT, "broken.js", "(")
        built = live.wait(live.pool.build("harbor", BuildCall(source=broken)))
        assert built.failure is not None
        assert built.failure.code is FailureCode.OUTPUT
        assert live.pids() == pids
