"""What processes of the suite begin with; see `tests.forked`."""

import tests.jobs.drill  # noqa: F401
from runner.management import routers

routers()
