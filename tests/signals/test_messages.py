"""What players say: read as it stands, or refused with one sentence."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.signals.messages import BetMessage, Message, Pong, Report, parse_message
from tests.signals.players import bet, report

MAX_BYTES = 4096
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def parse(message: Any) -> Message:
    return parse_message(json.dumps(message), MAX_BYTES)


def test_pong() -> None:
    assert parse({"type": "pong", "id": 7}) == Pong(7)


def test_bet_keeps_the_fields_that_are_not_the_gateways() -> None:
    fields = {"amount": 12.5, "currency": "EUR", "places": [{"number": 17}], "note": None}
    assert parse(bet("b:1.2-3_4", "r1", **fields)) == BetMessage("b:1.2-3_4", "r1", fields)


def test_bet_with_a_trace_context() -> None:
    assert parse(bet(traceparent=TRACEPARENT)) == BetMessage("b1", "r1", {}, TRACEPARENT)


@pytest.mark.parametrize(
    "traceparent",
    [
        7,
        None,
        "",
        "00-zz",
        TRACEPARENT.upper(),
        "ff" + TRACEPARENT[2:],
        TRACEPARENT.replace("00f067aa0ba902b7", "0" * 16),
    ],
)
def test_bet_with_a_bad_trace_context_is_a_bet_without_one(traceparent: object) -> None:
    assert parse(bet(traceparent=traceparent)) == BetMessage("b1", "r1", {})


def test_report() -> None:
    sent = report(
        protocol="hls", framesDropped=3, freezeCount=1, freezesMs=420.5, jitterBufferMs=40, rttMs=None, delayMs=900.5,
        packetsReceived=5000, packetsLost=2,
    )  # fmt: skip
    assert parse(sent) == Report("hls", 5.0, 150, 3, 1, 0.4205, 0.04, None, 0.9005, 5000, 2)


def test_report_without_what_a_browser_may_not_have() -> None:
    assert parse(report()) == Report("webrtc", 5.0, 150, 0, 0, 0.0)


REFUSED: dict[str, tuple[str, str]] = {
    "a list": ("[]", "JSON object"),
    "a number": ("1", "JSON object"),
    "no type": ("{}", "type of a message"),
    "another type": ('{"type":"ack"}', "type of a message"),
    "a type that is no text": ('{"type":["bet"]}', "type of a message"),
    "pong without id": ('{"type":"pong"}', "id is a whole number"),
    "pong with a truth for an id": ('{"type":"pong","id":true}', "id is a whole number"),
    "pong with a fraction": ('{"type":"pong","id":1.5}', "id is a whole number"),
    "pong below": ('{"type":"pong","id":-1}', "id is a whole number"),
    "pong beyond": ('{"type":"pong","id":2147483648}', "id is a whole number"),
    "bet without betId": (json.dumps(bet() | {"betId": None}), "betId has 1 to 64"),
    "bet without a round": (json.dumps(bet() | {"roundId": 5}), "roundId has 1 to 64"),
    "betId of no characters": (json.dumps(bet("")), "betId has 1 to 64"),
    "betId too long": (json.dumps(bet("b" * 65)), "betId has 1 to 64"),
    "betId with a space": (json.dumps(bet("b 1")), "betId has 1 to 64"),
    "betId with a line feed at its end": (json.dumps(bet("b1\n")), "betId has 1 to 64"),
    "betId with an accent": (json.dumps(bet("\u00e91")), "betId has 1 to 64"),
    "roundId with a slash": (json.dumps(bet(round_id="a/b")), "roundId has 1 to 64"),
    "report of another protocol": (json.dumps(report(protocol="rtmp")), "webrtc or hls"),
    "report of no protocol": (json.dumps(report(protocol=["hls"])), "webrtc or hls"),
    "report too short": (json.dumps(report(intervalMs=499)), "intervalMs is a number from 500 to 120000"),
    "report too long": (json.dumps(report(intervalMs=120_001)), "intervalMs is a number"),
    "report of a truth": (json.dumps(report(intervalMs=True)), "intervalMs is a number"),
    "report of a text": (json.dumps(report(intervalMs="5000")), "intervalMs is a number"),
    "report with too many frames": (json.dumps(report(framesDecoded=1_000_001)), "framesDecoded is a whole"),
    "report with fewer than no frames": (json.dumps(report(framesDropped=-1)), "framesDropped is a whole"),
    "report with half a freeze": (json.dumps(report(freezeCount=0.5)), "freezeCount is a whole"),
    "report without freezes": (json.dumps(report(freezeCount=None)), "freezeCount is a whole"),
    "report frozen for too long": (json.dumps(report(freezesMs=600_001)), "freezesMs is a number"),
    "report with a bad delay": (json.dumps(report(delayMs=-0.1)), "delayMs is a number"),
    "report with a bad round trip": (json.dumps(report(rttMs="fast")), "rttMs is a number"),
    "report with a bad jitter buffer": (json.dumps(report(jitterBufferMs=60_001)), "jitterBufferMs is a number"),
    "report with bad packets": (json.dumps(report(packetsLost=-1)), "packetsLost is a whole"),
    "report with many packets": (json.dumps(report(packetsReceived=1_000_001)), "packetsReceived is a whole"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), REFUSED.values(), ids=REFUSED)
def test_message_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence) as refusal:
        parse_message(text, MAX_BYTES)
    said = str(refusal.value)
    assert said.endswith(".")
    assert said.isascii()


def test_message_is_strict_json() -> None:
    with pytest.raises(WireError, match="at most 10 bytes"):
        parse_message('{"type":"pong","id":1}', 10)
    with pytest.raises(WireError, match="NaN"):
        parse_message('{"type":"bet","betId":"b","roundId":"r","amount":NaN}', MAX_BYTES)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["type", "id", "betId", "roundId", "traceparent", "protocol", *report()],
)
LIKELY = st.sampled_from(["pong", "bet", "report", "webrtc", "hls", "b1", 5000, 1, 0]) | JSON_VALUES


def parses_or_is_refused(text: str) -> None:
    try:
        message = parse_message(text, MAX_BYTES)
    except WireError:
        return
    assert isinstance(message, Pong | BetMessage | Report)
    if isinstance(message, BetMessage):
        json.dumps(message.fields, allow_nan=False, ensure_ascii=False).encode()


@settings(max_examples=150, deadline=None)
@given(st.text())
def test_any_text_parses_or_is_refused(text: str) -> None:
    parses_or_is_refused(text)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='{}[]",:\\u0123456789abcdefd-+.eE tnrlsNI ', max_size=60))
def test_any_text_that_looks_like_json_parses_or_is_refused(text: str) -> None:
    parses_or_is_refused(text)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES | st.text(max_size=8), LIKELY, max_size=14))
def test_any_object_parses_or_is_refused(message: dict[str, Any]) -> None:
    parses_or_is_refused(json.dumps(message))


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=6))
def test_bet_is_passed_on_as_it_is_or_refused(fields: dict[str, Any]) -> None:
    message = bet() | {name: value for name, value in fields.items() if name not in ("type", "betId", "roundId")}
    try:
        parsed = parse(message)
    except WireError:
        return
    assert isinstance(parsed, BetMessage)
    assert parsed.fields == {name: value for name, value in fields.items() if name not in {*bet(), "traceparent"}}
