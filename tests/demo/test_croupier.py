"""The rounds of the drawn table: what is said when, and what becomes of it when the gateway does not hear."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.demo.coup import BETS_CLOSE_S, COUP_S, OUTCOME_S, SWEEP_S, Coup
from gateway.demo.croupier import (
    PICTURE_TAKES_S,
    SHORTEST_BETTING_S,
    Croupier,
    RoundsEndpoint,
    Word,
    round_id,
    rounds_of,
    stopped_after,
)
from gateway.demo.presence import Presence
from gateway.rounds.request import parse_command

NUMBER = 77_272_727
STARTS_S = NUMBER * COUP_S


class Evening:
    """Time passes only where the croupier waits. `answer` is the gateway: what it says to a command at a second of the
    coup."""

    def __init__(self, answer: Callable[[str, float], int | None], *, from_s: float = 0.0, until_s: float) -> None:
        self.now_s = STARTS_S + from_s
        self.said: list[tuple[float, dict[str, Any]]] = []
        self.is_on_air = True
        self._answer = answer
        self._until_s = STARTS_S + until_s

    def play(self) -> list[tuple[float, str, int | str]]:
        """(second, state, coup) of all that was said."""
        Croupier(self._post, lambda: self.is_on_air, self._wait, lambda: self.now_s).run()
        return [
            (round(at_s, 2), body["state"], int(body["roundId"].removeprefix("coup-")) - NUMBER)
            for at_s, body in self.said
        ]

    def _post(self, body: dict[str, Any]) -> int | None:
        parse_command(json.dumps(body))  # the gateway would understand it
        self.said.append((self.now_s - STARTS_S, body))
        return self._answer(body["state"], self.now_s - STARTS_S)

    def _wait(self, timeout_s: float) -> bool:
        self.now_s = min(self.now_s + max(timeout_s, 0.0), self._until_s)
        return self.now_s >= self._until_s


def _hears(_state: str, _at_s: float) -> int:
    return 200


def test_coup_is_a_round_in_step_with_the_drawing() -> None:
    evening = Evening(_hears, until_s=2 * COUP_S + 1)
    assert evening.play() == [
        (0.0, "betting_open", 0),
        (OUTCOME_S, "result", 0),
        (SWEEP_S, "settled", 0),
        (COUP_S, "betting_open", 1),
        (COUP_S + OUTCOME_S, "result", 1),
        (COUP_S + SWEEP_S, "settled", 1),
        (2 * COUP_S, "betting_open", 2),
        (2 * COUP_S + 1, "aborted", 2),
    ]
    coup = Coup.shuffled(NUMBER)
    assert evening.said[0][1]["closesInMs"] == round((BETS_CLOSE_S + PICTURE_TAKES_S) * 1000)
    assert evening.said[1][1]["result"] == {
        "player": coup.points("player"),
        "banker": coup.points("banker"),
        "winner": coup.outcome,
    }


def test_croupier_who_comes_late_opens_for_what_is_left_of_the_time() -> None:
    evening = Evening(_hears, from_s=4.0, until_s=COUP_S - 0.1)
    assert evening.play()[0] == (4.0, "betting_open", 0)
    assert evening.said[0][1]["closesInMs"] == round((BETS_CLOSE_S - 4.0 + PICTURE_TAKES_S) * 1000)


def test_croupier_who_comes_too_late_waits_for_the_next_coup() -> None:
    evening = Evening(_hears, from_s=BETS_CLOSE_S - SHORTEST_BETTING_S + 0.1, until_s=COUP_S + 1)
    assert evening.play()[0] == (COUP_S, "betting_open", 1)


def test_table_that_is_off_air_has_no_rounds() -> None:
    evening = Evening(_hears, until_s=3 * COUP_S)
    evening.is_on_air = False
    assert evening.play() == []


@pytest.mark.parametrize("refusal", [None, 401, 404, 429, 500, 503])
def test_opening_is_said_again_while_there_is_time_to_bet(refusal: int | None) -> None:
    evening = Evening(lambda _state, at_s: refusal if at_s < 2.2 else 201, until_s=12.0)
    said = evening.play()
    assert [at_s for at_s, state, _ in said if state == "betting_open"] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    windows = [at_s + body["closesInMs"] / 1000 for at_s, body in evening.said if body["state"] == "betting_open"]
    assert windows == pytest.approx([BETS_CLOSE_S + PICTURE_TAKES_S] * 6, abs=0.001)


@pytest.mark.parametrize("refusal", [None, 401, 404, 503])
def test_gateway_that_never_opens_is_tried_in_the_next_coup(refusal: int | None) -> None:
    evening = Evening(lambda _state, _at_s: refusal, until_s=COUP_S + 0.1)
    said = evening.play()
    assert {state for _, state, _ in said} == {"betting_open"}
    assert said[-1] == (COUP_S, "betting_open", 1)
    assert said[-2][0] <= BETS_CLOSE_S - SHORTEST_BETTING_S


@pytest.mark.parametrize("refusal", [None, 500, 503])
def test_word_that_is_lost_is_said_again_until_the_next_is_due(refusal: int | None) -> None:
    evening = Evening(lambda state, at_s: refusal if state == "result" and at_s < 18.0 else 200, until_s=COUP_S - 0.1)
    results = [at_s for at_s, state, _ in evening.play() if state == "result"]
    assert results == [16.0, 16.5, 17.0, 17.5, 18.0]


@pytest.mark.parametrize("refusal", [404, 409])
def test_round_that_is_gone_is_not_gone_after(refusal: int) -> None:
    """Aborted by the gateway, or forgotten by one that has started anew."""
    evening = Evening(lambda state, _at_s: refusal if state == "result" else 200, until_s=COUP_S + 0.1)
    assert [each[1:] for each in evening.play()] == [
        ("betting_open", 0),
        ("result", 0),
        ("betting_open", 1),
        ("aborted", 1),
    ]


def test_croupier_who_was_suspended_goes_on_with_the_coup_of_now() -> None:
    evening = Evening(_hears, until_s=5 * COUP_S)

    def suspended(state: str, _at_s: float) -> int:
        if state == "settled" and evening.now_s < STARTS_S + COUP_S:
            evening.now_s += 2.5 * COUP_S
        return 200

    evening._answer = suspended
    openings = [(at_s, coup) for at_s, state, coup in evening.play() if state == "betting_open"]
    assert openings == [(0.0, 0), (4 * COUP_S, 4)]


def test_refusals_are_logged_once_each() -> None:
    evening = Evening(lambda _state, at_s: 401 if at_s < 2.0 else None, until_s=3.0)
    with capture_logs() as logs:
        evening.play()
    assert [line["status"] for line in logs] == [401, None]


def test_names_of_coups_are_names_of_rounds() -> None:
    assert parse_command(json.dumps({"state": "scheduled", "roundId": round_id(NUMBER)})).round_id == "coup-77272727"


# Over HTTP


class Gateway(HTTPServer):
    """Answers what it is told to, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 201
        self.posts: list[tuple[str, str | None, bytes]] = []
        self.posted = threading.Event()

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Of one request."""

    server: Gateway

    def do_GET(self) -> None:
        self._answer(200, b'{"state": "live"}')

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, self.headers["Authorization"], body))
        self._answer(self.server.status, b"")
        self.server.posted.set()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    server = Gateway()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("status", [200, 201, 401, 404, 409, 503])
def test_endpoint_tells_what_was_answered(gateway: Gateway, status: int) -> None:
    gateway.status = status
    assert RoundsEndpoint(f"{gateway.url}/rounds", "secret")({"state": "scheduled"}) == status
    assert gateway.posts == [("/rounds", "Bearer secret", b'{"state": "scheduled"}')]


def test_endpoint_without_a_gateway_has_no_answer(unused_tcp_port: int) -> None:
    assert RoundsEndpoint(f"http://127.0.0.1:{unused_tcp_port}/rounds")({"state": "scheduled"}) is None


def test_rounds_of_a_table_are_played_beside_it(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.demo.croupier.BETS_CLOSE_S", COUP_S)
    monkeypatch.setattr("gateway.demo.croupier.OPENING", Word("betting_open", 0.0, COUP_S))
    whip_url = f"{gateway.url}/whip/demo"
    with rounds_of(whip_url, "secret", Presence(whip_url)):
        assert gateway.posted.wait(10.0)
    path, authorization, body = gateway.posts[0]
    assert (path, authorization) == ("/api/v1/streams/demo/rounds", "Bearer secret")
    assert json.loads(body)["state"] == "betting_open"
    assert json.loads(gateway.posts[-1][2])["state"] == "aborted", "the round that was open when it ended"


def test_endpoint_of_another_shape_has_no_rounds() -> None:
    before = threading.active_count()
    with rounds_of("http://127.0.0.1:9/publish", None, Presence("http://127.0.0.1:9/publish")):
        assert threading.active_count() == before


def test_wait_ends_with_the_event() -> None:
    stopped = threading.Event()
    wait = stopped_after(stopped)
    assert not wait(-1.0)
    assert not wait(0.01)
    stopped.set()
    began_s = time.monotonic()
    assert wait(30.0)
    assert time.monotonic() - began_s < 10.0
