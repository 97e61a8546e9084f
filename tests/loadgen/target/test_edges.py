"""Where players may be sent, and where they may not."""

import pytest

from loadgen.errors import SignallingError
from loadgen.target.edges import MAX_EDGES, MAX_URL_CHARS, Edges
from loadgen.target.safety import Permission
from loadgen.target.urls import Endpoints

TARGET = "https://127.0.0.1:8443/a"
OTHER = "https://127.0.0.2:8443"
OWN = "https://edge-b.example"


def edges(target: str = TARGET) -> Edges:
    """Of a run whose operator has named one host as his own."""
    return Edges(Endpoints(target), Permission("127.0.0.1", frozenset(), frozenset({"edge-b.example"})))


def _refused(to: str, target: str = TARGET) -> str:
    with pytest.raises(SignallingError) as raised:
        edges(target).moved_to(to)
    return raised.value.cause


@pytest.mark.parametrize("to", [None, TARGET, f"{TARGET}/"])
def test_target_is_where_everybody_may_go(to: str | None) -> None:
    judge = edges()
    assert judge.moved_to(to) is None
    assert judge.base(None) == TARGET
    assert judge.endpoints(None).whep("table") == f"{TARGET}/whep/table"


@pytest.mark.parametrize("to", [OTHER, OWN, f"{OWN}/", "https://10.1.2.3", "https://[fd00::7]:8443", f"{OWN}/b"])
def test_edge_that_may_be_loaded_is_one(to: str) -> None:
    judge = edges()
    edge = judge.moved_to(to)
    assert edge == judge.base(edge) == to.rstrip("/")
    assert judge.endpoints(edge).whep("table") == f"{to.rstrip('/')}/whep/table"


@pytest.mark.parametrize(
    "to", ["https://192.0.2.1", "https://edge-c.example", "https://edge-b.example.evil.example", "https://localhost"]
)
def test_edge_of_somebody_else_is_refused(to: str) -> None:
    assert _refused(to) == "not_permitted"


@pytest.mark.parametrize(
    "to",
    [
        "",
        "edge-b.example",
        "ftp://edge-b.example",
        "https://",
        f"{OWN}?a=b",
        f"{OWN}#a",
        "https://me:secret@edge-b.example",
        "https://[",
        f"{OWN}/{'x' * MAX_URL_CHARS}",
    ],
)
def test_what_is_no_base_url_is_refused(to: str) -> None:
    assert _refused(to) == "no_url"


def test_nobody_leaves_tls() -> None:
    assert _refused("http://127.0.0.2:8443") == "out_of_tls"
    assert edges("http://127.0.0.1").moved_to(OWN) == OWN


def test_edges_are_bounded() -> None:
    judge = edges()
    known = [judge.moved_to(f"https://127.0.1.{number}") for number in range(MAX_EDGES)]
    with pytest.raises(SignallingError) as raised:
        judge.moved_to(OTHER)
    assert raised.value.cause == "too_many_edges"
    assert judge.moved_to(known[-1]) == known[-1]


@pytest.mark.parametrize("path", ["/whep/a%20table", "/hls/a%20table/index.m3u8", "/signals/a%20table"])
def test_address_of_the_same_stream_names_its_edge(path: str) -> None:
    assert edges().sent_on_to(f"{OTHER}{path}", "a table") == OTHER
    assert edges().sent_on_to(f"{TARGET}{path}", "a table") is None


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        (f"{OTHER}/whep/another", "no_url"),
        (f"{OTHER}/", "no_url"),
        ("https://192.0.2.1/whep/table", "not_permitted"),
        ("http://127.0.0.2/whep/table", "out_of_tls"),
    ],
)
def test_address_that_is_none_of_an_edge_is_refused(url: str, cause: str) -> None:
    with pytest.raises(SignallingError) as raised:
        edges().sent_on_to(url, "table")
    assert raised.value.cause == cause


def test_own_edge_may_want_media_anywhere_and_others_may_not() -> None:
    judge = edges()
    own, other = judge.moved_to(OWN), judge.moved_to(OTHER)
    assert judge.may_send_media_to(own)("203.0.113.9")
    assert not judge.may_send_media_to(other)("203.0.113.9")
    assert not judge.may_send_media_to(None)("203.0.113.9")
    assert judge.may_send_media_to(other)("10.0.0.1")
