"""What processes of the suite begin with; see `tests.forked`."""

from importlib import import_module
from typing import Final

from runner.management import routers

MODULES: Final = (
    "runner.admin.first_client",
    "runner.admin.rotation",
    "runner.admin.setup",
    "runner.cli.problems",
    "runner.cli.service",
    "runner.cli.tenant.commands",
    "runner.cli.tenant.invoke",
    "runner.server.serve",
    "runner.server.worker_command",
    "tests.jobs.drill",
)
"""By name: an import that nothing in a file uses is taken for a mistake."""

for name in MODULES:
    import_module(name)
routers()
