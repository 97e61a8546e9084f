"""What every command takes, and what none does."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from node_tuner.__main__ import main


@pytest.mark.parametrize("every_s", ["nan", "inf", "-inf", "0.5", "1e9", "soon"])
def test_time_between_turns_that_is_none_is_refused(every_s: str) -> None:
    done = CliRunner().invoke(main, ["watch", "--every", every_s], catch_exceptions=False)
    assert done.exit_code == 2
    assert "Invalid value for '--every'" in done.output
