"""Many connections that ask for the same URL and note when each was answered, with little work of their own."""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from dataclasses import dataclass, field

MAX_WAIT_S = 20.0
READ_BYTES = 256 * 1024


@dataclass
class Answer:
    """One response: its status, its headers (names in lower case), and when it was whole, on the monotonic clock."""

    status: int
    headers: dict[str, str]
    whole_s: float


@dataclass
class _Connection:
    socket: ssl.SSLSocket
    received: bytearray = field(default_factory=bytearray)
    is_over: bool = False
    """The front said that it answers no more by it (keepalive_time)."""


class Crowd:
    """`size` keep-alive connections over TLS and HTTP/1.1."""

    def __init__(self, port: int, tls: ssl.SSLContext, size: int) -> None:
        self._port, self._tls = port, tls
        self._connections = [_Connection(_connect(port, tls)) for _ in range(size)]
        self._selector = selectors.DefaultSelector()
        for connection in self._connections:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def close(self) -> None:
        """Close all connections."""
        self._selector.close()
        for connection in self._connections:
            connection.socket.close()

    def ask(self, path: str, spread_s: float = 0.0) -> None:
        """Send a GET on every connection, the last one `spread_s` after the first."""
        request = f"GET {path} HTTP/1.1\r\nHost: front\r\nAccept-Encoding: gzip\r\n\r\n".encode()
        for connection in self._connections:
            if connection.is_over:
                self._renew(connection)
            connection.socket.send(request)
            time.sleep(spread_s / len(self._connections))

    def answers(self) -> list[Answer]:
        """The answer to what was asked last, of each connection; TimeoutError when one does not come."""
        answers: list[Answer] = []
        deadline_s = time.monotonic() + MAX_WAIT_S
        while len(answers) < len(self._connections):
            ready = self._selector.select(deadline_s - time.monotonic())
            if not ready:
                raise TimeoutError(f"{len(answers)} of {len(self._connections)} were answered")
            answers += filter(None, (_read(key.data) for key, _mask in ready))
        return answers

    def _renew(self, connection: _Connection) -> None:
        self._selector.unregister(connection.socket)
        connection.socket.close()
        connection.socket, connection.is_over = _connect(self._port, self._tls), False
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)


def _connect(port: int, tls: ssl.SSLContext) -> ssl.SSLSocket:
    secured = tls.wrap_socket(socket.create_connection(("127.0.0.1", port)))
    secured.setblocking(False)
    return secured


def _read(connection: _Connection) -> Answer | None:
    """What has come, when it is a whole answer."""
    try:
        while chunk := connection.socket.recv(READ_BYTES):
            connection.received += chunk
    except ssl.SSLWantReadError:
        answer = _parse(connection.received)
        if answer is not None:
            connection.received.clear()
            connection.is_over = answer.headers.get("connection") == "close"
        return answer
    raise ConnectionError("the front closed the connection")


def _parse(received: bytearray) -> Answer | None:
    head, separator, body = bytes(received).partition(b"\r\n\r\n")
    if not separator:
        return None
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if len(body) < int(headers["content-length"]):
        return None
    return Answer(int(status.split()[1]), headers, time.monotonic())
