"""From a part's report to the file, and from the file to the chart."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench import chart, results
from bench.__main__ import PARTS, main
from bench.engine.latency import OURS, PEER, bench_event
from bench.measure import Machine, Spread
from bench.peers import PEERS, MissingError, Peer, running
from bench.report import Figure, Report

ROOT = Path(__file__).parents[2]
MACHINE = Machine(cores=2, processor="P", system="Linux 6", load=0.5)
SVG = "{http://www.w3.org/2000/svg}"
LABELS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1)


def latency(*rows: tuple[str, str, float]) -> Report:
    report = Report("Latency", ("whose", "what"), ("execution", "runs", "target p50"))
    for whose, what, ms in rows:
        report.add(whose, what, Spread(ms, 2 * ms, 10), "10", "<= 1")
    return report


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_a_part_is_kept_as_it_was_printed(tmp_path):
    report = Report("Title", ("language", "clients"), ("rate", "invoke", "ended as"), versions={"node": "24"})
    report.add("python", "8", Figure(12.345, "1/s"), Spread(1.5, 2.5, 10), "allow")
    report.leave_out("javascript", "8", why="no Node here; run make")
    kept = results.keep("service", report, MACHINE, fresh=tmp_path, told=tmp_path / "none")
    assert results.read(tmp_path) == kept
    part = kept["service"]
    of = {"language": "python", "clients": "8"}
    assert part["figures"] == [
        {"of": of, "name": "rate", "unit": "1/s", "value": 12.35},
        {"of": of, "name": "invoke p50", "unit": "ms", "value": 1.5},
        {"of": of, "name": "invoke p99", "unit": "ms", "value": 2.5},
    ]
    assert part["left_out"] == [
        {"of": {"language": "javascript", "clients": "8"}, "why": "no Node here; run make"}
    ]
    assert part["versions"]["node"] == "24"
    assert part["machine"] == {
        "cores": 2, "processor": "P", "system": "Linux 6", "load": 0.5, "busy": False
    }  # fmt: skip
    shown = io.StringIO()
    Console(file=shown, width=200).print(report.table())
    for text in ("12.3 1/s", "1.500 / 2.500 ms", "allow", "javascript, 8: no Node here; run make"):
        assert text in shown.getvalue()


def test_other_parts_stay_and_the_newer_of_two_counts(tmp_path):
    told, fresh = tmp_path / "told", tmp_path / "fresh"
    for folder, parts in (
        (told, {"flow": {"at": "2026-11-02", "figures": ["told"]}, "memory": {"at": "2026-11-01"}}),
        (fresh, {"flow": {"at": "2026-11-01", "figures": ["old"]}, "memory": {"at": "2026-11-02"}}),
    ):
        folder.mkdir()
        (folder / results.FILE).write_text(json.dumps({"parts": parts}))
    results.keep("latency", latency((OURS, "JavaScript", 0.3)), MACHINE, fresh=fresh, told=told)
    found = results.read(fresh)
    assert found["flow"] == {"at": "2026-11-02", "figures": ["told"]}
    assert found["memory"] == {"at": "2026-11-02"}
    assert found["latency"]["figures"][0]["value"] == 0.3


@pytest.mark.parametrize(("value", "unit"), [(1.0, ""), (float("nan"), "ms"), (float("inf"), "ms")])
def test_a_figure_has_a_unit_and_is_a_number(value, unit):
    with pytest.raises(ValueError, match="finite number with a unit"):
        Figure(value, unit)


def test_a_part_that_found_nothing_is_not_kept(tmp_path):
    empty = Report("Empty", ("what",), ("ended as",))
    empty.add("loop", "stopped")
    with pytest.raises(results.NoFiguresError, match="bench stops found nothing"):
        results.keep("stops", empty, MACHINE, fresh=tmp_path, told=tmp_path)


@given(st.lists(st.tuples(st.sampled_from([OURS, PEER]), LABELS, st.floats(0.001, 1e6)), min_size=1))
def test_everything_that_was_measured_is_in_the_chart(rows):
    part = results.described("latency", latency(("floor", "a module", 0.01), *rows), MACHINE)
    drawn = chart.chart(part)
    ours = [f"{OURS}: {what}" for whose, what, _ in rows if whose == OURS]
    peers = [what for whose, what, _ in rows if whose == PEER]
    labels = ET.fromstring(drawn).iterfind(f"{SVG}text[@class='label']")
    found = [element.text or "" for element in labels if element.get("text-anchor") == "end"]
    assert sorted(found) == sorted(ours + peers)
    bars = [box for box in ET.fromstring(drawn).iter(f"{SVG}rect") if box.get("class") != "card"]
    lengths = [float(box.get("width", "")) for box in bars]
    assert len(bars) == len(rows)
    assert lengths == sorted(lengths)


def test_labels_are_text_and_not_markup():
    part = results.described("latency", latency((PEER, '<b> & "quotes"</text><script>', 1.0)), MACHINE)
    assert '<b> & "quotes"</text><script>' in texts(chart.chart(part))


def test_nothing_is_drawn_without_figures(tmp_path):
    chart.draw({}, tmp_path)
    chart.draw({"latency": results.described("latency", latency(("floor", "a", 1.0)), MACHINE)}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_told_run_is_whole_and_the_chart_is_made_of_it():
    told = results.read(ROOT / results.TOLD)
    assert set(told) <= set(PARTS), "a part was renamed: measure it again"
    for name, part in told.items():
        assert part["figures"] or part["left_out"], name
        for figure in part["figures"]:
            assert figure["unit"], (name, figure)
            assert isinstance(figure["value"], int | float), (name, figure)
    drawn = (ROOT / results.TOLD / chart.FILE).read_text(encoding="utf-8")
    assert drawn == chart.chart(told["latency"]), "copy the chart together with the results"
    for peer in PEERS:
        assert peer.title in texts(drawn)


@pytest.mark.parametrize("name", PARTS)
def test_every_part_gives_a_report(name):
    """Which has units, and is not kept without figures: see above."""
    assert get_type_hints(PARTS[name])["return"] is Report


def test_a_part_that_is_not_there_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bench", "latency", "latencies"])
    assert main() == 2
    assert "bench has no part latencies; its parts are latency, event" in capsys.readouterr().err


@pytest.mark.parametrize("peer", [peer for peer in PEERS if not peer.package], ids=lambda peer: peer.script)
def test_a_peer_executes_as_often_as_it_is_asked(peer):
    with running(peer, bench_event()) as sample:
        for runs in (1, 3):
            found = sample(runs)
            assert len(found) == runs
            assert min(found) > 0


def test_a_peer_that_does_not_start_says_so():
    with pytest.raises(MissingError, match=r"nobody\.js ended with 1"), running(Peer("x", "nobody.js"), "{}"):
        pass
