"""The return to a suspended flow that a `resume` of a case file describes."""

from __future__ import annotations

from typing import Any

from runner.suspension.stores import SuspendedFlow
from runner.testing.cases.model import ResumeSpec
from runner.testing.simulated_return import returning_request, session_token, with_timestamps


def request_of(waiting: SuspendedFlow, resume: ResumeSpec, now: float) -> dict[str, Any]:
    """`event.request`, with the session token and the state. Raises `InputError` (`session_token`).

    Args:
        now: epoch seconds.
    """
    query, body = dict(resume.query), dict(resume.body)
    if resume.token is not None:
        token = resume.token
        target = body if token.into == "body" else query
        target[token.parameter] = session_token(
            waiting, token.secret, token.claims, now=now, expires_in=token.expires_in
        )
    if resume.state and waiting.state and "state" not in query and "state" not in body:
        query["state"] = waiting.state
    return returning_request(waiting, query=query, body=body, patch=resume.request)


def prompt_of(waiting: SuspendedFlow, resume: ResumeSpec) -> dict[str, Any] | None:
    """The form's result; an empty one where a form was shown and nothing is said."""
    if resume.prompt is None:
        return {} if waiting.kind == "prompt" else None
    return resume.prompt.model_dump(exclude_none=True)


def returned(waiting: SuspendedFlow, resume: ResumeSpec, now: float) -> dict[str, Any]:
    """The parts by which a flow is resumed: `request`, `prompt`, `methods`, `enrolled`. Raises as
    `request_of`."""
    return {
        "request": request_of(waiting, resume, now),
        "prompt": prompt_of(waiting, resume),
        "methods": with_timestamps(resume.methods, now),
        "enrolled": resume.enrolled,
    }
