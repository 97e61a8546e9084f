"""A keep-alive connection that asks and reads with as little work as can be: hundreds of them share a core."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS = slice(9, 12)
_HEADERS = """\
Connection: keep-alive
sec-ch-ua: "Chromium";v="156", "Not A Brand";v="24"
sec-ch-ua-mobile: ?0
sec-ch-ua-platform: "Linux"
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36
Accept: */*
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Accept-Encoding: gzip, deflate, br
Accept-Language: en-US,en;q=0.9
""".replace("\n", "\r\n")


@dataclass(frozen=True, slots=True)
class Answer:
    """To one request."""

    status: int
    head: bytes
    body: bytes
    """Empty where it was not to be kept."""
    size_bytes: int
    """Of the body."""
    answered_unix_s: float
    """When its last byte was here."""


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, on_answer: Callable[["Connection", Answer], None], on_lost: Callable[[], None]) -> None:
        self.is_busy = False
        self._on_answer = on_answer
        self._on_lost = on_lost
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = bytearray()
        self._head = b""
        self._left_bytes = self._size_bytes = 0
        self._keeps_body = False
        self._is_closed = False

    def ask(self, request: bytes, keeps_body: bool) -> None:
        """Send a whole request (see `request`). The body of its answer is thrown away unless it is to be kept."""
        assert self._transport is not None, "connected"
        self.is_busy, self._keeps_body = True, keeps_body
        self._transport.write(request)

    def close(self) -> None:
        """Close it, without `on_lost`."""
        self._is_closed = True
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """From the event loop."""
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        """From the event loop."""
        if not self._is_closed:
            self._on_lost()

    def data_received(self, data: bytes) -> None:
        """From the event loop."""
        if self._head:
            self._take(data)
            return
        self._buffer += data
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            return
        self._head, rest = bytes(self._buffer[: end + 2]), bytes(self._buffer[end + len(_HEAD_END) :])
        self._buffer.clear()
        length = _LENGTH.search(self._head)
        self._left_bytes = self._size_bytes = int(length[1]) if length else 0
        self._take(rest)

    def _take(self, data: bytes) -> None:
        self._left_bytes -= len(data)
        if self._keeps_body:
            self._buffer += data
        if self._left_bytes > 0:
            return
        head, body = self._head, bytes(self._buffer)
        self._head = b""
        self._buffer.clear()
        self.is_busy = False
        self._on_answer(self, Answer(int(head[_STATUS]), head, body, self._size_bytes, time.time()))


def request(host: str, path: str) -> bytes:
    """A GET with the headers that Chromium and hls.js send."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{_HEADERS}Referer: http://{host}/watch/bench\r\n\r\n".encode()
