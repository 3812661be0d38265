"""Frames: whole whatever pieces they come in, and bounded before anything is kept."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.workers.protocol.frames import Bounds, Decoder, FrameError, UnsendableError, encode
from runner.workers.protocol.messages import read
from tests.strategies import json_values

heads = st.dictionaries(st.text(max_size=10), st.text(max_size=20) | st.integers() | st.none(), max_size=4)


@given(st.lists(st.tuples(heads, st.binary(max_size=300)), max_size=6), st.integers(1, 64))
def test_frames_come_out_as_they_went_in(sent: list[tuple[dict[str, Any], bytes]], size: int) -> None:
    stream = b"".join(encode(head, body) for head, body in sent)
    decoder = Decoder()
    found = []
    for at in range(0, len(stream), size):
        found += [(json.loads(head), body) for head, body in decoder.feed(stream[at : at + size])]
    assert found == sent


def test_a_frame_at_the_caps_passes_and_one_above_does_not() -> None:
    small = Bounds(head=10, body=20)
    assert list(Decoder(small).feed(struct.pack("<II", 10, 20) + b"x" * 30)) == [(b"x" * 10, b"x" * 20)]
    for lengths in ((11, 0), (1, 21)):
        with pytest.raises(FrameError):
            list(Decoder(small).feed(struct.pack("<II", *lengths)))


def test_who_sends_keeps_to_the_caps_of_who_reads() -> None:
    small = Bounds(head=10, body=20)
    frame = encode({"a": 1234}, b"x" * 20, small)
    assert list(Decoder(small).feed(frame)) == [(b'{"a":1234}', b"x" * 20)]
    for head, body in (({"a": 12345}, b""), ({"a": 1234}, b"x" * 21)):
        with pytest.raises(UnsendableError):
            encode(head, body, small)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\x80\x04N.",
        b'{"t":"reboot"}',
        b'{"t":"pong"}',
        b'{"t":"pong","n":"1"}',
        b'{"t":"pong","n":-1}',
        b'{"t":"pong","n":1.5}',
        b'{"t":"pong","n":1,"more":1}',
        b'{"t":"done","id":1,"parts":[1,2]}',
        b'{"t":"done","id":1,"parts":[1,2,-3]}',
        b'{"t":"kept","id":1,"lost":"stolen"}',
        b'{"t":"fetch","id":1,"session":1,"fetch":51,"allow":-1,"left_ms":1}',
        b'{"t":"fetch","id":1,"session":1,"fetch":1,"allow":-1,"left_ms":NaN}',
        b'{"t":"cache","ask":1,"id":1,"op":"drop","now":1}',
        b'{"t":"cache","ask":1,"id":1,"op":"get","now":1,"key":"' + b"k" * 65 + b'"}',
        b'{"t":"log","level":"critical","text":""}',
        b"[" * 5000,
    ],
)
def test_what_is_no_message_is_refused(head: bytes) -> None:
    with pytest.raises(FrameError):
        read(head)


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else(noise: bytes) -> None:
    with pytest.raises(FrameError):
        read(noise)


GOOD: tuple[dict[str, Any], ...] = (
    {"t": "ready", "rights": {"no_files": True}},
    {"t": "moved", "id": 1, "state": "waits"},
    {"t": "done", "id": 1, "parts": [1, 2, 3], "expires_at": 1.5},
    {"t": "kept", "id": 1, "lost": "large"},
    {
        "t": "refused",
        "id": 1,
        "kind": "event",
        "message": "m",
        "problems": [["$", "a", "b", None]],
        "total": 1,
    },
    {"t": "built", "id": 1, "ok": True},
    {"t": "cache", "ask": 1, "id": 1, "op": "set", "key": "k", "value": "v", "expires_at": 1, "now": 1},
    {"t": "directory", "ask": 1, "id": 1, "op": "groups"},
    {"t": "fetch", "id": 1, "session": 1, "fetch": 1, "allow": -1, "left_ms": 5.0},
)
"""Messages as a healthy worker sends them."""


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good["t"])
def test_what_a_worker_says_is_read(good: dict[str, Any]) -> None:
    assert read(json.dumps(good).encode()).t == good["t"]


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A message with one value replaced, lost or added."""
    message = dict(draw(st.sampled_from(GOOD)))
    name = draw(st.sampled_from(sorted(message)) | st.text(max_size=4))
    if draw(st.booleans()):
        message[name] = draw(json_values)
    else:
        message.pop(name, None)
    return message


@given(damaged())
def test_a_damaged_message_is_read_as_it_is_or_refused(message: dict[str, Any]) -> None:
    """Nothing is taken for something else, and nothing that is there is passed over."""
    try:
        found = read(json.dumps(message).encode())
    except FrameError:
        return
    said = found.model_dump(mode="json", exclude_unset=True)
    assert said == message
