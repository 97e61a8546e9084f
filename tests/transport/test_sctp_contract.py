"""What `sctp.py` and `bounded_sctp.py` take for granted of aiortc's private parts. When aiortc is raised and this
fails, read both, and aiortc's module with hostile eyes, before anything else."""

import inspect
import time
from collections.abc import Callable
from typing import Any

import google_crc32c
import pytest
from aiortc import rtcsctptransport
from aiortc.rtcsctptransport import CHUNK_TYPES, AbortChunk, RTCSctpTransport, SackChunk, parse_packet

from gateway.transport.sctp import Association
from tests.transport.association import Pair
from tests.wire.sctp_packets import data, packet, sack

Sctp = RTCSctpTransport

OVERRIDDEN = [
    "_data_channel_closed",
    "_mark_received",
    "_receive",
    "_receive_chunk",
    "_receive_data_chunk",
    "_receive_sack_chunk",
    "_reset_deferred_streams",
    "_send_chunk",
    "_send_sack",
    "_set_state",
    "_transmit",
]

# Where aiortc calls -> what, by name: an override that nobody calls any more would fail in silence.
CALLED: list[tuple[Callable[..., Any], str]] = [
    (Sctp._receive_chunk, "_receive_data_chunk"),
    (Sctp._receive_chunk, "_receive_sack_chunk"),
    (Sctp._receive_chunk, "_receive_forward_tsn_chunk"),
    (Sctp._receive_chunk, "_send_chunk"),
    (Sctp._receive_chunk, "_set_state"),
    (Sctp._receive_data_chunk, "_mark_received"),
    (Sctp._receive_data_chunk, "_receive"),
    (Sctp._receive_data_chunk, "_reset_deferred_streams"),
    (Sctp._receive_forward_tsn_chunk, "_receive"),
    (Sctp._receive_forward_tsn_chunk, "_reset_deferred_streams"),
    (Sctp._receive_reconfig_param, "_reset_deferred_streams"),
    (Sctp._receive_reconfig_param, "_data_channel_closed"),
    (Sctp._receive_sack_chunk, "_transmit"),
    (Sctp._send, "_transmit"),
    (Sctp._t3_expired, "_transmit"),
    (Sctp._init, "_send_chunk"),
    (Sctp._init, "_t1_start"),
    (Sctp._transmit, "_send_chunk"),
    (Sctp._transmit_reconfig, "_reconfig_queue"),
    (Sctp._transmit_reconfig, "_send_reconfig_param"),
    (Sctp._send_reconfig_param, "_send_chunk"),
    (Sctp._t1_expired, "_send_chunk"),
]

# Timers run coroutines as tasks; everything else that we run must come to its end without waiting for anything else.
RUN_AT_ONCE = ["_init", "_receive_chunk", "_send", "_send_sack", "_transmit_reconfig"]


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_override_has_the_signature_of_aiortc(name: str) -> None:
    theirs, ours = getattr(Sctp, name), getattr(Association, name)
    assert ours is not theirs
    assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
    assert inspect.iscoroutinefunction(ours) is inspect.iscoroutinefunction(theirs)


@pytest.mark.parametrize(("caller", "called"), CALLED)
def test_aiortc_calls_what_we_override_or_provide(caller: Callable[..., Any], called: str) -> None:
    assert called in caller.__code__.co_names


@pytest.mark.parametrize("name", RUN_AT_ONCE)
def test_what_we_run_is_a_coroutine(name: str) -> None:
    assert inspect.iscoroutinefunction(getattr(Sctp, name))


def test_only_sending_of_a_chunk_touches_dtls() -> None:
    """`_send_chunk` is ours, so nothing else of aiortc's may wait for the transport."""
    for name, function in inspect.getmembers(Sctp, inspect.iscoroutinefunction):
        uses_dtls = "_send_data" in function.__code__.co_names
        assert uses_dtls is (name == "_send_chunk"), name


def test_message_is_sent_with_the_arguments_that_we_give() -> None:
    parameters = list(inspect.signature(Sctp._send).parameters)
    assert parameters == ["self", "stream_id", "pp_id", "user_data", "expiry", "max_retransmits", "ordered"]


@pytest.mark.parametrize("name", ["CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED"])
def test_states_have_their_names(name: str) -> None:
    assert Sctp.State[name].name == name


async def test_new_association_has_the_attributes_that_we_read_or_set() -> None:
    theirs = vars(Sctp(Pair().association._dtls))
    ours = {
        "_advertised_rwnd": int,
        "_association_state": Sctp.State,
        "_data_channels": dict,
        "_data_channel_queue": object,
        "_inbound_streams": dict,
        "_inbound_streams_max": int,
        "_last_received_tsn": type(None),
        "_local_port": int,
        "_local_tsn": int,
        "_local_verification_tag": int,
        "_outbound_queue": object,
        "_outbound_streams_count": int,
        "_reconfig_deferred": type(None),
        "_reconfig_queue": list,
        "_remote_partial_reliability": bool,
        "_remote_port": type(None),
        "_remote_verification_tag": int,
        "_sack_duplicates": list,
        "_sack_misordered": set,
        "_sack_needed": bool,
        "_sent_queue": object,
        **dict.fromkeys(("_t1_handle", "_t2_handle", "_t3_handle", "_reconfig_handle"), type(None)),
    }
    assert [name for name, kind in ours.items() if not isinstance(theirs.get(name, ...), kind)] == []


async def test_attributes_of_ours_hide_none_of_aiortcs() -> None:
    ours = {"_dtls", "_upper", "_drop", "_is_over", "_turn", "_outgoing", "_untold"}
    pair = Pair()
    assert ours <= set(vars(pair.association))
    assert not ours & (set(vars(Sctp(pair.association._dtls))) | set(dir(Sctp)))


def test_chunks_have_the_types_that_are_checked() -> None:
    assert {kind: each.__name__ for kind, each in CHUNK_TYPES.items()} == {
        0: "DataChunk",
        1: "InitChunk",
        2: "InitAckChunk",
        3: "SackChunk",
        4: "HeartbeatChunk",
        5: "HeartbeatAckChunk",
        6: "AbortChunk",
        7: "ShutdownChunk",
        8: "ShutdownAckChunk",
        9: "ErrorChunk",
        10: "CookieEchoChunk",
        11: "CookieAckChunk",
        14: "ShutdownCompleteChunk",
        130: "ReconfigChunk",
        192: "ForwardTsnChunk",
    }


def test_chunks_are_read_and_written_as_we_do() -> None:
    raw = packet(sack(7, (2, 3)), data(9, b"x", 1, 4))
    (_, _, tag, (first, second)) = parse_packet(raw)
    assert tag == 1
    assert isinstance(first, SackChunk)
    assert (first.cumulative_tsn, first.gaps, first.duplicates) == (7, [(2, 3)], [])
    assert bytes(first) + bytes(second) == raw[12:]
    assert bytes(AbortChunk()) == b"\x06\0\0\4"


def test_expiry_is_by_the_clock_that_we_use() -> None:
    assert vars(rtcsctptransport)["time"] is time
    assert "time" in Sctp._maybe_abandon.__code__.co_names


def test_checksums_are_not_made_in_python() -> None:
    assert google_crc32c.implementation == "c"
