"""Whatever a peer with valid DTLS sends: no exception, bounded memory, and an association that goes on or ends."""

import asyncio
import random
from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.bounded_sctp import MAX_HELD_CHUNKS
from gateway.transport.sctp import MAX_UNACKNOWLEDGED_CHUNKS
from gateway.wire.dcep import DataChannelOpen, PayloadProtocol, serialize_open
from gateway.wire.sctp import MAX_STREAMS, MAX_TSN_AHEAD
from tests.transport.association import Pair, timers_of
from tests.wire.sctp_packets import chunk, data, forward_tsn, init, outgoing_reset, packet, parameter, sack

STREAMS = st.integers(0, 3) | st.integers(0, MAX_STREAMS)
NEAR = st.integers(-4, 12) | st.integers(-300, 300) | st.integers(-(2**31), 2**31)
"""TSNs by their distance from the next one."""

PAYLOADS = st.one_of(
    st.binary(min_size=1, max_size=30),
    st.builds(lambda label: serialize_open(DataChannelOpen(label)), st.sampled_from(["signals", "chat", ""])),
    st.just(b"\x02"),
)
PROTOCOLS = st.sampled_from([*map(int, PayloadProtocol), 0, 52])
NUMBERS = st.integers(0, 2**16 - 1)
PARAMETERS = st.builds(parameter, st.sampled_from([1, 7, 13, 14, 16, 17, 0xC000]), st.binary(max_size=24))

# (what makes the bytes, given the association's next TSNs in and out)
CHUNKS = st.one_of(
    st.tuples(st.just(data), NEAR, PAYLOADS, STREAMS, st.integers(0, 3) | NUMBERS, PROTOCOLS, st.integers(0, 7)),
    st.tuples(st.just(forward_tsn), NEAR, st.lists(st.tuples(STREAMS, NUMBERS), max_size=3)),
    st.tuples(st.just(sack), NEAR, st.lists(st.tuples(st.integers(0, 140), st.integers(0, 140)), max_size=3)),
    st.tuples(st.just(outgoing_reset), NEAR, NEAR, st.lists(STREAMS, max_size=3)),
    st.tuples(st.just(chunk), st.sampled_from([4, 5, 6, 8, 9, 10, 11, 14, 130]), st.lists(PARAMETERS).map(b"".join)),
    st.tuples(st.just(chunk), st.integers(0, 255), st.binary(max_size=40)),
    st.tuples(st.just(init), NUMBERS, NUMBERS, st.sampled_from([1, 2])),
)


def _made(pair: Pair, recipe: tuple[object, ...]) -> bytes:
    make, *arguments = recipe
    incoming = (pair.association._last_received_tsn or 0) + 1
    outgoing = pair.association._local_tsn
    match make, arguments:
        case _ if make is data:
            return data(incoming + arguments[0], *arguments[1:])  # type: ignore[operator, arg-type]
        case _ if make is forward_tsn:
            return forward_tsn(incoming + arguments[0], *arguments[1])  # type: ignore[operator, misc]
        case _ if make is sack:
            return sack(outgoing + arguments[0], *arguments[1])  # type: ignore[operator, misc]
        case _ if make is outgoing_reset:
            return outgoing_reset(arguments[0], incoming + arguments[1], *arguments[2])  # type: ignore
        case _:
            return make(*arguments)  # type: ignore[operator, no-any-return]


def _is_bounded(pair: Pair) -> bool:
    association = pair.association
    held = sum(len(stream.reassembly) for stream in association._inbound_streams.values())
    return (
        held <= MAX_HELD_CHUNKS + 1
        and len(association._sack_misordered) <= MAX_TSN_AHEAD
        and len(association._inbound_streams) <= MAX_STREAMS
        and len(association._outbound_queue) + len(association._sent_queue) <= MAX_UNACKNOWLEDGED_CHUNKS
        and len(association._reconfig_queue) <= MAX_STREAMS
        and len(association._data_channel_outbound_reset) <= MAX_STREAMS
        and not association._data_channels
        and not association._outgoing
        and not association._untold
    )


def _goes_on_or_is_over(pair: Pair) -> None:
    """Nothing is left to be told, sent or waited for, and whoever listened knows of an end."""
    assert _is_bounded(pair)
    assert pair.association._turn == 0
    if pair.association._is_over:
        assert timers_of(pair.association) == []
        assert pair.gateway._receiver is None


