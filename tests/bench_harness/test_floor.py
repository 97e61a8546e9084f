"""The bare loop sends what the gateway sent."""

from tests.bench.floor import HEADER_BYTES, TAG_BYTES, batches_of


def test_batches_keep_sizes_and_put_together_what_left_together() -> None:
    overhead = HEADER_BYTES + TAG_BYTES
    trace = [(1_000_000, 1000, 2500), (1_050_000, 200, 200), (9_000_000, 300, 300)]
    sizes = [[[len(payload) + overhead for payload in run] for run in batch] for batch in batches_of(trace)]
    assert sizes == [[[1000, 1000, 500], [200]], [[300]]]
