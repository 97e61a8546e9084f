"""Answers are taken apart as they come, whole or in pieces."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.bench.hls.connection import Answer, Connection, request

BODY = b"x" * 1000
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nCONTENT-LENGTH: 1000\r\n\r\n" + BODY
EMPTY = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.is_closed = True


class Ends:
    """A connection, its wire, and what it told."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.lost = 0
        self.wire = Wire()
        self.connection = Connection(lambda _connection, answer: self.answers.append(answer), self._on_lost)
        self.connection.connection_made(self.wire)

    def _on_lost(self) -> None:
        self.lost += 1


@pytest.fixture
def ends() -> Ends:
    return Ends()


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 69, 70, 71, 5000])
def test_answer_in_pieces_is_one_answer(ends: Ends, size: int) -> None:
    for _ in range(2):
        ends.connection.ask(b"GET", keeps_body=True)
        assert ends.connection.is_busy
        for piece in _pieces(ANSWER, size):
            ends.connection.data_received(piece)
        assert not ends.connection.is_busy
    assert [(answer.status, answer.body, answer.size_bytes) for answer in ends.answers] == [(200, BODY, 1000)] * 2
    assert ends.wire.written == b"GETGET"


def test_body_that_is_not_wanted_is_only_counted(ends: Ends) -> None:
    ends.connection.ask(b"GET", keeps_body=False)
    ends.connection.data_received(ANSWER)
    assert (ends.answers[0].body, ends.answers[0].size_bytes) == (b"", 1000)


def test_answer_without_body(ends: Ends) -> None:
    ends.connection.ask(b"GET", keeps_body=True)
    ends.connection.data_received(EMPTY)
    assert (ends.answers[0].status, ends.answers[0].body) == (404, b"")


@pytest.mark.parametrize(("by_us", "lost"), [(True, 0), (False, 1)])
def test_connection_that_the_server_closed_is_told(ends: Ends, by_us: bool, lost: int) -> None:
    if by_us:
        ends.connection.close()
        assert ends.wire.is_closed
    ends.connection.connection_lost(None)
    assert ends.lost == lost


def test_request_is_one_that_a_browser_sends() -> None:
    head, _, rest = request("127.0.0.1:80", "/hls/x").partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert (first, rest) == ("GET /hls/x HTTP/1.1", b"")
    assert all(": " in header for header in headers)
    assert {"Host: 127.0.0.1:80", "Accept-Encoding: gzip, deflate, br"} <= set(headers)
