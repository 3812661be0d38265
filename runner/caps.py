"""Every cap of the runner in one place; those of an execution are in `sandbox.caps`."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024

MAX_SECRETS: Final = 30
"""Secrets of one Action (reference/limits.md, code and entities)."""
MAX_SECRET_NAME: Final = 128
"""Characters of a secret's name."""
MAX_SECRET_VALUE: Final = 4096
"""Characters of a secret's value."""
MIN_REDACTED_SECRET: Final = 8
"""Characters; shorter values are not redacted, or every other word would be (threat-model S2)."""

DEFAULT_BUDGET_MS: Final = 20_000
"""Wall time of one leg of a flow (reference/limits.md, execution)."""
MAX_BUDGET_MS: Final = 600_000

DEFAULT_HANDLE_SECONDS: Final = 3600
"""How long a suspended flow waits for its user."""
MAX_HANDLE_SECONDS: Final = 30 * 24 * 3600

MAX_INPUT_FILE_BYTES: Final = 4 * KIB * KIB
"""An event, secrets or case file that the command line reads."""
MAX_RECORD_FILE_BYTES: Final = 256 * KIB * KIB
"""A record for `replay`; its journals are bounded by the sandbox."""
MAX_INPUT_DEPTH: Final = 100
"""Nesting of JSON that the command line reads."""

MAX_PROGRAMS: Final = 512
"""Built programs kept by one cache."""
