"""Says what happens at the drawn table: one round a coup, in step with the drawing, by the gateway's API for rounds.

It runs beside the drawing, in a thread of another process, and holds nothing up. A gateway that restarts, refuses or
loses a request costs what was to be said then; each word may be said again, as commands are idempotent, and the next
coup is a new round.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import structlog

from gateway.demo.coup import BETS_CLOSE_S, COUP_S, OUTCOME_S, SWEEP_S, Coup
from gateway.demo.presence import Presence, stream_url

logger = structlog.get_logger()

ANSWER_WITHIN_S: Final = 1.0
RETRY_S: Final = 0.5
SHORTEST_BETTING_S: Final = 3.0
"""With less time left a coup is played without a round."""
PICTURE_TAKES_S: Final = 0.015
"""From the moment that is drawn to its picture's arrival at the gateway. The window closes that much later, so that it
closes with the first picture that says NO MORE BETS, not with the last one before."""
GOODBYE_S: Final = 1.5

_HEARD: Final = frozenset({200, 201})
_IN_VAIN: Final = frozenset({400, 404, 409})
"""The round is not, or no longer, what we take it for: aborted, or lost with the gateway's memory."""

Post = Callable[[dict[str, Any]], "int | None"]
"""Sends a command; the HTTP status, or None when no answer came."""


class Word(NamedTuple):
    """What is said of a coup, from one second of it to another."""

    state: str
    from_s: float
    until_s: float


OPENING: Final = Word("betting_open", 0.0, BETS_CLOSE_S - SHORTEST_BETTING_S)
FOLLOWING: Final = (Word("result", OUTCOME_S, SWEEP_S), Word("settled", SWEEP_S, COUP_S))
"""That bets are closed the gateway says itself, by the time that the opening gave."""


class Croupier:
    """See the module."""

    def __init__(
        self,
        post: Post,
        is_on_air: Callable[[], bool],
        wait: Callable[[float], bool],
        unix_s: Callable[[], float] = time.time,
    ) -> None:
        """`wait` sleeps for that many seconds, if that is more than none, and returns True when it is time to stop."""
        self._post = post
        self._is_on_air = is_on_air
        self._wait = wait
        self._unix_s = unix_s
        self._complained: int | None = 200

    def run(self) -> None:
        """Play coup after coup, the one that is under way first."""
        number = int(self._unix_s() // COUP_S)
        while not self._wait(self._until_s(number, 0.0)):
            self._play(number)
            number += 1  # what was slept through has no time left in which anything is said

    def _play(self, number: int) -> None:
        if not self._say(number, OPENING):
            return
        is_played = all(self._say(number, word) for word in FOLLOWING)
        if not is_played and self._wait(0.0):
            self._post({"state": "aborted", "roundId": round_id(number)})

    def _say(self, number: int, word: Word) -> bool:
        """Say it at its time, and again until it is heard; False where that is in vain, or it is time to stop."""
        is_opening = word is OPENING
        is_stopped = self._wait(self._until_s(number, word.from_s))
        while not is_stopped and self._until_s(number, word.until_s) > 0:
            if not is_opening or self._is_on_air():
                status = self._post(self._body(number, word))
                self._complain(status)
                if status in _HEARD:
                    return True
                if status in _IN_VAIN and not is_opening:
                    return False
            is_stopped = self._wait(RETRY_S)
        return False

    def _until_s(self, number: int, at_s: float) -> float:
        """How long it is to that second of that coup; less than nothing when it is over."""
        return number * COUP_S + at_s - self._unix_s()

    def _body(self, number: int, word: Word) -> dict[str, Any]:
        body: dict[str, Any] = {"state": word.state, "roundId": round_id(number)}
        if word.state == "betting_open":
            body["closesInMs"] = round((self._until_s(number, BETS_CLOSE_S) + PICTURE_TAKES_S) * 1000)
        if word.state == "result":
            coup = Coup.shuffled(number)
            body["result"] = {
                "player": coup.points("player"),
                "banker": coup.points("banker"),
                "winner": coup.outcome,
            }
        return body

    def _complain(self, status: int | None) -> None:
        """Once for each new kind of refusal."""
        if status not in _HEARD and status != self._complained:
            logger.warning("the demo table's rounds are not taken", status=status)
        self._complained = status


def round_id(number: int) -> str:
    """Of the coup of that number, which counts from 1970 on: no two rounds of a table share it."""
    return f"coup-{number}"


class RoundsEndpoint:
    """Posts commands to a stream's rounds."""

    def __init__(self, url: str, bearer_token: str | None = None) -> None:
        self._url = url
        self._headers = {"Content-Type": "application/json"}
        if bearer_token is not None:
            self._headers["Authorization"] = f"Bearer {bearer_token}"

    def __call__(self, command: dict[str, Any]) -> int | None:
        """Implements `Post`."""
        body = json.dumps(command).encode()
        request = urllib.request.Request(self._url, body, self._headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except (OSError, http.client.HTTPException):
            return None


@contextmanager
def rounds_of(whip_url: str, bearer_token: str | None, presence: Presence) -> Iterator[None]:
    """While it lasts, the rounds of the table that is published there are played; nothing where that has no API."""
    url = stream_url(whip_url)
    if url is None:
        yield
        return
    stopped = threading.Event()
    croupier = Croupier(RoundsEndpoint(f"{url}/rounds", bearer_token), presence.carries_us, stopped_after(stopped))
    thread = threading.Thread(target=croupier.run, name="croupier", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(GOODBYE_S)


def stopped_after(stopped: threading.Event) -> Callable[[float], bool]:
    """Sleeps until the event, or for that many seconds."""
    return lambda timeout_s: stopped.wait(max(timeout_s, 0.0))
