"""A round as players, the API and the ledger have it."""

import json
import math

from gateway.hls.clock_text import date_time
from gateway.rounds.causes import AbortCause
from gateway.rounds.description import describe, describe_in_full, unix_ms
from tests.rounds.stand import STREAM, Stand


def test_open_round_is_told_with_its_window() -> None:
    stand = Stand()
    stand.say("scheduled", "r-1")
    stand.wait(2.5)
    told = describe(stand.say("betting_open", "r-1", closes_in_s=10.0))
    assert told == {
        "roundId": "r-1",
        "stream": STREAM,
        "state": "betting_open",
        "steps": [
            {"state": "scheduled", "atUnixMs": 1_790_001_000_000},
            {"state": "betting_open", "atUnixMs": 1_790_001_002_500},
        ],
        "at": {"unixMs": 1_790_001_002_500, "rtpTimestamp": 90_225_000},
        "closesAtUnixMs": 1_790_001_012_500,
        "result": None,
        "cause": None,
    }


def test_round_without_a_picture_has_no_rtp_timestamp() -> None:
    told = describe(Stand().say("betting_open", stream="another"))
    assert (told["at"]["rtpTimestamp"], told["closesAtUnixMs"]) == (None, None)


def test_players_get_neither_evidence_nor_the_number_of_bets() -> None:
    stand = Stand()
    told = stand.say("betting_open")
    told.bets = 7
    stand.rounds.abort(STREAM, "r", AbortCause.INGEST_LOSS, {"lossShare": 0.2}, stand.now_s)
    assert describe_in_full(told) == describe(told) | {"evidence": {"lossShare": 0.2}, "bets": 7}
    assert describe(told)["cause"] == "ingest_loss"
    assert not {"evidence", "bets"} & describe(told).keys()


def test_result_is_passed_on_as_it_is() -> None:
    stand = Stand()
    stand.say("betting_open")
    stand.say("betting_closed")
    result = {"winner": "tie", "player": [1, 2.5], "banker": None}
    assert describe(stand.say("result", result=result))["result"] == result


def test_evidence_that_is_no_number_is_null() -> None:
    stand = Stand()
    told = stand.say("betting_open")
    evidence = {"a": math.nan, "b": math.inf, "c": 1, "d": None, "e": "x"}
    stand.rounds.abort(STREAM, "r", AbortCause.UNKNOWN, evidence, stand.now_s)
    in_full = describe_in_full(told)
    assert in_full["evidence"] == {"a": None, "b": None, "c": 1, "d": None, "e": "x"}
    json.dumps(in_full, allow_nan=False)


def test_milliseconds_are_those_of_the_playlists() -> None:
    """A date range and a message name the same instant: the one must not be rounded where the other is cut."""
    for micros in range(0, 3_000, 7):
        unix_s = 1_790_000_000 + micros / 1_000_000
        fraction = date_time(unix_s).rpartition(".")[2].removesuffix("Z")
        assert unix_ms(unix_s) % 1000 == int(fraction)
