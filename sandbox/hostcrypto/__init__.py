"""Cryptography and compression on the host: what guests may compute with `HostPort.compute`.

Stateless: every call brings its keys and data, and nothing of a call is kept. Arguments are network
input (threat-model B2): each is checked for its kind and size before any of it is used, costs are
bounded by the caps in `sandbox.core.caps`, and what takes long runs beside the deadline.
"""

from sandbox.hostcrypto.dispatch import OPERATIONS, RANDOMISED, RECORDED, compute

__all__ = ["OPERATIONS", "RANDOMISED", "RECORDED", "compute"]
