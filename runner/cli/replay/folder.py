"""Folders of records: `actionbox replay DIR`, and `actionbox verify DIR` for the CI of an upgrade."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

from runner.cli.author.images import open_engines
from runner.cli.inputs import Secrets
from runner.cli.render import plural
from runner.cli.terminal import line, output_console
from runner.model.errors import InputError
from runner.replay.folder import FileResult, record_files, replay_files
from runner.replay.junit import write_junit
from runner.replay.recorded import Recorded

_MARKS = {
    "same": ("same     ", "green"),
    "different": ("DIFFERENT", "bold red"),
    "unusable": ("UNUSABLE ", "bold red"),
}


def folder_command(folder: Path, secrets: Secrets, *, as_json: bool, junit: Path | None) -> NoReturn:
    """Replay every record, print a table and exit: 1 when one differs, else 2 when a file cannot be used,
    else 0."""
    if not folder.is_dir():
        raise InputError("not_found", f"there is no folder {folder}", source=str(folder))
    files = record_files(folder)
    console = output_console()
    results = []
    for item in replay_files(files, secrets.of_pinned, _open):
        results.append(item)
        if not as_json:
            _show(item, console)
    if junit is not None:
        write_junit(junit, results)
    counts: Counter[str] = Counter(item.result for item in results)
    if as_json:
        sys.stdout.write(json.dumps(_facts(results, counts)) + "\n")
    else:
        words = ("same", "different", "unusable")
        text = ", ".join(f"{counts[word]} {word}" for word in words if counts[word] or word == "same")
        good = counts["same"] == len(results)
        console.print(
            line((text, "bold green" if good else "bold red"), f" of {plural(len(results), 'file')}")
        )
    sys.exit(1 if counts["different"] else 2 if counts["unusable"] else 0)


def _open(recorded: Recorded) -> None:
    open_engines(action.source.language for leg in recorded.legs for action in leg.actions)


def _show(item: FileResult, console: Console) -> None:
    console.print(
        line(_MARKS[item.result], f"  {item.path}", ("".join(f"  {fact}" for fact in _row(item)), "dim"))
    )
    if item.note:
        console.print(line(item.note, indent=11))
    for engine in item.replayed.engines if item.replayed is not None else ():
        console.print(line((str(engine), "yellow"), indent=11))


def _row(item: FileResult) -> list[str]:
    if item.replayed is None:
        return []
    legs = item.replayed.recorded.legs
    calls = plural(item.replayed.host_calls, "host call")
    return [legs[0].trigger, plural(len(legs), "leg"), calls, f"{item.seconds * 1000:.0f} ms"]


def _facts(results: list[FileResult], counts: Counter[str]) -> dict[str, Any]:
    return {
        "same": counts["same"],
        "different": counts["different"],
        "unusable": counts["unusable"],
        "files": [_file(item) for item in results],
    }


def _file(item: FileResult) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "path": str(item.path),
        "result": item.result,
        "note": item.note,
        "seconds": round(item.seconds, 3),
    }
    if item.replayed is not None:
        facts |= {
            "execution_id": item.replayed.recorded.execution_id,
            "trigger": item.replayed.recorded.legs[0].trigger,
            "legs": len(item.replayed.legs),
            "host_calls": item.replayed.host_calls,
            "engines": [str(engine) for engine in item.replayed.engines],
        }
    return facts
