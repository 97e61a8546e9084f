"""Associations of two ends: what travels, what is lost, what a hostile peer may not do, and what is left at the end."""

import asyncio
from collections.abc import AsyncIterator
from struct import pack

import pytest
from aiortc import rtcsctptransport
from aiortc.rtcsctptransport import DataChunk, SackChunk, parse_packet

from gateway.transport.bounded_sctp import MAX_HELD_CHUNKS, RECEIVE_WINDOW_BYTES
from gateway.transport.data_channel import LABEL, SIGNALS, Channel
from gateway.transport.sctp import MAX_UNACKNOWLEDGED_CHUNKS
from gateway.wire.dcep import DataChannelOpen
from gateway.wire.sctp import MAX_STREAMS, MAX_TSN_AHEAD
from tests.transport.association import Pair, timers_of
from tests.wire.sctp_packets import chunk, data, forward_tsn, init, outgoing_reset, packet, parameter, sack

RELIABLE = DataChannelOpen(LABEL)
OPENINGS = {
    "as players open it": SIGNALS,
    "reliable": RELIABLE,
    "reliable, unordered": DataChannelOpen(LABEL, ordered=False),
    "ordered, no retransmission": DataChannelOpen(LABEL, max_retransmits=0),
    "for a while": DataChannelOpen(LABEL, ordered=False, lifetime_ms=500),
}
SHORT_S = 0.01
COOKIE_ECHO, COOKIE_ACK = 10, 11


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """Connected, with the player's channel open. At its end no timer and no task is left."""
    made = Pair()
    made.open()
    assert made.opened == 1
    yield made
    made.close()
    await asyncio.sleep(0)
    assert timers_of(made.association) == timers_of(made.player_association) == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers of hundredths of a second."""
    monkeypatch.setattr(rtcsctptransport, "SCTP_RTO_MIN", SHORT_S)
    monkeypatch.setattr(rtcsctptransport, "SCTP_RTO_INITIAL", SHORT_S)


def channel_of(pair: Pair) -> Channel:
    """The gateway's."""
    return pair.channels[0]


def player_channel(pair: Pair) -> Channel:
    channel = pair.player._channel
    assert channel is not None
    return channel


def from_player(pair: Pair, *chunks: bytes) -> None:
    """A packet as the player's, by hand."""
    pair.gateway.on_packet(packet(*chunks, tag=pair.association._local_verification_tag), 0.0)


def next_tsn(pair: Pair) -> int:
    """The player's next, as the gateway expects it."""
    last = pair.association._last_received_tsn
    assert last is not None
    return last + 1


def has(packet_: bytes, kind: type) -> bool:
    return any(isinstance(each, kind) for each in parse_packet(packet_)[3])


# Connecting


@pytest.mark.parametrize("player_role", ["client", "server"])
@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS)
async def test_messages_pass_both_ways(player_role: str, opening: DataChannelOpen) -> None:
    pair = Pair(player_role=player_role)
    channel = pair.open(opening)
    assert [each.opening for each in pair.channels] == [opening]
    assert channel.stream_id == (0 if player_role == "client" else 1)
    for text in ("first", "", "é" * 1500, "last"):
        assert channel.send(text)
        assert channel_of(pair).send(text)
        pair.carry()
    assert pair.listener.heard == pair.player_listener.heard == ["first", "", "é" * 1500, "last"]
    assert pair.drops == {"gateway": [], "player": []}
    pair.close()


async def test_both_may_begin_at_once() -> None:
    pair = Pair()
    pair.association.connect()
    pair.open()
    assert player_channel(pair).send("hello")
    pair.carry()
    assert pair.listener.heard == ["hello"]
    assert pair.opened == 1
    pair.close()


async def test_nothing_is_said_before_the_peer_has_spoken() -> None:
    pair = Pair()
    assert timers_of(pair.association) == []
    assert not pair.queue
    pair.close()
    assert not pair.queue


