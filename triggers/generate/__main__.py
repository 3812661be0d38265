"""`python -m triggers.generate [--check]`, see `triggers.generate.documents`."""

from __future__ import annotations

import sys

from triggers.generate.documents import main

raise SystemExit(main(sys.argv[1:]))