async def _ended(pair: Pair) -> None:
    pair.close()
    await asyncio.sleep(0)
    assert timers_of(pair.association) == timers_of(pair.player_association) == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


@given(st.lists(st.lists(CHUNKS, min_size=1, max_size=4), max_size=30))
async def test_arbitrary_chunks_in_a_live_association(packets: list[list[tuple[object, ...]]]) -> None:
    pair = Pair()
    pair.open()
    for recipes in packets:
        pair.channels[0].send("something to acknowledge")
        tag = pair.association._local_verification_tag
        pair.gateway.on_packet(packet(*(_made(pair, recipe) for recipe in recipes), tag=tag), 0.0)
        pair.queue.clear()
        _goes_on_or_is_over(pair)
    await _ended(pair)


@given(st.lists(st.binary(max_size=60), max_size=10), st.booleans())
async def test_arbitrary_bytes_in_a_live_association(payloads: list[bytes], has_checksum: bool) -> None:
    pair = Pair()
    pair.open()
    for payload in payloads:
        tag = pair.association._local_verification_tag
        pair.gateway.on_packet(packet(payload, tag=tag) if has_checksum else payload, 0.0)
    _goes_on_or_is_over(pair)
    assert pair.player._channel is not None
    assert pair.player._channel.send("still here")
    pair.carry()
    assert pair.association._is_over or "still here" in pair.listener.heard
    await _ended(pair)


@given(st.integers(0, 2**64))
async def test_mutated_packets_of_a_live_association(seed: int) -> None:
    """Both ends speak; on the way each packet may be changed, cut, doubled, lost or late. Its checksum is made right.

    Tags and cookies differ from run to run: so the dice are `random`'s, with a seed of Hypothesis's."""
    dice = random.Random(seed)
    pair = Pair()

    def carries(sender: str, raw: bytes) -> bool:
        what = dice.choice(["as it is"] * 6 + ["changed", "cut", "twice", "lost"])
        if what == "changed":
            at = dice.randrange(12, len(raw))
            pair.deliver(sender, _sealed(raw, raw[12:at] + bytes([raw[at] ^ dice.randrange(1, 256)]) + raw[at + 1 :]))
        elif what == "cut":
            pair.deliver(sender, _sealed(raw, raw[12 : dice.randrange(12, len(raw))]))
        elif what == "twice":
            pair.deliver(sender, raw)
        return what in ("as it is", "twice")

    pair.carries = carries
    channel = pair.open()
    for number in range(8):
        channel.send(f"message {number}")
        if pair.channels:
            pair.channels[-1].send(f"answer {number}")
        if dice.random() < 0.5:
            pair.queue.reverse()
        pair.carry()
        _goes_on_or_is_over(pair)
    await _ended(pair)


def _sealed(raw: bytes, body: bytes) -> bytes:
    return packet(body, tag=int.from_bytes(raw[4:8], "big"))


async def test_flood_of_each_chunk_is_answered_with_no_more_than_it() -> None:
    """Bytes out for bytes in: nobody is to be made to send much by sending little."""
    pair = Pair()
    pair.open()
    tsn = (pair.association._last_received_tsn or 0) + 1
    floods = {
        "heartbeat": [chunk(4, parameter(1, b"h"))] * 2,
        "cookie echo": [chunk(10, bytes(24))] * 2,
        "data": [data(tsn + 2 * number, b"x") for number in range(30)],
        "duplicates": [data(tsn - 1, b"x")] * 30,
        "reset": [outgoing_reset(number, tsn - 1, 9) for number in range(2)],
        "more streams": [chunk(130, parameter(17, pack("!LHH", number, 9, 0))) for number in range(2)],
        "forward tsn": [forward_tsn(tsn + 90 + number) for number in range(2)],
    }
    for name, chunks in floods.items():
        raw = packet(*chunks, tag=pair.association._local_verification_tag)
        pair.queue.clear()
        pair.gateway.on_packet(raw, 0.0)
        assert pair.drops["gateway"] == []
        assert sum(len(each) for _, each in pair.queue) <= 2 * len(raw), name
    await _ended(pair)
