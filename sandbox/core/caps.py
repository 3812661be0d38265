"""Every cap of the sandbox in one place: time, memory, stack, bytes, counts and depth.

A tenant can never raise one of these; an operator can lower or raise those that `Limits` carries.
Each cap has a test at its value and one above it (tests/sandbox/core/test_caps.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# --- source text (reference/limits.md, code and entities) ---
DEFAULT_SOURCE_BYTES: Final = 100_000
"""Source in UTF-8 bytes where nothing else is set; Auth0 recommends at most 100 kB."""
MIN_SOURCE_BYTES: Final = 1_000
MAX_SOURCE_BYTES: Final = 500_000
"""What it can be set to. The compilers' limits of time and memory are made for this much."""
MAX_SOURCE_LINES: Final = 20_000
"""Lines of one source; stops parsers that are quadratic in lines."""

# --- JSON that crosses the host port ---
MAX_JSON_DEPTH: Final = 64
"""Nesting of any JSON from the guest, counted before the host parses it (threat-model M4)."""
MAX_INTEGER_DIGITS: Final = 308
"""Digits of one integer in JSON; a longer one passes the range of a double (threat-model M6)."""
MAX_API_ARGUMENT_BYTES: Final = 256 * KIB
"""UTF-8 bytes of the arguments of one api call."""
MAX_EVENT_BYTES: Final = 1 * MIB
"""UTF-8 bytes of the event handed to one Action."""
MAX_API_PATH_BYTES: Final = 128
"""UTF-8 bytes of a member path such as `access.deny`."""

# --- logs (reference/limits.md, console and logs) ---
MAX_LOG_LINE_BYTES: Final = 64 * KIB
"""One console call; the rest is cut with an explicit note."""
MAX_LOG_LINES: Final = 10_000
"""Console calls of one execution that are kept."""

# --- failures and text shown to people ---
MAX_ERROR_MESSAGE_BYTES: Final = 8 * KIB
MAX_STACK_FRAMES: Final = 32

# --- outbound HTTP ---
MAX_FETCH_URL_BYTES: Final = 16 * KIB
MAX_FETCH_HEADERS: Final = 100
MAX_FETCH_HEADER_BYTES: Final = 64 * KIB
MAX_FETCH_REQUEST_BODY_BYTES: Final = 2 * MIB
MAX_FETCH_RESPONSE_BODY_BYTES: Final = 8 * MIB
"""Inflated bytes of one response body."""
MAX_FETCH_REDIRECTS: Final = 5
MAX_FETCH_PARALLEL: Final = 6
"""Requests in flight for one execution; further ones queue."""
MAX_FETCHES: Final = 50
"""Requests of one execution."""
MAX_FETCH_TOTAL_BYTES: Final = 32 * MIB
"""Response bytes of one execution over all requests."""
MAX_LOOKUPS: Final = 64
"""Host names being resolved at a time, over all executions; the system's resolver cannot be cancelled."""
DEFAULT_FETCH_TIMEOUT_MS: Final = 10_000

# --- after a handler has ended ---

LINGER_MS: Final = 1_000
"""Time that requests get which a handler sent and did not wait for."""
LINGER_JOBS: Final = 1_000
"""Queued jobs and timers of zero that still run then in JavaScript, so that what follows from such requests
is sent: at the end of the handler, and after each answer."""
LINGER_JOBS_MS: Final = 100
"""Time of those jobs together."""

# --- the port ---
MAX_HOST_CALLS: Final = 100_000
"""Host calls of one execution; a clock that reads the same millisecond again is not counted."""
MAX_RANDOM_BYTES: Final = 64 * KIB
"""Bytes of one random request (Web Crypto has the same quota)."""
MAX_JOURNAL_BYTES: Final = 64 * MIB
"""Bytes of arguments and results kept in one journal."""
MAX_CALL_BYTES: Final = 8 * MIB
"""The same without requests and their answers, which have caps of their own: a flood of random bytes or of
large arguments must not cost the host more memory than the guest (threat-model M2)."""

# --- computations on the host (sandbox/hostcrypto) ---
MAX_COMPUTE_BYTES: Final = 8 * MIB
"""UTF-8 bytes of the arguments of one computation; bytes in them cross as base64."""
MAX_COMPUTE_OUTPUT_BYTES: Final = 64 * KIB
"""Bytes of a derived key or of an extended digest."""
MAX_COMPUTE_INFLATED_BYTES: Final = 4 * MIB
"""Bytes that one call inflates to."""
MAX_COMPUTE_KEY_BYTES: Final = 32 * KIB
"""Bytes of one encoded key or certificate."""
MIN_RSA_BITS: Final = 1024
MAX_RSA_BITS: Final = 4096
"""Size of an RSA private key; public keys may have twice as many. 4096 bits sign in 4 ms and take 0.3 s to
generate, at times more."""
MAX_RSA_SMALL_EXPONENT_BITS: Final = 2048
"""Size of a new RSA key whose exponent is 3, for which primes are rarer: 4096 bits took over a second."""
MAX_PBKDF2_WORK: Final = 1_500_000
"""Iterations times blocks of output, in units of SHA-256: 0.3 s on an idle machine. What an execution's
deadline leaves behind runs on to its end, so this is short; the usual 600,000 of SHA-256 and 210,000 of
SHA-512 fit twice."""
MAX_SCRYPT_BYTES: Final = 64 * MIB
MAX_SCRYPT_WORK: Final = 512 * KIB
"""N * r * p: about 0.5 s."""
MAX_HEAVY_COMPUTATIONS: Final = 4
"""Slow computations at a time, over all executions of the process; further ones wait their turn."""

