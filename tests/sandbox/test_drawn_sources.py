"""Sources made of pieces of real ones: a program, or a refusal that says what is wrong and where."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

import sandbox
from sandbox.core.failure import BuildError, FailureCode
from sandbox.core.program import Language, Source
from tests.drawn import examples

SAMPLES: Final = Path(__file__).parents[2] / "samples"
SUFFIXES: Final = {".js": Language.JAVASCRIPT, ".ts": Language.JAVASCRIPT, ".py": Language.PYTHON}
REFUSALS: Final = {FailureCode.SYNTAX, FailureCode.POLICY, FailureCode.OUTPUT, FailureCode.TIMEOUT}
_PIECE: Final = re.compile(r"\w+|\s+|.", re.DOTALL)


def pieces(suffix: str) -> list[list[str]]:
    """The real sources of one language, cut into words, blanks and signs. JavaScript is TypeScript too."""
    kinds = {".ts": (".ts", ".js")}.get(suffix, (suffix,))
    files = [file for kind in kinds for file in sorted(SAMPLES.glob(f"*/*{kind}"))]
    return [_PIECE.findall(file.read_text("utf-8"))[:400] for file in files]


_REAL: Final = {suffix: pieces(suffix) for suffix in SUFFIXES}
_ODD: Final = st.sampled_from(
    [
        "\0",
        "\ufeff",
        "\u2028",
        "\ud800",
        "ü",
        "\U0001f511",
        "`",
        "/*",
        "'''",
        "\\",
        "${",
        "@",
        "#",
        "\r",
        "\x0c",
    ]
) | st.text(max_size=3)


@st.composite
def sources(draw: st.DrawFn, suffix: str) -> str:
    """A real source in which pieces are lost, doubled, moved, or something else's."""
    real = _REAL[suffix]
    text = list(draw(st.sampled_from(real)))
    other = draw(st.sampled_from(real))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        upto = at + draw(st.integers(0, 8))
        start = draw(st.integers(0, len(other)))
        new = draw(st.just([]) | _ODD.map(lambda odd: [odd]) | st.just(other[start : start + 8]))
        text[at:upto] = new
    return "".join(text)


def check(suffix: str, text: str) -> None:
    try:
        sandbox.build(Source(SUFFIXES[suffix], f"action{suffix}", text))
    except BuildError as error:
        failure = error.failure
        assert failure.code in REFUSALS, failure
        assert failure.message
        assert failure.next_step
        if failure.code is FailureCode.SYNTAX and failure.place is not None:
            lines = len(re.split(r"\r\n|[\n\r\u2028\u2029]", text))
            assert 1 <= failure.place.line <= lines + 1, failure


def test_the_samples_are_there() -> None:
    assert all(len(real) >= 2 for real in _REAL.values())


@examples(60)
@given(st.sampled_from(sorted(SUFFIXES)).flatmap(lambda suffix: st.tuples(st.just(suffix), sources(suffix))))
def test_changed_sources_build_or_are_refused(source: tuple[str, str]) -> None:
    check(*source)


@examples(60)
@given(st.sampled_from(sorted(SUFFIXES)), st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_builds_or_is_refused(suffix: str, text: str) -> None:
    check(suffix, text)
