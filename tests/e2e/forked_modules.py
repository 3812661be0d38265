"""What commands import once they run, for `tests.e2e.forked`."""

import runner.admin.first_client
import runner.admin.rotation
import runner.cli.problems
import runner.cli.service
import runner.cli.tenant.commands
import runner.cli.tenant.invoke
import runner.server.serve
import runner.server.worker_command  # noqa: F401
from runner.management import routers

routers()
