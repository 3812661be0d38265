"""`python -m tools.conformance [--record]`: see the package."""

from __future__ import annotations

import sys

from tools.conformance import probe
from tools.conformance.page import PAGE, page


def main(arguments: list[str]) -> None:
    """Write the page; with `--record`, ask Node first."""
    if "--record" in arguments:
        probe.record()
    PAGE.write_text(page(probe.of_guest(), probe.recorded()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
