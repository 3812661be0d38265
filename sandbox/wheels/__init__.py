"""Pure-Python packages of Actions, from a folder of wheels that the operator fills."""

from sandbox.wheels.lock import LockedWheel, WheelLock
from sandbox.wheels.prepare import PythonModule, parse_requirement, prepare

__all__ = ["LockedWheel", "PythonModule", "WheelLock", "parse_requirement", "prepare"]
