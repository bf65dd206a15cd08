"""Tests that hold behind every wall."""

import os

import pytest
from walls import WALLS, walled

from runner import isolation


@pytest.fixture(params=WALLS)
async def each_wall(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make one wall after the other what this machine has; returns its name."""
    wall: str = request.param
    monkeypatch.setitem(isolation._known, (os.getuid(), isolation.RUN_AS), await walled(wall))
    return wall
