"""docs/signals.md is true: its examples are read, or written, by the code that speaks the protocol."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.bets.bet import Answer, BetState, Delivery
from gateway.clock import WallClock
from gateway.config import BetSettings, RoundSettings, SignalSettings
from gateway.errors import WireError
from gateway.http.signals import MAX_WAITING_BYTES
from gateway.rounds.causes import AbortCause
from gateway.rounds.description import describe
from gateway.rounds.rounds import Command, Rounds
from gateway.rounds.states import RoundState
from gateway.signals import connection, messages, outbox, outgoing, pings, reports, roster, strict_json, untold
from gateway.signals.messages import BetMessage, Pong, Report, parse_message

TEXT = (Path(__file__).parents[2] / "docs" / "signals.md").read_text()


def examples(chapter: str) -> list[tuple[str, str]]:
    """(type, JSON text) of each example of a chapter."""
    found = []
    body = TEXT.split(f"## {chapter}\n")[1].split("\n## ")[0]
    for section in body.split("### ")[1:]:
        name = re.match(r"`(\w+)`", section)
        assert name is not None
        found += [(name[1], text) for text in re.findall(r"```json\n(.*?)```", section, re.DOTALL)]
    return found


PARSED = {"pong": Pong, "bet": BetMessage, "report": Report}


@pytest.mark.parametrize(("kind", "text"), examples("From the player"))
def test_message_of_a_player_is_read(kind: str, text: str) -> None:
    parsed = parse_message(text, SignalSettings().max_message_bytes)
    assert isinstance(parsed, PARSED[kind])
    if isinstance(parsed, BetMessage):
        assert parsed.traceparent is not None
        assert set(parsed.fields) == {"amount", "currency", "places"}


def welcome(told: dict[str, Any]) -> str:
    settings = SignalSettings()
    return outgoing.welcome(told["stream"], told["mayBet"], settings, told["rounds"], told["nowUnixMs"] / 1000)


def round_message(told: dict[str, Any]) -> str:
    """A real round that goes the way of the example's steps."""
    shown = told["round"]
    rtp_timestamp = shown["at"]["rtpTimestamp"]
    rounds = Rounds(RoundSettings(), WallClock(0.0), lambda stream, at_s: rtp_timestamp)
    for step in shown["steps"]:
        at_s = step["atUnixMs"] / 1000
        closes_at_ms = shown["closesAtUnixMs"] if step["state"] == "betting_open" else None
        closes_in_s = closes_at_ms / 1000 - at_s if closes_at_ms is not None else None
        made = rounds.command(
            shown["stream"], Command(RoundState(step["state"]), shown["roundId"], closes_in_s=closes_in_s), at_s
        )
    return outgoing.round_message(describe(made))


def ack(told: dict[str, Any]) -> str:
    first = BetState(told["first"]) if "first" in told else None
    return outgoing.ack(BetMessage(told["betId"], told["roundId"], {}), Answer(BetState(told["state"]), first))


WRITTEN: dict[str, Callable[[dict[str, Any]], str]] = {
    "welcome": welcome,
    "ping": lambda told: outgoing.ping(told["id"], told["rttMs"] / 1000),
    "round": round_message,
    "ack": ack,
    "delivery": lambda told: outgoing.delivery(told["betId"], told["roundId"], Delivery(told["outcome"])),
    "move": lambda told: outgoing.move(told["afterMs"] / 1000, told["to"]),
    "error": lambda told: outgoing.error(told["sentence"]),
    "goodbye": lambda told: outgoing.goodbye(told["sentence"], told["reconnectAfterMs"] / 1000),
}


@pytest.mark.parametrize(("kind", "text"), examples("From the gateway"))
def test_message_of_the_gateway_is_what_it_writes(kind: str, text: str) -> None:
    told = json.loads(text)
    assert told["type"] == kind
    assert json.loads(WRITTEN[kind](told)) == told


def test_each_message_has_an_example() -> None:
    kinds = {kind for chapter in ("From the gateway", "From the player") for kind, _ in examples(chapter)}
    assert kinds == {*WRITTEN, *PARSED}


def test_example_of_an_error_is_one_that_is_given() -> None:
    (text,) = (text for kind, text in examples("From the gateway") if kind == "error")
    with pytest.raises(WireError) as refusal:
        parse_message('{"type":"bet","betId":"a b"}', 512)
    assert json.loads(text)["sentence"] == str(refusal.value)


def test_each_state_of_an_answer_is_explained() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", TEXT.split("## Bets\n")[1].split("\n## ")[0], re.MULTILINE)
    assert rows == ["state", *(state.value for state in BetState)]


def test_each_cause_of_an_abort_is_named() -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith("| `cause`"))
    assert set(re.findall(r"`(\w+)`", row)) - {"cause"} == {cause.value for cause in AbortCause}


def limits() -> dict[str, str]:
    """The rows of the table: what, how much."""
    table = TEXT.split("## Limits\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")]
    return {row[0].strip() + " " + row[2].strip(): row[1].strip() for row in rows[1:]}


def test_limits_are_the_ones_of_the_code() -> None:
    found = {what: [int(number) for number in re.findall(r"\b\d+\b", much)] for what, much in limits().items()}
    defaults, bets = SignalSettings(), BetSettings()
    expected = {
        "bytes of a message": [defaults.max_message_bytes],
        "values in a message": [strict_json.MAX_FIELDS],
        "objects and arrays": [strict_json.MAX_DEPTH],
        "digits of an integer": [strict_json.MAX_INTEGER_DIGITS],
        "messages of a connection pongs": [defaults.messages_per_s],
        "messages of a connection `goodbye`": [connection.FLOOD_FACTOR],
        "bets of a player": [bets.per_player_per_s, bets.per_address_per_s],
        "bets of a round": [bets.per_round],
        "counts in a report": [messages.MAX_COUNT],
        "`intervalMs` of a report": [messages.MIN_REPORT_S * 1000, messages.MAX_REPORT_S * 1000],
        "`freezesMs` of a report": [messages.MAX_FROZEN_S * 1000],
        "means in a report": [messages.MAX_DURATION_S * 1000],
        "connections 503": [defaults.connections],
        "WebSockets of an address": [defaults.connections_per_address],
        "connections of a player": [roster.MAX_CONNECTIONS_OF_PLAYER],
        "streams that are waited for": [roster.MAX_WAITING_STREAMS],
        "bytes that wait": [MAX_WAITING_BYTES],
    }
    for what, numbers in expected.items():
        (row,) = (found[each] for each in found if each.startswith(what))
        assert row == numbers, what


def test_times_are_the_ones_of_the_code() -> None:
    prose = " ".join(TEXT.split())
    *before, last = (f"{after_s:g}" for after_s in outbox.REPEAT_AFTER_S)
    assert f"again {', '.join(before)} and {last} s later" in prose
    assert f"those after {pings.PONG_TIMEOUT_S:g} s" in prose
    assert f"within {untold.KEPT_S / 60:g} minutes" in prose
    assert f"more than {reports.MAX_FRAME_RATE:g} frames a second" in prose
    assert f"more than {reports.MAX_FREEZE_RATE:g} freezes a second" in prose


def test_protocol_is_named_as_it_is() -> None:
    assert TEXT.startswith(f"# Bet signals: `{messages.PROTOCOL}`\n")
