"""Pure-Python packages of Actions, from a folder of wheels that the operator fills."""

from packaging.utils import canonicalize_name as normalised

from sandbox.packages.wheels.lock import LockedWheel, WheelLock
from sandbox.packages.wheels.prepare import (
    PythonModule,
    check_requirement,
    parse_requirement,
    pinned,
    prepare,
)

__all__ = [
    "LockedWheel",
    "PythonModule",
    "WheelLock",
    "check_requirement",
    "normalised",
    "parse_requirement",
    "pinned",
    "prepare",
]
