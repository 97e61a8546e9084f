"""Trickled candidates and the answer to an ICE restart."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire.sdpfrag import MAX_FRAGMENT_BYTES, SdpFragment, parse_fragment, serialize_fragment

CANDIDATE = "1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1"


def test_fragment_of_a_browser() -> None:
    text = (
        "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
        f"a=candidate:{CANDIDATE}\r\na=candidate:2 1 tcp 5 192.0.2.1 9 typ host tcptype active\r\n"
        "a=end-of-candidates\r\n"
    )
    assert parse_fragment(text) == SdpFragment(
        ufrag="EsAw",
        pwd="P2uYro0UCOQ4zxjKXaWCBui1",
        candidates=(CANDIDATE, "2 1 tcp 5 192.0.2.1 9 typ host tcptype active"),
        end_of_candidates=True,
    )


@pytest.mark.parametrize(
    ("text", "ufrag", "pwd"),
    [
        ("a=ice-ufrag:EsAw\r\n", "EsAw", None),
        ("a=ice-pwd:secret\r\n", None, "secret"),
        ("a=ice-ufrag:\r\na=ice-pwd\r\n", None, None),
        ("a=ice-ufrag:first\na=ice-ufrag:second", "first", None),
    ],
)
def test_fragment_with_half_of_the_credentials(text: str, ufrag: str | None, pwd: str | None) -> None:
    assert parse_fragment(text) == SdpFragment(ufrag, pwd, (), False)


def test_fragment_with_bare_line_feeds() -> None:
    assert parse_fragment(f"m=audio 9 RTP/AVP 0\na=candidate:{CANDIDATE}\n\n").candidates == (CANDIDATE,)


BAD_FRAGMENTS = {
    "empty": "",
    "only line ends": "\r\n\n\r\n",
    "no SDP": "hello",
    "no type": "=x",
    "upper-case type": "A=mid:0",
    "digit for a type": "1=mid:0",
    "letter outside ASCII": "é=x",
    "second line no SDP": "a=mid:0\r\n{}\r\n",
    "JSON": '{"candidate": ""}',
    "line with a space before it": " a=mid:0",
    "too large": "a=x:" + "x" * MAX_FRAGMENT_BYTES,
    "too large in bytes": "a=x:" + "é" * (MAX_FRAGMENT_BYTES // 2),
}


@pytest.mark.parametrize("text", BAD_FRAGMENTS.values(), ids=BAD_FRAGMENTS.keys())
def test_parse_fragment_refuses(text: str) -> None:
    with pytest.raises(WireError):
        parse_fragment(text)


def test_parse_fragment_takes_as_much_as_is_allowed() -> None:
    assert not parse_fragment("a=x:" + "x" * (MAX_FRAGMENT_BYTES - 4)).end_of_candidates


def test_answer_to_a_restart_on_the_wire() -> None:
    assert serialize_fragment("rail", "p" * 22, "0", ["1 1 udp 1 192.0.2.1 8189 typ host"]) == (
        "a=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=ice-ufrag:rail\r\na=ice-pwd:" + "p" * 22 + "\r\n"
        "a=candidate:1 1 udp 1 192.0.2.1 8189 typ host\r\na=end-of-candidates\r\n"
    )


ice_texts = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789+/", min_size=4, max_size=30)
candidate_tuples = st.lists(st.text("abcdef0123456789.: ", min_size=1, max_size=40), max_size=5).map(tuple)


@given(ufrag=ice_texts, pwd=ice_texts, candidates=candidate_tuples)
def test_fragment_survives_the_round_trip(ufrag: str, pwd: str, candidates: tuple[str, ...]) -> None:
    text = serialize_fragment(ufrag, pwd, "0", candidates)
    assert parse_fragment(text) == SdpFragment(ufrag, pwd, candidates, True)


@given(st.text(max_size=100) | st.text(max_size=100).map(lambda tail: "a=" + tail))
def test_parse_fragment_of_garbage_raises_nothing_else(text: str) -> None:
    with suppress(WireError):
        parse_fragment(text)
