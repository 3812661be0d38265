"""Contracts of the triggers: event models, api surfaces, and how recorded commands become effects."""

from triggers.engine.catalogue import UnknownTriggerError
from triggers.engine.commands import RecordedCommand, Suspension
from triggers.engine.effects import Effects
from triggers.engine.known import get_trigger
from triggers.engine.services import CacheStore, Directory, MemoryCache, Services, StaticDirectory
from triggers.engine.session import ActionSession, Reply
from triggers.engine.state import FlowState, begin, resume
from triggers.engine.trigger import Trigger
from triggers.registry import all_triggers, known_triggers
from triggers.values.problems import EventError, Problem
from triggers.values.refusals import CommitError, ResumeError

__all__ = [
    "ActionSession",
    "CacheStore",
    "CommitError",
    "Directory",
    "Effects",
    "EventError",
    "FlowState",
    "MemoryCache",
    "Problem",
    "RecordedCommand",
    "Reply",
    "ResumeError",
    "Services",
    "StaticDirectory",
    "Suspension",
    "Trigger",
    "UnknownTriggerError",
    "all_triggers",
    "begin",
    "get_trigger",
    "known_triggers",
    "resume",
]
