"""The conformance page says what the probes find, and Node still says what was recorded of it."""

from __future__ import annotations

import pytest

from tools.conformance import probe
from tools.conformance.page import PAGE, page
from tools.conformance.probe import Answers

DIFFERENT = {
    "Blob | arrayBuffer",
    "Response | new Response",
    "assert | notEqual and the rest",
    "events | inspect(EventEmitter)",
    "other | crypto.subtle HMAC",
    "other | navigator",
    "path | win32",
    "streams | locked",
    "text | TextDecoder other",
    "timers | order",
    "util | inspect",
    "util | styleText unknown",
    "zlib | brotli",
}
"""Known and written on the page. Shorten it when one is mended; it may not grow unnoticed."""


@pytest.fixture(scope="module")
def guest() -> Answers:
    return probe.of_guest()


def test_what_differs_is_known(guest: Answers) -> None:
    node = probe.recorded().probes
    assert {name for name in node if node[name] != guest.probes.get(name)} == DIFFERENT
    assert set(guest.probes) == set(node)
    assert len(node) > 350


def test_the_page_is_up_to_date(guest: Answers) -> None:
    assert page(guest, probe.recorded()) == PAGE.read_text(encoding="utf-8"), (
        "run python -m tools.conformance and commit the result"
    )


def test_the_record_is_of_the_node_that_comes_with_us() -> None:
    recorded, now = probe.recorded(), probe.of_node()
    if recorded.version != now.version:
        pytest.skip(f"recorded with {recorded.version}; this machine has {now.version}")
    assert dict(recorded.probes) == dict(now.probes)


def test_a_difference_shows_on_the_page() -> None:
    node = Answers("v24.0.0", {"a.b": "function", "require('a')": "value"}, {"x | y": "1", "x | z": "2"})
    ours = Answers(
        "v22.0.0",
        {"require('a')": "value"},
        {"x | y": "one|1", "x | z": "throws Error [ERR_ACCESS_DENIED]: no"},
    )
    text = page(ours, node)
    assert "Of 2 probes 0 come out the same to the letter, 1 differ and 1 are refused" in text
    assert "| `y` | differs: Node `1`, here `one\\|1` |" in text
    assert "| `z` | refused: no |" in text
    assert "| `a` | 0 | `b` |" in text
