"""Waiting for a gateway's drain, on virtual time; and /readyz as it really comes."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from gateway.drain import readiness
from gateway.drain.readiness import LOOK_EVERY_S, NOTICED_WITHIN_S, Standing, standing, wait

SERVING, DRAINING, DRAINED, GONE, UNKNOWN = Standing


class Gateway:
    """Stands as it is told, one look after the other; the last for ever."""

    def __init__(self, *standings: Standing) -> None:
        self.standings: Sequence[Standing] = standings
        self.looks = 0
        self.now_s = 0.0
        self.said: list[str] = []

    def look(self) -> tuple[Standing, str]:
        seen = self.standings[min(self.looks, len(self.standings) - 1)]
        self.looks += 1
        return seen, f"words of {seen.value}"

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def waited_for(self, wait_s: float) -> Standing:
        return wait(self.look, wait_s, self.said.append, lambda: self.now_s, self.sleep)


def test_wait_ends_when_the_gateway_has_drained_and_says_what_changes() -> None:
    gateway = Gateway(SERVING, DRAINING, DRAINING, DRAINED)
    assert gateway.waited_for(60) is DRAINED
    assert gateway.now_s == 3 * LOOK_EVERY_S
    assert gateway.said == ["words of serving", "words of draining", "words of drained"]


def test_wait_ends_when_nothing_answers() -> None:
    assert Gateway(DRAINING, GONE).waited_for(60) is GONE


def test_wait_ends_when_the_time_is_up() -> None:
    gateway = Gateway(DRAINING)
    assert gateway.waited_for(7.3) is DRAINING
    assert gateway.now_s == pytest.approx(7.3)


def test_wait_goes_on_where_a_busy_gateway_does_not_answer() -> None:
    assert Gateway(DRAINING, *(UNKNOWN,) * 40, DRAINED).waited_for(60) is DRAINED


def test_wait_gives_up_on_a_gateway_that_does_not_heed_the_file() -> None:
    gateway = Gateway(SERVING)
    assert gateway.waited_for(60) is SERVING
    assert gateway.now_s == NOTICED_WITHIN_S


@contextmanager
def answering(text: str, status: int = 503) -> Iterator[tuple[str, int]]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/readyz"
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Not on standard error."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield "127.0.0.1", server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ("ok\nnode: not looked at\n", 200, (SERVING, "node: not looked at")),
        ("not ready\n", 503, (SERVING, "not ready")),
        ("draining\ndraining: 1 round open, 2 sessions\n", 503, (DRAINING, "draining: 1 round open, 2 sessions")),
        ("drained\ndraining: 0 rounds open, 0 sessions\n", 503, (DRAINED, "draining: 0 rounds open, 0 sessions")),
        ("", 502, (SERVING, "")),
    ],
)
def test_standing_is_what_the_first_line_says(text: str, status: int, expected: tuple[Standing, str]) -> None:
    with answering(text, status) as where:
        assert standing(*where) == expected


def test_standing_of_nobody_is_gone() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        assert standing(*holder.getsockname())[0] is GONE


def _hangs_up(listener: socket.socket) -> None:
    listener.accept()[0].close()


def _says_no_http(listener: socket.socket) -> None:
    with listener.accept()[0] as line:
        line.recv(4096)
        line.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")


def _is_silent(listener: socket.socket) -> None:
    with listener.accept()[0] as line:
        line.recv(4096)
        line.recv(1)  # until the other hangs up


@pytest.mark.parametrize("answer", [_hangs_up, _says_no_http, _is_silent])
def test_standing_of_who_does_not_answer_is_unknown(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[socket.socket], None]
) -> None:
    monkeypatch.setattr(readiness, "ANSWER_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=answer, args=(listener,))
        thread.start()
        assert standing(*listener.getsockname())[0] is UNKNOWN
        thread.join()
