"""`python -m tools.reference [--check]`, see `tools.reference.documents`."""

from __future__ import annotations

import sys

from tools.reference.documents import main

raise SystemExit(main(sys.argv[1:]))
