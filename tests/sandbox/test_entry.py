"""The public entry over both languages."""

from __future__ import annotations

import threading

import pytest

import sandbox
from sandbox import BuildError, FailureCode, Language, Limits, Source

SOURCES = {
    Language.JAVASCRIPT: "exports.onExecutePostLogin = async () => {};\nexports.other = () => {};",
    Language.PYTHON: "async def on_execute_post_login(event, api):\n    pass\n\ndef other():\n    pass\n",
}


def test_an_engine_is_opened_once_for_all_threads() -> None:
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(sandbox.open_engine(Language.JAVASCRIPT)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


@pytest.mark.parametrize("language", Language)
def test_exports_are_the_functions_of_the_top_level(language: Language) -> None:
    program = sandbox.build(Source(language, "action", SOURCES[language]))
    assert program.language is language
    assert len(sandbox.exports(program)) == 2


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (Language.JAVASCRIPT, "while (true);"),
        (Language.PYTHON, "while True:\n    pass\n"),
    ],
)
def test_a_top_level_that_does_not_end_is_a_time_out(language: Language, text: str) -> None:
    limits = Limits(wall_ms=200)
    program = sandbox.build(Source(language, "action", text))
    with pytest.raises(BuildError) as caught:
        sandbox.exports(program, limits)
    assert caught.value.failure.code is FailureCode.TIMEOUT


@pytest.mark.parametrize(
    ("language", "text"), [(Language.JAVASCRIPT, "exports.x = ("), (Language.PYTHON, "def x(:\n")]
)
def test_a_source_that_does_not_parse_is_refused(language: Language, text: str) -> None:
    with pytest.raises(BuildError) as caught:
        sandbox.build(Source(language, "action", text))
    assert caught.value.failure.code is FailureCode.SYNTAX
    assert caught.value.failure.place is not None


def test_building_the_images_opens_every_engine() -> None:
    sandbox.build_images(lambda message: None)
    assert {sandbox.open_engine(language).language for language in Language} == set(Language)
