"""TypeScript and ES module sources: they run, and errors stand where the tenant wrote them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sandbox
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.javascript.errors.sourcemap import original
from tests.sandbox.javascript.conftest import Run, compiled

TYPESCRIPT = """\
import type { Unused } from 'types-only';

interface Claims { readonly plan: string }
enum Level { Low, High = 7 }

const label = <T extends string>(value: T): T => value;

export const onExecutePostLogin = async (event: any, api: any): Promise<void> => {
  const claims: Claims = { plan: label('gold') };
  api.idToken.setCustomClaim('plan', claims!.plan + Level.High);
  if (event.fail) {
    const nothing = undefined as any;
    nothing.explode();
  }
  console.log(typeof event);
};
"""


def rejected(text: str, filename: str) -> Failure:
    with pytest.raises(BuildError) as caught:
        compiled(text, filename)
    return caught.value.failure


class TestSources:
    @pytest.mark.parametrize("filename", ["action.ts", "action.mts"])
    def test_typescript_runs_without_its_types(self, run: Run, filename: str) -> None:
        ran = run(TYPESCRIPT, filename=filename)
        assert ran.result.failure is None
        assert ran.commands == [("idToken.setCustomClaim", ["plan", "gold7"])]
        assert ran.log == ["object"]

    def test_typescript_may_be_commonjs(self, run: Run) -> None:
        ran = run("exports.onExecutePostLogin = (e: object): void => console.log('cts')", filename="a.cts")
        assert ran.log == ["cts"]

    @pytest.mark.parametrize("filename", ["action.js", "action.mjs"])
    def test_es_modules_run(self, run: Run, filename: str) -> None:
        text = (
            "let count = 0;\nexport async function onExecutePostLogin(event, api) { console.log(++count); }"
        )
        assert run(text, filename=filename).log == ["1"]

    def test_exported_names_are_found(self) -> None:
        program = compiled("export const onExecutePostLogin = () => {};\nexport const other = 1;", "a.js")
        assert sandbox.exports(program) == ("onExecutePostLogin",)

    def test_common_js_is_not_touched(self) -> None:
        assert compiled("exports.a = () => {}").mappings == ""


class TestPositions:
    def test_an_error_is_placed_in_the_typescript(self, run: Run) -> None:
        failure = run(TYPESCRIPT, filename="action.ts", event={"fail": True}).failure
        assert failure.code is FailureCode.THROW
        assert failure.place is not None
        assert (failure.place.file, failure.place.line) == ("action.ts", 13)
        assert failure.place.excerpt == "    nothing.explode();"
        assert [(frame.function, frame.line) for frame in failure.stack] == [("onExecutePostLogin", 13)]

    def test_a_syntax_error_is_placed_in_the_typescript(self) -> None:
        failure = rejected("const a: number = 1;\nconst b: = 2;\n", "action.ts")
        assert failure.code is FailureCode.SYNTAX
        assert failure.place is not None
        assert (failure.place.line, failure.place.column) == (2, 10)
        assert failure.place.excerpt == "const b: = 2;"

    def test_a_syntax_error_in_an_es_module_is_not_blamed_on_its_import(self) -> None:
        failure = rejected("import util from 'util';\nexport const a = ;\n", "action.js")
        assert failure.code is FailureCode.SYNTAX
        assert failure.place is not None
        assert failure.place.line == 2

    def test_await_at_top_level_is_explained(self) -> None:
        failure = rejected("export const a = 1;\nawait a;\n", "action.mjs")
        assert "`await` is used outside a function" in failure.message
        assert failure.place is not None
        assert failure.place.line == 2


class TestSourceMaps:
    def test_without_mappings_positions_stay(self) -> None:
        assert original("", 3, 4) == (3, 4)

    def test_text_that_the_compiler_added_has_no_place(self) -> None:
        assert original(";AAAA", 1, 1) is None
        assert original(";AAAA", 9, 1) is None

    def test_the_nearest_point_before_counts(self) -> None:
        # line 1: column 0 -> 1:1, column 4 -> 2:3
        mappings = "AAAA,IACE"
        assert original(mappings, 1, 4) == (1, 1)
        assert original(mappings, 1, 5) == (2, 3)
        assert original(mappings, 1, 900) == (2, 3)

    @given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 500), st.integers(0, 500)), min_size=1))
    def test_every_encoded_point_is_found_again(self, points: list[tuple[int, int, int]]) -> None:
        at = {column: (line, source) for column, line, source in points}
        encoded, previous = [], (0, 0, 0)
        for column in sorted(at):
            line, source = at[column]
            fields = (column - previous[0], 0, line - previous[1], source - previous[2])
            encoded.append("".join(map(vlq, fields)))
            previous = (column, line, source)
        mappings = ",".join(encoded)
        for column, (line, source) in at.items():
            assert original(mappings, 1, column + 1) == (line + 1, source + 1)


def vlq(number: int) -> str:
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    rest, text = (-number << 1) | 1 if number < 0 else number << 1, ""
    while True:
        digit, rest = rest & 31, rest >> 5
        text += digits[digit | (32 if rest else 0)]
        if not rest:
            return text
