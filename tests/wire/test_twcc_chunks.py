"""Status chunks: the draft's examples, and which chunk is chosen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire.twcc_chunks import pack_chunks, parse_chunks


@pytest.mark.parametrize(
    ("chunk", "statuses"),
    [
        ("00dd", [0] * 221),
        ("6018", [3] * 24),
        ("9f1c", [0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0]),
        ("cd50", [0, 3, 1, 1, 1, 0, 0]),
    ],
    ids=["run length", "run length of a reserved status", "one-bit vector", "two-bit vector"],
)
def test_example_of_the_draft_section_3_1_3_and_3_1_4(chunk: str, statuses: list[int]) -> None:
    assert parse_chunks(bytes.fromhex(chunk), 0, len(statuses)) == (statuses, 2)


@pytest.mark.parametrize(
    ("statuses", "chunks"),
    [
        ([1], "2001"),
        ([1] * 20, "2014"),
        ([2] * 7, "4007"),
        ([0] * 8191, "1fff"),
        ([1] * 8192, "3fff2001"),
        ([0, 1], "9000"),
        ([0, 1] * 7, "9555"),
        ([0, 1, 2], "c600"),
        ([1] * 13 + [0], "bffe"),
        ([1] * 14 + [0], "200e0001"),
        ([1] * 7 + [2], "20074001"),
        ([0, 2] * 4, "c888" + "4001"),
    ],
)
def test_pack_chunks_chooses(statuses: list[int], chunks: str) -> None:
    assert pack_chunks(statuses).hex() == chunks


@given(st.lists(st.integers(0, 2), min_size=1, max_size=80), st.binary(max_size=3))
def test_statuses_survive_the_round_trip(statuses: list[int], before: bytes) -> None:
    body = before + pack_chunks(statuses)
    assert parse_chunks(body, len(before), len(statuses)) == (statuses, len(body))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 40)), min_size=1, max_size=12))
def test_runs_survive_the_round_trip(runs: list[tuple[int, int]]) -> None:
    statuses = [status for status, length in runs for _ in range(length)]
    chunks = pack_chunks(statuses)
    assert parse_chunks(chunks, 0, len(statuses)) == (statuses, len(chunks))
    assert len(chunks) <= 2 * (len(statuses) // 7 + 1 + len(runs))


@pytest.mark.parametrize(
    ("body", "count"), [("", 1), ("20", 1), ("2001", 2), ("8000", 15), ("c000", 8), ("0000", 1), ("20012001ff", 3)]
)
def test_parse_chunks_refuses_too_few(body: str, count: int) -> None:
    with pytest.raises(WireError):
        parse_chunks(bytes.fromhex(body), 0, count)
