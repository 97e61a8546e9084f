"""Sampled players are spread over the order of joining."""

from tests.bench.measure import SAMPLED_EVERY, is_sampled


def test_sampled_players_are_one_in_every_block_and_the_first() -> None:
    sampled = [order for order in range(5 * SAMPLED_EVERY) if is_sampled(order)]
    assert sampled == [0, 10, 30, 50, 70, 90]
