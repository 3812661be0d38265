"""Every sample Action has its header and its cases, and every case passes in the real sandbox."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.flow.programs import ProgramCache
from runner.testing.cases.load import Case, find_case_files, load_cases
from runner.testing.cases.run import CaseResult, run_case
from tests.case_files import cases_below
from triggers import all_triggers

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples"
GUIDE = ROOT / "docs" / "writing-actions.md"

TRIGGERS = sorted(trigger.id for trigger in all_triggers())
NO_ACTIONS = {"modules", "identity_provider", "providers"}
"""Folders of what is no Action: shared modules, a platform, and what runs at providers (tests run both)."""
ACTIONS = sorted(
    path
    for path in SAMPLES.rglob("*")
    if path.suffix in {".js", ".ts", ".py"} and not NO_ACTIONS.intersection(path.parts)
)
CASES = cases_below(SAMPLES)

SECRET = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
DESTRUCTURED = re.compile(r"\{([^{}]*)\}\s*=\s*event\.secrets|\{([A-Z_,\s]+)\}\s*\)")
BLOCK = re.compile(r"^```\w+ (?P<name>[\w.-]+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


def title(case: Case) -> str:
    return f"{case.path.name.removesuffix('.case.yaml')}: {case.name}"


def header(path: Path) -> str:
    """The comment that a sample opens with."""
    text = path.read_text()
    begin, end = ("/**\n", "*/") if path.suffix != ".py" else ('"""', '"""')
    assert text.startswith(begin), f"{path.name} does not begin with a header comment"
    return text[len(begin) : text.index(end, len(begin))].replace("\n *", "\n")


def relative(path: Path) -> str:
    return str(path.relative_to(SAMPLES))


def test_samples_are_many() -> None:
    assert len(ACTIONS) >= 24
    assert {path.parent.name for path in ACTIONS} == set(TRIGGERS)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_each_trigger_has_both_languages(trigger: str) -> None:
    suffixes = [path.suffix for path in ACTIONS if path.parent.name == trigger]
    languages = [".js" if suffix == ".ts" else suffix for suffix in suffixes]
    assert len(languages) >= 2
    assert set(languages) == {".js", ".py"}


@pytest.mark.parametrize("path", ACTIONS, ids=relative)
def test_header_says_what_trigger_and_secrets(path: Path) -> None:
    text = header(path)
    first = text.lstrip(" *\n").splitlines()[0]
    assert re.match(r"[A-Z][\w\s,-]+: .+[.,:]?$", first), f"no `Title: what it does` in {first!r}"
    assert f"\nTrigger: {path.parent.name}\n" in text.replace("\n ", "\n")
    assert re.search(r"^\s*Secrets:(?: none|$)", text, re.MULTILINE)


@pytest.mark.parametrize("path", ACTIONS, ids=relative)
def test_header_names_the_secrets_that_the_code_reads(path: Path) -> None:
    named = set(SECRET.findall(header(path).partition("Secrets:")[2]))
    assert named == secrets_read(path.read_text())


def secrets_read(code: str) -> set[str]:
    read = set(re.findall(r"secrets\.([A-Z]\w+)", code))
    for groups in DESTRUCTURED.findall(code):
        read |= set(SECRET.findall(" ".join(groups)))
    return read


@pytest.mark.parametrize("path", ACTIONS, ids=relative)
def test_the_index_lists_each_sample_under_its_title(path: Path) -> None:
    title = header(path).lstrip(" *\n").partition(":")[0]
    assert f"| [{title}]({relative(path)}) |" in (SAMPLES / "README.md").read_text()


@pytest.mark.parametrize("path", ACTIONS, ids=relative)
def test_each_action_has_a_case_of_its_own(path: Path) -> None:
    files = [[(case.path.parent / spec.file).resolve() for spec in case.actions] for case in CASES]
    assert any(path in flow for flow in files)


def test_cases_show_every_way_in_which_a_flow_can_end() -> None:
    decisions = {step.expect.get("decision") for case in CASES for step in case.steps}
    assert {"allow", "deny", "suspended", "failed"} <= decisions
    assert any(len({Path(spec.file).suffix for spec in case.actions}) == 2 for case in CASES)


@pytest.fixture(scope="module")
def programs() -> ProgramCache:
    """Each Action is built once for all its cases."""
    return ProgramCache()


def complaint(result: CaseResult) -> str:
    """What is wrong with a case; empty when it passed."""
    if result.status == "passed":
        return ""
    return "\n".join([f"step {result.step}: {result.problem or ''}", *map(str, result.differences)])


@pytest.mark.parametrize("case", CASES, ids=title)
def test_case(case: Case, programs: ProgramCache) -> None:
    assert complaint(run_case(case, programs)) == ""


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the named code blocks of docs/writing-actions.md as files."""
    folder = tmp_path_factory.mktemp("guide")
    for block in BLOCK.finditer(GUIDE.read_text()):
        (folder / block["name"]).write_text(block["text"])
    return folder


def test_examples_of_the_guide(guide: Path, programs: ProgramCache) -> None:
    cases = [case for path in find_case_files(guide) for case in load_cases(path)]
    used = {Path(spec.file).name for case in cases for spec in case.actions}
    assert used == {path.name for path in guide.iterdir() if path.suffix in {".js", ".py"}}
    found = {case.name: complaint(run_case(case, programs)) for case in cases}
    assert found == dict.fromkeys(found, "")
