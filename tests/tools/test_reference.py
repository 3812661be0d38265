"""Generated documents: up to date, complete, and sound Markdown."""

from __future__ import annotations

import json
import re

import pytest

from tools.reference.compatibility import compatibility
from tools.reference.documents import DOCS, documents, main, stale, write
from tools.reference.pages import reference, signature
from triggers import all_triggers, get_trigger
from triggers.events.model.introspection import walk

TRIGGERS = all_triggers()
CELL_BORDER = re.compile(r"(?<!\\)\|")


def test_committed_documents_are_up_to_date():
    assert stale() == [], "run python -m tools.reference and commit the result"


def test_writing_makes_stale_documents_fresh(tmp_path):
    assert set(write(tmp_path)) == set(documents())
    assert stale(tmp_path) == write(tmp_path) == []
    (tmp_path / "compatibility.md").write_text("old")
    (tmp_path / "triggers" / "post-login.md").unlink()
    assert stale(tmp_path) == ["triggers/post-login.md", "compatibility.md"]


def test_check_only_reports(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("tools.reference.documents.stale", lambda docs=tmp_path: ["compatibility.md"])
    assert main(["--check"]) == 1
    assert capsys.readouterr().out == "stale docs/compatibility.md\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.id)
def test_pages_hold_every_property_member_and_decision(trigger):
    page = reference(trigger)
    for text in (page, compatibility()):
        for path, _ in walk(trigger.event_model):
            assert f"| `event.{path}` |" in text
        for method in trigger.surface.methods:
            assert f"`api.{signature(method)}`" in text
            assert method.decided.replace("|", "\\|") in text
        assert all(note in text for note in trigger.decided)
        assert all(f"`{handler}`" in text for handler in trigger.handlers)


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.id)
def test_the_example_on_the_page_is_the_example_event(trigger):
    block = reference(trigger).rpartition("```json\n")[2].rpartition("```")[0]
    assert json.loads(block) == trigger.example_event


@pytest.mark.parametrize("name", sorted(documents()))
def test_tables_are_rectangular(name):
    tables = re.findall(r"(?:^\|.*\n)+", documents()[name], re.M)
    assert tables
    for table in tables:
        head, rule, *rows = table.splitlines()
        assert set(rule) <= set("|- ")
        assert rows
        assert {len(CELL_BORDER.findall(row)) for row in rows} == {len(CELL_BORDER.findall(head))}


def test_links_lead_to_files():
    for path, text in documents().items():
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert (DOCS / path).parent.joinpath(target).is_file(), f"{path} links to {target}"


def test_gated_and_unavailable_things_are_named():
    text = compatibility()
    gated = [method for trigger in TRIGGERS for method in trigger.surface.methods if method.gate]
    assert gated
    for method in gated:
        assert f"| `api.{signature(method)}` | gated (`{method.gate}`) |" in text


def test_bounds_and_defaults_are_stated():
    page = reference(get_trigger("custom-token-exchange"))
    assert "| `api.authentication.setUserById` | `user_id` | 1 to 512 characters |" in page
    assert "| `given_name` | `string` | no | 1 to 150 characters |" in page
    assert "Lifetime in milliseconds. Default `900000`. |" in page
