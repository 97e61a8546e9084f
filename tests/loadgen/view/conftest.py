"""A terminal of a fixed size, and the scenario of the made-up run."""

import io

import pytest
from rich.console import Console

from loadgen.scenario.schema import Scenario

SCREEN = (80, 24)


@pytest.fixture
def screen() -> Console:
    """A terminal; `screen.file.getvalue()` is what was written to it."""
    width, height = SCREEN
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system=None)


@pytest.fixture
def log() -> Console:
    """No terminal, as in CI."""
    return Console(file=io.StringIO(), force_terminal=False, width=80)


@pytest.fixture
def scenario() -> Scenario:
    return Scenario.model_validate(
        {
            "name": "storm",
            "duration": "60s",
            "studios": [{"name": "table-{n}", "streams": 2}],
            "players": [{"name": "crowd", "count": 400, "arrival": {"ramp": "12s"}}],
        }
    )
