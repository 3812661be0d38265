"""The way out to the network: policy, the real client, and stand-ins for tests.

HttpEgress(EgressPolicy())   real requests to public hosts
StubEgress(parse_stubs(...)) canned answers
RecordingEgress(...)         real requests, kept as stubs
NoEgress()                   refuses everything
"""

from __future__ import annotations

from sandbox.egress.client import HttpEgress, preload
from sandbox.egress.doubles.recording import RecordingEgress
from sandbox.egress.doubles.stub import SeenRequest, Stub, StubEgress
from sandbox.egress.doubles.stub_format import StubFormatError, parse_stubs
from sandbox.egress.model import Egress, EgressError, EgressSession, FetchRequest, FetchResponse
from sandbox.egress.none import NoEgress
from sandbox.egress.policy.allow import AllowRule, parse_allow
from sandbox.egress.policy.egress_policy import EgressPolicy

__all__ = [
    "AllowRule",
    "Egress",
    "EgressError",
    "EgressPolicy",
    "EgressSession",
    "FetchRequest",
    "FetchResponse",
    "HttpEgress",
    "NoEgress",
    "RecordingEgress",
    "SeenRequest",
    "Stub",
    "StubEgress",
    "StubFormatError",
    "parse_allow",
    "parse_stubs",
    "preload",
]
