"""What several tests of the sandbox share: limits that are soon reached, and the mark of what holds behind every wall."""

import pytest

from runner.outcomes import Limits

behind_every_wall = pytest.mark.usefixtures("each_wall")
"""A test that is run once for each wall of this machine."""
QUICK = Limits(call_wall_s=1.0, cpu_s=3)
