"""What is run once more, and how often."""

import pytest

from tests.loadgen.e2e.command import Finished, to_a_verdict


@pytest.mark.parametrize(("statuses", "taken"), [([0], 0), ([1], 1), ([3, 1], 1), ([3, 0], 0), ([3, 3], 3)])
async def test_run_without_a_verdict_is_made_once_more(statuses: list[int], taken: int) -> None:
    left = iter(statuses)

    async def attempt() -> Finished:
        return Finished(next(left), "", {})

    assert (await to_a_verdict(attempt)).exit_status == taken
    assert list(left) == []
