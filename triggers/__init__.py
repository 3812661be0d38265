"""Contracts of the triggers: event models, api surfaces, and how recorded commands become effects."""

from triggers.catalogue import UnknownTriggerError
from triggers.effects import Effects
from triggers.problems import EventError, Problem
from triggers.registry import all_triggers, get_trigger, known_triggers
from triggers.services import CacheStore, Directory, MemoryCache, Services, StaticDirectory
from triggers.session import ActionSession, Reply
from triggers.state import FlowState, RecordedCommand, Suspension, resume
from triggers.trigger import Trigger
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
    "get_trigger",
    "known_triggers",
    "resume",
]
