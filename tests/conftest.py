"""Settings for the whole suite."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Machines that run the suite are shared and slow at times: what is too slow for hypothesis is no fault.
settings.register_profile(
    "actionbox",
    deadline=None,
    max_examples=int(os.environ.get("ACTIONBOX_EXAMPLES", "60")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("actionbox")