# --- npm packages (reference/limits.md, npm; threat-model 4.11) ---
MAX_DEPENDENCIES: Final = 10
"""Packages that one Action, or one module, may name."""
MAX_PACKAGE_NAME: Final = 214
"""Characters, as npm has it."""
MAX_PACKAGE_VERSION: Final = 256
"""Characters of a wanted version or range."""
MAX_PACKAGES: Final = 600
"""Packages of one Action in all, with those that its dependencies need."""
MAX_PACKAGE_DEPTH: Final = 24
"""Folders of packages within packages."""
MAX_TARBALL_BYTES: Final = 32 * MIB
"""One package as it is downloaded."""
MAX_PACKAGE_ENTRIES: Final = 20_000
"""Files of one package."""
MAX_PACKAGE_FILE_BYTES: Final = 16 * MIB
MAX_PACKAGE_BYTES: Final = 96 * MIB
"""Inflated bytes of one package."""
MAX_PACKAGES_BYTES: Final = 256 * MIB
"""Inflated bytes of all packages of one Action."""
MAX_PACKAGE_PATH: Final = 400
"""Bytes of a path inside a package."""
MAX_PACKUMENT_BYTES: Final = 64 * MIB
"""What the registry says about one package."""
MAX_BUNDLE_BYTES: Final = 16 * MIB
"""Scripts of all packages of one Action that are loaded."""
MAX_IMAGE_BYTES: Final = 64 * MIB
"""An image with all packages of one Action loaded; AWS's clients make 29 MB."""
MAX_PACKAGE_MEMORY_BYTES: Final = 40 * MIB
"""What all packages of one Action keep once they are loaded: their image travels in one message."""
MAX_PACKAGE_LOADS: Final = 2_000
"""Top levels that are run to make one image, those that are run again included."""
MAX_PACKAGE_FILES: Final = 20_000
"""Files of all packages of one Action that its programs can read."""
MAX_PACKAGE_ARCHIVE_BYTES: Final = 12 * MIB
"""The same, in compressed bytes; what is loaded is there whatever else is left out."""
MAX_PACKAGE_READS: Final = 100_000
"""Questions of one execution about files of its packages."""
MAX_PACKAGE_READ_BYTES: Final = 256 * MIB
"""Bytes of such files that one execution reads."""
PACKAGES_SECONDS: Final = 300
"""Longest resolution and download."""

# --- Python packages (wheels) and shared modules ---
MAX_WHEEL_BYTES: Final = 16 * MIB
"""One wheel as it stands in the folder."""
MAX_WHEEL_ENTRIES: Final = 5_000
"""Files of one wheel."""
MAX_WHEEL_FILE_BYTES: Final = 16 * MIB
MAX_WHEEL_INFLATED_BYTES: Final = 64 * MIB
"""Inflated bytes of one wheel."""
MAX_PACKAGE_SOURCE_BYTES: Final = 512 * KIB
"""One source file of a package that an Action reaches, in UTF-8 bytes."""
MAX_PYTHON_UNITS: Final = 500
"""Files of packages and shared modules that one Action reaches."""
MAX_PYTHON_UNITS_BYTES: Final = 8 * MIB
"""Compiled code of all of them."""
MAX_PACKAGES_COMPILE_SECONDS: Final = 20
"""Longest compilation of all of them."""
MAX_PACKAGES_LOAD_SECONDS: Final = 6
"""Longest import of all of them, when a version is built."""

# --- wasm ---
MAX_CACHE_BYTES: Final = 4096 * MIB
"""Images kept in the user's cache folder; the longest unused go first."""
CACHE_UNUSED_DAYS: Final = 14
"""Days after which an image that nobody used is removed from the cache."""

MAX_WASM_STACK_BYTES: Final = 6 * MIB
"""Of the machine's stack, for one guest. Threads have 8 MiB as a rule (sandbox/wasm/threads.py)."""
JAVASCRIPT_STACK_BYTES: Final = 960 * KIB
"""QuickJS's own limit, on the stack that it keeps in linear memory (1 MiB): recursion is a RangeError that
can be caught, before the wasm stack ends (sandbox/javascript/quickjs/engine_patch.py)."""
MAX_TABLE_ELEMENTS: Final = 65_536
MAX_MEMORY_BYTES: Final = 2048 * MIB
"""Most linear memory that `Limits.memory_bytes` can allow; address space is set aside for it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one execution. Immutable; `replace()` makes a changed copy.

    Attributes:
        wall_ms: milliseconds from instantiation to the last byte of the result. Auth0 gives
            20 s to the whole flow (reference/limits.md); the flow hands each Action what is left.
        memory_bytes: linear memory of the instance, the interpreter included.
        log_bytes: UTF-8 bytes of console output kept (reference/limits.md: 256 KiB).
        commands: api calls that are recorded.
        command_bytes: UTF-8 bytes of the arguments of all recorded api calls.
    """

    wall_ms: int = 20_000
    memory_bytes: int = 128 * MIB
    log_bytes: int = 256 * KIB
    commands: int = 1_000
    command_bytes: int = 1 * MIB

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ValueError(f"limit {name} must be a whole number from {low} to {high}, not {value!r}")


_RANGES: Final = (
    ("wall_ms", 1, 600_000),
    ("memory_bytes", 32 * MIB, MAX_MEMORY_BYTES),
    ("log_bytes", 0, 16 * MIB),
    ("commands", 0, 100_000),
    ("command_bytes", 0, 64 * MIB),
)
