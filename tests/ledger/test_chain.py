"""One line, and how it hangs on the one before."""

import hashlib
import json

import pytest

from gateway.ledger.chain import GENESIS, ChainError, Line, Link, check_follows, parse_line, seal, written

LINE, LINK = seal(
    Link(16, "ab" * 32), 1_790_000_000_123, "round", written({"roundId": "r-1", "result": {"winner": "é"}})
)


def test_line_is_json_with_its_place_and_its_record() -> None:
    assert json.loads(LINE) == {
        "seq": 17,
        "prev": "ab" * 32,
        "atUnixMs": 1_790_000_000_123,
        "type": "round",
        "roundId": "r-1",
        "result": {"winner": "é"},
        "hash": LINK.hash,
    }
    assert LINE.endswith(b"\n")
    assert LINE.count(b"\n") == 1
    assert LINK.seq == 17


def test_hash_is_that_of_the_line_without_it() -> None:
    """As docs/ledger.md tells anybody to check it."""
    without = LINE.removesuffix(b"\n").replace(f',"hash":"{LINK.hash}"'.encode(), b"")
    assert hashlib.sha256(without).hexdigest() == LINK.hash


def test_line_without_fields_is_a_line() -> None:
    line, link = seal(Link(), 1, "note", written({}))
    assert parse_line(line[:-1]).hash == link.hash


def test_parsed_line_is_what_was_sealed() -> None:
    line = parse_line(LINE[:-1])
    assert (line.seq, line.prev, line.kind, line.hash) == (17, "ab" * 32, "round", LINK.hash)
    assert line.fields["roundId"] == "r-1"


@pytest.mark.parametrize("position", range(0, len(LINE) - 1, 3))
def test_line_with_another_byte_is_refused(position: int) -> None:
    changed = bytearray(LINE[:-1])
    changed[position] ^= 1
    with pytest.raises(ChainError):
        parse_line(bytes(changed))


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"\xff\xfe", b'{"seq":1}', b"[" * 100_000, LINE[:-1] + b" ", LINE[1:-1], LINE[:-2]]
)
def test_line_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(ChainError):
        parse_line(line)


@pytest.mark.parametrize("text", ["[1]", '{"seq":1}', '{"seq":"x","prev":"","type":""}', "{" + "[" * 5000])
def test_line_with_a_right_hash_that_is_no_ledgers_is_refused(text: str) -> None:
    body = text if text.endswith("}") else text + "}"
    digest = hashlib.sha256(body.encode()).hexdigest()
    with pytest.raises(ChainError, match="not a line of a ledger"):
        parse_line(f'{body[:-1]},"hash":"{digest}"}}'.encode())


@pytest.mark.parametrize(
    "record",
    [{"x": float("nan")}, {"x": float("inf")}, {"seq": 1}, {"hash": ""}, {"prev": ""}, {"type": "round"}],
)
def test_record_that_cannot_be_written_is_refused(record: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        written(record)


@pytest.mark.parametrize(
    ("seq", "prev", "said"),
    [
        (19, "ab" * 32, "lines 18 to 18 should come before"),
        (17, "ab" * 32, "stands before it already"),
        (1, GENESIS, "stands before it already"),
        (18, "cd" * 32, "does not hang on the line before"),
    ],
)
def test_line_at_a_wrong_place_is_refused(seq: int, prev: str, said: str) -> None:
    with pytest.raises(ChainError, match=said):
        check_follows(Line(seq, prev, "round", {}, "00" * 32), Link(17, "ab" * 32))


def test_line_at_its_place_is_taken() -> None:
    check_follows(Line(18, LINK.hash, "round", {}, "00" * 32), LINK)