@pytest.mark.usefixtures("hasty")
async def test_beginning_that_is_never_answered_ends() -> None:
    pair = Pair()
    pair.carries = lambda _sender, _packet: False
    pair.open()
    async with asyncio.timeout(5):
        while not pair.player_listener.closed:
            await asyncio.sleep(SHORT_S)
            pair.carry()
    assert timers_of(pair.player_association) == []
    assert not pair.player_association.is_up
    pair.close()
    assert pair.player_listener.closed == 1


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("lost", range(8))
async def test_any_packet_of_the_beginning_may_be_lost(lost: int) -> None:
    pair = Pair()
    count = iter(range(1000))
    pair.carries = lambda _sender, _packet: next(count) != lost
    pair.open(RELIABLE)
    async with asyncio.timeout(5):
        while not pair.channels or not pair.opened:
            await asyncio.sleep(SHORT_S)
            pair.carry()
        assert player_channel(pair).send("hello")
        while pair.listener.heard != ["hello"]:
            await asyncio.sleep(SHORT_S)
            pair.carry()
    pair.close()


# Travelling


async def test_answer_and_acknowledgement_share_a_packet(pair: Pair) -> None:
    pair.listener.echoes = channel_of(pair)
    pair.carried.clear()
    player_channel(pair).send("bet")
    pair.carry()
    answers = [raw for sender, raw in pair.carried if sender == "gateway"]
    assert [(has(raw, SackChunk), has(raw, DataChunk)) for raw in answers] == [(True, True)]
    assert pair.player_listener.heard == ["bet"]


async def test_message_is_on_its_way_when_send_returns(pair: Pair) -> None:
    assert channel_of(pair).send("now")
    assert [sender for sender, _ in pair.queue] == ["gateway"]


async def test_time_of_arrival_is_that_of_the_datagram(pair: Pair) -> None:
    pair.now_s = 12.5
    player_channel(pair).send("x")
    pair.carry()
    assert pair.listener.texts == [("x", 12.5)]


async def test_message_that_comes_twice_is_told_once(pair: Pair) -> None:
    player_channel(pair).send("once")
    _, raw = pair.queue[0]
    pair.carry()
    pair.deliver("player", raw)
    assert pair.listener.heard == ["once"]


async def test_unordered_messages_are_told_as_they_come(pair: Pair) -> None:
    for number in range(5):
        player_channel(pair).send(str(number))
    pair.queue.reverse()
    pair.carry()
    assert pair.listener.heard == ["4", "3", "2", "1", "0"]
    assert not pair.association._sack_misordered


@pytest.mark.parametrize("before_wrap", [1, 2, 3])
async def test_numbers_wrap_while_chunks_are_out_of_order(before_wrap: int) -> None:
    pair = Pair()
    pair.player_association._local_tsn = (1 << 32) - before_wrap
    pair.player_association._last_sacked_tsn = pair.player_association._advanced_peer_ack_tsn = (
        (1 << 32) - before_wrap - 1
    )
    channel = pair.open()
    for number in range(4):
        channel.send(str(number))
    pair.queue.reverse()
    pair.carry()
    assert sorted(pair.listener.heard) == ["0", "1", "2", "3"]
    assert not pair.association._sack_misordered
    assert not pair.player_association._sent_queue
    assert pair.drops["player"] == []
    pair.close()


@pytest.mark.usefixtures("hasty")
async def test_lost_message_is_repeated_where_the_channel_is_reliable() -> None:
    pair = Pair()
    channel = pair.open(RELIABLE)
    channel.send("lost")
    pair.queue.clear()
    channel.send("after it")
    async with asyncio.timeout(5):
        while pair.listener.heard != ["lost", "after it"]:
            await asyncio.sleep(SHORT_S)
            pair.carry()
    pair.close()


@pytest.mark.usefixtures("hasty")
async def test_lost_message_is_given_up_where_it_is_not() -> None:
    pair = Pair()
    channel = pair.open()
    channel.send("lost")
    pair.queue.clear()
    async with asyncio.timeout(5):
        while pair.player_association._sent_queue:
            await asyncio.sleep(SHORT_S)
            pair.carry()
    channel.send("after it")
    await pair.settle()
    assert pair.listener.heard == ["after it"]
    pair.close()


async def test_peer_without_partial_reliability_gets_everything() -> None:
    pair = Pair()
    pair.player_association._local_partial_reliability = False
    pair.open()
    assert channel_of(pair).send("x")
    assert [each._max_retransmits for each in pair.association._sent_queue] == [None]
    pair.close()


# What a hostile peer may not do


