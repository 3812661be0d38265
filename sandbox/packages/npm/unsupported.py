"""Packages that cannot work in an Action however they are built, with what to use instead.

Only what an Action (or a module) declares itself is refused: what its packages bring along may never be
reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from sandbox.packages.errors import DependencyError


class Lack(NamedTuple):
    """The reason why a package cannot work, and the advice: parts of a sentence."""

    why: str
    instead: str


_SQL: Final = Lack(
    "speaks its database's own protocol over a socket",
    "Use an HTTP interface to the database (the vendor's data API, PostgREST, or a small service of yours) "
    "with fetch.",
)
_KEY_VALUE: Final = Lack(
    "speaks its store's own protocol over a socket",
    "Use a store with an HTTP interface (Upstash, DynamoDB) with fetch, or `api.cache` for short-lived ones.",
)
_DOCUMENTS: Final = Lack(
    "speaks its database's own protocol over a socket",
    "Use an HTTP interface to the database, or DynamoDB or Firestore over HTTP.",
)
_BROKER: Final = Lack(
    "speaks its broker's own protocol over a socket",
    "Use the broker's HTTP interface (a REST proxy, SNS, SQS, EventBridge, Pub/Sub over HTTP) with fetch.",
)
_DIRECTORY: Final = Lack(
    "speaks LDAP over a socket",
    "Ask the directory through an HTTP service, or keep what is needed in metadata.",
)
_FILES: Final = Lack(
    "transfers files over a socket", "Use an object store with an HTTP interface, such as S3."
)
_SOCKETS: Final = Lack("keeps a socket open", "Use requests with fetch: an execution is short.")
_BROWSER: Final = Lack(
    "starts a browser, and an Action has no processes", "Call an HTTP service that renders."
)
_BCRYPT: Final = Lack(
    "is machine code",
    "Use crypto.scrypt, which the host computes; bcryptjs works but takes seconds.",
)
_IMAGES: Final = Lack("is machine code", "Call an HTTP service for images.")
_LOCAL_FILES: Final = Lack("is machine code that works on files", "Use an HTTP interface to a database.")

UNSUPPORTED: Final[Mapping[str, Lack]] = {
    **dict.fromkeys(
        ("mssql", "mysql", "mysql2", "oracledb", "pg", "pg-promise", "postgres", "tedious"), _SQL
    ),
    **dict.fromkeys(("ioredis", "memcached", "memjs", "redis"), _KEY_VALUE),
    **dict.fromkeys(("cassandra-driver", "mongodb", "mongoose"), _DOCUMENTS),
    **dict.fromkeys(("amqplib", "kafkajs", "mqtt", "nats", "node-rdkafka"), _BROKER),
    **dict.fromkeys(("activedirectory2", "ldapjs", "ldapts"), _DIRECTORY),
    **dict.fromkeys(("basic-ftp", "ftp", "ssh2", "ssh2-sftp-client"), _FILES),
    **dict.fromkeys(("socket.io-client", "ws"), _SOCKETS),
    **dict.fromkeys(("playwright", "playwright-core", "puppeteer", "puppeteer-core"), _BROWSER),
    **dict.fromkeys(("argon2", "bcrypt"), _BCRYPT),
    **dict.fromkeys(("canvas", "sharp"), _IMAGES),
    **dict.fromkeys(("better-sqlite3", "sqlite3"), _LOCAL_FILES),
}
"""Refused when an Action declares them."""

LIMITED: Final[Mapping[str, Lack]] = {
    "nodemailer": Lack(
        "sends over SMTP, for which an Action has no sockets: only its transports without SMTP work",
        "Use the mail provider's HTTP API (@sendgrid/mail, SES with @aws-sdk/client-ses, mailgun.js).",
    ),
}
"""Built all the same, because a part of them works; the build's log says what does not."""


def refuse(name: str) -> None:
    """Raises `DependencyError` (`unsupported`) when `name` is of no use in an Action."""
    lack = UNSUPPORTED.get(name)
    if lack is not None:
        raise DependencyError(
            "unsupported",
            f"{name} cannot work in an Action: it {lack.why}.",
            package=name,
            next_step=lack.instead,
        )


def warning(name: str) -> str | None:
    """The log's warning about `name`, None when there is nothing to say."""
    lack = LIMITED.get(name)
    return None if lack is None else f"{name} {lack.why}. {lack.instead}"
