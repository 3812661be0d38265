"""Commands whose options come from dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from runner.cli.options import with_options

Words = Annotated[list[str], typer.Option("--word", help="A word.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """Options of several commands."""

    words: Words = field(default_factory=list)
    loud: Annotated[bool, typer.Option("--loud", help="In capitals.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Own(Common):
    """Options of one command."""

    name: Annotated[str, typer.Argument(help="Whose.")]
    times: Annotated[int, typer.Option("--times", help="How often.")] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Options of another group."""

    url: Annotated[str | None, typer.Option("--url", help="Where.")] = None


CALLS: list[Any] = []
app = typer.Typer()


@app.command()
@with_options
def say(
    options: Own, target: Target, dry: Annotated[bool, typer.Option("--dry", help="Nothing.")] = False
) -> None:
    """Say it."""
    CALLS.append((options, target, dry))


@app.command()
@with_options
def login(target: Target, url: Annotated[str, typer.Argument(help="Where.")]) -> None:
    """Its argument has the name of an option."""
    CALLS.append((target, url))


def call(*arguments: str) -> Any:
    CALLS.clear()
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return CALLS.pop()


def test_options_reach_the_command_as_their_dataclasses() -> None:
    given = ("say", "Ada", "--word", "a", "--word", "b", "--times", "2", "--url", "u", "--dry")
    assert call(*given) == (Own(words=["a", "b"], name="Ada", times=2), Target(url="u"), True)


def test_what_is_not_given_has_the_default_of_its_field() -> None:
    assert call("say", "Ada") == (Own(name="Ada"), Target(), False)
    assert call("say", "Ada", "--word", "a") != call("say", "Ada")  # the list is made anew each time
    assert call("say", "Ada") == (Own(name="Ada"), Target(), False)


def test_a_parameter_of_the_command_itself_outranks_an_option() -> None:
    assert call("login", "https://here.example") == (Target(), "https://here.example")
    assert CliRunner().invoke(app, ["login", "x", "--url", "y"]).exit_code == 2


@pytest.mark.parametrize("missing", [["say"], ["login"]])
def test_a_field_without_a_default_is_required(missing: list[str]) -> None:
    assert CliRunner().invoke(app, missing).exit_code == 2


def test_help_shows_own_options_before_those_of_several_commands() -> None:
    text = CliRunner().invoke(app, ["say", "--help"]).output
    assert text.index("--dry") < text.index("--times") < text.index("--word") < text.index("--loud")
    assert "Say it." in text