async def test_peer_that_never_acknowledges_is_not_sent_to_without_end(pair: Pair) -> None:
    pair.carries = lambda _sender, _packet: False
    taken = sum(channel_of(pair).send("x" * 1000) for _ in range(3 * MAX_UNACKNOWLEDGED_CHUNKS))
    assert taken <= MAX_UNACKNOWLEDGED_CHUNKS
    assert not channel_of(pair).send("x")
    assert len(pair.association._outbound_queue) + len(pair.association._sent_queue) == MAX_UNACKNOWLEDGED_CHUNKS


async def test_peer_without_a_window_is_still_bounded(pair: Pair) -> None:
    for _ in range(3 * MAX_UNACKNOWLEDGED_CHUNKS):
        channel_of(pair).send("x")
        from_player(pair, sack(pair.association._last_sacked_tsn, window=0))
        pair.queue.clear()
    assert not channel_of(pair).send("x")


@pytest.mark.parametrize("ahead", [MAX_TSN_AHEAD, 70_000, (1 << 31) - 1])
async def test_chunk_far_ahead_is_refused(pair: Pair, ahead: int) -> None:
    from_player(pair, data(next_tsn(pair) + ahead))
    assert pair.drops["gateway"] == ["sctp_too_far_ahead"]
    assert not pair.association._sack_misordered
    assert pair.listener.heard == []


@pytest.mark.parametrize("behind", [1, 1000, 1 << 31])
async def test_chunk_that_is_older_is_a_duplicate(pair: Pair, behind: int) -> None:
    from_player(pair, data(next_tsn(pair) - behind))
    assert pair.drops["gateway"] == []
    assert not pair.association._sack_misordered
    assert pair.listener.heard == []


async def test_gaps_are_bounded(pair: Pair) -> None:
    first = next_tsn(pair)
    for ahead in range(1, 3 * MAX_TSN_AHEAD, 2):
        from_player(pair, data(first + ahead))
    assert len(pair.association._sack_misordered) <= MAX_TSN_AHEAD // 2
    assert all(len(raw) < 1200 for _, raw in pair.queue)


@pytest.mark.parametrize("flags", [2, 0, 6, 4], ids=["first", "middle", "first, unordered", "middle, unordered"])
async def test_message_that_never_ends_ends_the_association(pair: Pair, flags: int) -> None:
    first = next_tsn(pair)
    for number in range(2 * MAX_HELD_CHUNKS):
        from_player(pair, data(first + number, b"x" * 1000, flags=flags if number == 0 else flags & 4))
    assert pair.drops["gateway"] == ["sctp_too_much_held"]
    assert pair.listener.closed == 1
    assert not channel_of(pair).send("x")
    pair.carry()
    assert pair.player_listener.closed == 1


async def test_messages_whose_turn_never_comes_end_the_association(pair: Pair) -> None:
    first = next_tsn(pair)
    for number in range(2 * MAX_HELD_CHUNKS):
        from_player(pair, data(first + number, sequence=number + 2, flags=3))
    assert pair.drops["gateway"] == ["sctp_too_much_held"]
    assert pair.listener.heard == []


async def test_streams_are_bounded(pair: Pair) -> None:
    for stream in range(200):
        from_player(pair, data(next_tsn(pair), stream=stream), forward_tsn(next_tsn(pair), (stream, 0)))
    assert len(pair.association._inbound_streams) <= MAX_STREAMS
    assert pair.association._inbound_streams_max == MAX_STREAMS


async def test_beginning_again_leaves_the_association_as_it_was(pair: Pair) -> None:
    before = next_tsn(pair)
    pair.gateway.on_packet(packet(init(tag=99, tsn=before + 1000), tag=0), 0.0)
    assert not pair.queue
    player_channel(pair).send("still here")
    pair.carry()
    assert pair.listener.heard == ["still here"]


async def test_packet_with_another_tag_is_dropped(pair: Pair) -> None:
    pair.gateway.on_packet(packet(chunk(6), tag=pair.association._local_verification_tag ^ 1), 0.0)
    assert pair.drops["gateway"] == ["unexpected_sctp"]
    assert pair.listener.closed == 0


async def test_packet_with_another_checksum_is_dropped(pair: Pair) -> None:
    raw = packet(chunk(6), tag=pair.association._local_verification_tag)
    pair.gateway.on_packet(raw[:8] + bytes(4) + raw[12:], 0.0)
    assert pair.drops["gateway"] == ["malformed_sctp"]
    assert pair.listener.closed == 0


