"""Every cap of the runner in one place; those of an execution are in `sandbox.core.caps`."""

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
MAX_RECORD_LEGS: Final = 100
"""Legs of one execution on record."""
MAX_RECORD_LEG_KB: Final = 32 * KIB
"""Of the record of one leg, in KiB: it travels in one message of a worker."""
MAX_REVEAL_REASON: Final = 500
"""Characters of the reason for which somebody looks at a record in plain form."""
MAX_INPUT_DEPTH: Final = 100
"""Nesting of JSON that the command line reads."""

MAX_PROGRAMS: Final = 512
"""Built programs kept by one cache."""

MAX_OUTCOME_BYTES: Final = 16 * KIB * KIB
"""JSON of one leg's outcome: what its Actions logged and asked for, and the effects."""
MAX_SUSPENDED_BYTES: Final = 40 * KIB * KIB
"""JSON of a flow that waits for its user, with the sources of its Actions."""
MAX_RECORDED_BYTES: Final = 8 * KIB * KIB
"""JSON of what goes on record of one leg. All three fit into one message of a worker."""

# --- the service (threat-model 4.9) ---
MAX_BODY_BYTES: Final = 2 * KIB * KIB
"""One request body; `Settings.max_body_bytes` may be lower."""
MAX_BODY_DEPTH: Final = 64
"""Nesting of a request body."""
MAX_FORM_FIELDS: Final = 20
"""Fields of a form sent to `/oauth/token`."""
MAX_BODY_FORM_FIELDS: Final = 1_000
"""Fields of a form sent to the Management API."""
MAX_ASSERTION: Final = 4_096
"""Characters of a client assertion."""
MAX_ASSERTION_SECONDS: Final = 300
"""How far ahead it may expire."""
MAX_ASSERTION_ID: Final = 255
"""Characters of its `jti`."""
MIN_RSA_CLIENT_KEY_BITS: Final = 2_048
MAX_RSA_CLIENT_KEY_BITS: Final = 8_192
MAX_KEY_FILE_BYTES: Final = 64 * KIB
MAX_CLIENT_KEYS: Final = 4
"""Public keys of a client: the next one beside the present one, and some room."""
MAX_PER_PAGE: Final = 100
MAX_LIST_BYTES: Final = 4 * KIB * KIB
"""Of what a tenant's Actions or events wrote, in one page of a list that can go on; also what is read of it
at a time."""
MAX_PAGE: Final = 1_000_000
MAX_ACTION_NAME: Final = 255
"""Characters; undocumented for Actions, taken from modules."""
MAX_ACTIONS: Final = 100
"""Actions of one tenant (reference/limits.md, code and entities)."""
MAX_VERSIONS: Final = 50
"""Versions of one Action, and of one module."""
MAX_MODULES: Final = 100
"""Modules of one tenant."""
MAX_MODULES_PER_ACTION: Final = 3
MAX_MODULE_CODE: Final = 65_536
"""Characters of a module's source."""
MAX_MODULE_SECRET_NAME: Final = 255
MAX_MODULE_PACKAGE_NAME: Final = 255
MAX_MODULE_PACKAGE_VERSION: Final = 50
MAX_ALLOW_RULES: Final = 50
"""Entries of one Action's egress allow-list."""
MAX_PROFILES: Final = 100
"""Token exchange profiles of one tenant (reference/limits.md, code and entities)."""
MIN_PROFILE_NAME: Final = 3
MAX_PROFILE_NAME: Final = 50
MIN_SUBJECT_TOKEN_TYPE: Final = 8
MAX_SUBJECT_TOKEN_TYPE: Final = 100
"""Characters, as the service's own description of a profile has them."""
MAX_STREAMS: Final = 50
"""Event streams of one tenant; undocumented."""
MAX_STREAM_NAME: Final = 128
MAX_SUBSCRIPTIONS: Final = 100
MAX_EVENT_ID: Final = 255
"""Characters of a message's id that goes to streams."""
MAX_STREAM_FAILURES_IN_A_ROW: Final = 500
MAX_STREAM_FAILURES: Final = 5_000
"""Deliveries that fail for good before a stream is disabled (reference/trigger-event-stream.md)."""
MAX_HOOKS: Final = 50
"""Hooks of identity providers of one tenant."""
MAX_HOOK_SECRETS: Final = 8
"""Secrets of one hook: the next beside the present one, and some room."""
MIN_HOOK_SECRET: Final = 8
MAX_HOOK_SECRET: Final = 16_384
"""Characters of one: a private key as PEM has some thousand."""
MAX_ADDRESS: Final = 254
"""Characters of an email address (RFC 5321)."""
MAX_LOG_PAGED: Final = 1_000
"""Entries of the log that pages reach and count, as the service's own description has it."""
MAX_LOG_QUERY: Final = 1_024
"""Characters of a search in the log (`q`)."""
MAX_CURSOR: Final = 512
"""Characters of a checkpoint (`from`)."""
MAX_DEPLOY_WAIT_SECONDS: Final = 120
"""Longest wait of a deploy with `wait=true` for the build."""

# --- workers (decision 20) ---
MAX_FRAME_HEAD_BYTES: Final = 256 * KIB
"""The JSON part of one message of a worker; what is large travels in the body."""
MAX_FRAME_BODY_BYTES: Final = 64 * KIB * KIB
"""The other part: an outcome with its suspended flow and its record, or a request's body."""
MAX_CALL_BYTES: Final = 256 * KIB * KIB
"""Either part of one message to a worker; what a tenant may send is bounded before."""
MAX_WORKER_LOG_BYTES: Final = 16 * KIB
"""One line that a worker sends to the host's log."""
MAX_WORKER_SOURCES: Final = 512
"""Sources that one worker keeps, with their programs."""
MAX_WORKER_SOURCE_BYTES: Final = 64 * KIB * KIB
"""Characters of all of them."""
MAX_TRANSPILED: Final = 64
"""Sources whose compiled CommonJS is kept for the next worker that asks."""
