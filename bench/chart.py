"""The picture in the README: what one execution takes, ours and the peers', as bars.

It is made of the results file alone. Its colours follow the reader's light or dark mode; it brings its own
background, because the mode of a page need not be that of the browser.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, Final

from bench.engine.latency import OURS, PEER
from bench.results import Results

FILE: Final = "latency.svg"
_PART: Final = "latency"
_FIGURE: Final = "execution p50"

_WIDTH: Final = 760
_LEFT: Final = 270
"""Where bars begin: labels end before it."""
_LONGEST: Final = _WIDTH - _LEFT - 90
_TOP: Final = 64
_ROW: Final = 32
_BAR: Final = 20
_STYLE: Final = """
text { font: 14px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.note { font-size: 12px; fill: #59636e; }
.card { fill: #ffffff; stroke: #d1d9e0; }
.ours { fill: #0969da; }
.peer { fill: #818b98; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .note { fill: #9198a1; }
  .card { fill: #0d1117; stroke: #3d444d; }
  .ours { fill: #4493f8; }
  .peer { fill: #656c76; }
}
"""


def draw(parts: Results, folder: Path) -> None:
    """Write the chart into `folder`, if the results have what it shows."""
    if _PART in parts and (text := chart(parts[_PART])):
        (folder / FILE).write_text(text, encoding="utf-8")


def chart(part: dict[str, Any]) -> str:
    """The SVG of the results of `bench latency`, the shortest bar first; empty without a figure."""
    bars = sorted(_bars(part))
    if not bars:
        return ""
    height = _TOP + _ROW * len(bars) + 36
    svg = ET.Element(
        "svg",
        {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {_WIDTH} {height}", "role": "img"},
        width=str(_WIDTH),
        height=str(height),
    )
    title = "Time of one execution (median, ms; shorter is better)"
    ET.SubElement(svg, "title").text = f"{title}: " + "; ".join(f"{label} {ms:.2f}" for ms, label, _ in bars)
    ET.SubElement(svg, "style").text = _STYLE
    _box(svg, "card", 0.5, 0.5, _WIDTH - 1, height - 1, radius=6)
    _text(svg, 20, 34, title, kind="title")
    for number, (ms, label, kind) in enumerate(bars):
        y = _TOP + _ROW * number
        length = max(1.0, _LONGEST * ms / bars[-1][0])
        _text(svg, _LEFT - 12, y + 15, label, anchor="end")
        _box(svg, kind, _LEFT, y, length, _BAR, radius=2)
        _text(svg, _LEFT + length + 8, y + 15, f"{ms:.2f}")
    _text(svg, 20, height - 16, _note(part), kind="note")
    return ET.tostring(svg, encoding="unicode") + "\n"


def _note(part: dict[str, Any]) -> str:
    cores, day = part["machine"]["cores"], part["at"][:10]
    where = f"{cores} busy cores (compare bars, not ms)" if part["machine"]["busy"] else f"{cores} cores"
    return f"In turns, a fresh sandbox each, event of 3 kB; {where}, {day}"


def _bars(part: dict[str, Any]) -> list[tuple[float, str, str]]:
    """Milliseconds, label and kind of each."""
    found = []
    for figure in part["figures"]:
        whose, what = figure["of"].get("whose"), figure["of"].get("what", "")
        if figure["name"] == _FIGURE and whose in (OURS, PEER):
            label = f"{OURS}: {what}" if whose == OURS else what
            found.append((figure["value"], label, "ours" if whose == OURS else "peer"))
    return found


def _box(svg: ET.Element, kind: str, x: float, y: float, width: float, height: float, *, radius: int) -> None:
    places = {"x": x, "y": y, "width": width, "height": height, "rx": radius}
    ET.SubElement(svg, "rect", {"class": kind, **{name: f"{value:g}" for name, value in places.items()}})


def _text(
    svg: ET.Element, x: float, y: float, text: str, *, kind: str = "label", anchor: str = "start"
) -> None:
    places = {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor}
    ET.SubElement(svg, "text", {"class": kind, **places}).text = text