@pytest.mark.parametrize(
    "chunks",
    [[data(1)], [sack(1)], [forward_tsn(1)], [outgoing_reset(1, 1, 0)]],
    ids=["data", "sack", "forward tsn", "reset"],
)
async def test_chunk_before_the_association_is_dropped(chunks: list[bytes]) -> None:
    pair = Pair()
    from_player(pair, *chunks)
    assert pair.drops["gateway"] == ["unexpected_sctp"]
    assert not pair.queue
    pair.close()


@pytest.mark.parametrize("ahead", [1, 1000, (1 << 31) - 1])
async def test_acknowledgement_of_what_was_never_sent_is_dropped(pair: Pair, ahead: int) -> None:
    newest = pair.association._local_tsn - 1
    from_player(pair, sack(newest + ahead))
    assert pair.drops["gateway"] == ["unexpected_sctp"]
    assert channel_of(pair).send("still here")
    pair.carry()
    assert pair.player_listener.heard == ["still here"]


async def test_assumption_of_aiortc_that_breaks_costs_a_packet(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("of aiortc's")

    with monkeypatch.context() as patch:
        patch.setattr(pair.association, "_get_inbound_stream", fail)
        player_channel(pair).send("lost")
        pair.carry()
    assert pair.drops["gateway"] == ["malformed_sctp"]
    player_channel(pair).send("next")
    pair.carry()
    assert pair.listener.heard == ["next"]


async def test_answers_to_one_packet_are_one_packet(pair: Pair) -> None:
    from_player(pair, *[chunk(4, parameter(1, b"h"))] * 2, outgoing_reset(1, next_tsn(pair), 9), data(next_tsn(pair)))
    assert [len(parse_packet(raw)[3]) for _, raw in pair.queue] == [5]


async def test_repeated_cookie_begins_no_task(pair: Pair) -> None:
    (raw,) = (raw for sender, raw in pair.carried if sender == "player" and raw[12] == COOKIE_ECHO)
    before = asyncio.all_tasks()
    pair.deliver("player", raw)
    assert asyncio.all_tasks() == before
    assert [each[12] for _, each in pair.queue] == [COOKIE_ACK]


async def test_window_is_what_we_hold(pair: Pair) -> None:
    player_channel(pair).send("x" * 4000)
    pair.carry()
    assert pair.association._advertised_rwnd == RECEIVE_WINDOW_BYTES
    sacks = [each for _, raw in pair.carried for each in parse_packet(raw)[3] if isinstance(each, SackChunk)]
    assert all(each.advertised_rwnd <= RECEIVE_WINDOW_BYTES for each in sacks)


# Ending


async def test_abort_of_the_peer_ends_it_once(pair: Pair) -> None:
    from_player(pair, chunk(6), chunk(6))
    from_player(pair, chunk(6))
    assert pair.listener.closed == 1
    assert not channel_of(pair).send("x")
    assert timers_of(pair.association) == []


async def test_message_in_one_packet_with_an_abort_is_told_first(pair: Pair) -> None:
    from_player(pair, data(next_tsn(pair), b"last words"), chunk(6))
    assert pair.listener.heard == ["last words"]
    assert pair.listener.closed == 1


async def test_shutdown_of_the_peer_ends_it(pair: Pair) -> None:
    from_player(pair, chunk(7, pack("!L", pair.association._local_tsn)))
    assert not channel_of(pair).send("x")
    from_player(pair, chunk(14))
    assert pair.listener.closed == 1


async def test_association_that_is_over_stays_so(pair: Pair) -> None:
    pair.gateway.close()
    pair.queue.clear()
    tag = pair.association._local_verification_tag
    for raw in (packet(init(tag=5), tag=0), packet(data(1), tag=tag), packet(chunk(4, parameter(1)), tag=tag)):
        pair.gateway.on_packet(raw, 0.0)
    assert not pair.queue
    pair.association.connect()
    pair.association.reset(0)
    assert not pair.queue


@pytest.mark.usefixtures("hasty")
async def test_timer_that_rings_at_the_end_begins_no_other() -> None:
    pair = Pair()
    pair.open(RELIABLE)
    pair.carries = lambda _sender, _packet: False
    channel_of(pair).send("lost")
    pair.association._t3_cancel()
    pair.association._t3_expired()
    pair.close()
    await asyncio.sleep(3 * SHORT_S)
    assert timers_of(pair.association) == []
