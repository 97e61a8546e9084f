"""The channel `signals`: who may open it, what it carries, and how it ends."""

import pytest
from aiortc.rtcsctptransport import ReconfigChunk, parse_packet

from gateway.signals import carrier
from gateway.transport.data_channel import LABEL, SIGNALS, Channel, ChannelTerms, Receiver
from gateway.wire.dcep import DataChannelOpen, PayloadProtocol, serialize_open
from gateway.wire.sctp import MAX_STREAMS
from tests.transport.association import TERMS, Listener, Pair
from tests.transport.test_sctp import channel_of, from_player, next_tsn, player_channel
from tests.wire.sctp_packets import data

ORDERED, UNORDERED = 3, 7


@pytest.fixture
async def pair() -> Pair:
    """Connected, with the player's channel open; other tests look at what is left of it."""
    made = Pair()
    made.open()
    return made


def say(pair: Pair, payload: bytes, protocol: int = PayloadProtocol.STRING, stream: int = 0) -> None:
    """A message of the player by hand."""
    from_player(pair, data(next_tsn(pair), payload, stream, protocol=protocol, flags=UNORDERED))


def ask(pair: Pair, opening: DataChannelOpen, stream: int) -> None:
    say(pair, serialize_open(opening), PayloadProtocol.DCEP, stream)


def resets_of(pair: Pair) -> int:
    return sum(isinstance(each, ReconfigChunk) for _, raw in pair.queue for each in parse_packet(raw)[3])


def test_channel_is_a_carrier_and_its_receiver_too() -> None:
    def takes(gateway_end: carrier.Carrier, player_end: carrier.Receiver) -> None: ...

    async def types(channel: Channel, receiver: Receiver) -> None:  # for mypy: the shapes must stay the same
        takes(channel, receiver)

    assert Channel.kind == "data_channel"


# Opening


async def test_channel_can_be_sent_to_while_it_is_accepted() -> None:
    pair = Pair()

    def accept(channel: Channel) -> Receiver:
        assert channel.send("welcome")
        return pair.listener

    pair.accept = accept
    pair.open()
    assert pair.player_listener.heard == ["welcome"]
    pair.close()


async def test_channel_that_nobody_takes_is_closed() -> None:
    pair = Pair()
    pair.accept = lambda _channel: None
    pair.open()
    assert pair.drops["gateway"] == ["data_channel_refused"]
    assert pair.player_listener.closed == 1
    pair.close()


async def test_channel_that_is_closed_while_it_is_accepted_stays_closed() -> None:
    pair = Pair()

    def accept(channel: Channel) -> Receiver:
        channel.close()
        return pair.listener

    pair.accept = accept
    pair.open()
    assert not pair.channels[0].send("x")
    assert pair.player_listener.closed == 1
    pair.close()
    assert pair.listener.closed == 0


async def test_channel_with_another_label_is_closed() -> None:
    pair = Pair()
    pair.open(DataChannelOpen("chat"))
    assert pair.channels == []
    assert pair.drops["gateway"] == ["data_channel_refused"]
    assert pair.player_listener.closed == 1
    pair.close()


async def test_second_channel_is_closed_and_the_first_goes_on(pair: Pair) -> None:
    ask(pair, SIGNALS, 2)
    assert len(pair.channels) == 1
    assert pair.drops["gateway"] == ["data_channel_refused"]
    assert resets_of(pair) == 1
    pair.queue.clear()
    say(pair, b"to the second", stream=2)
    say(pair, b"to the first")
    assert pair.listener.heard == ["to the first"]
    assert pair.drops["gateway"] == ["data_channel_refused", "unexpected_signal"]
    pair.close()


async def test_channel_that_is_opened_twice_goes_on(pair: Pair) -> None:
    ask(pair, SIGNALS, 0)
    assert pair.drops["gateway"] == ["data_channel_refused"]
    assert resets_of(pair) == 0
    say(pair, b"on")
    assert pair.listener.heard == ["on"]
    pair.close()


async def test_many_openings_are_bounded(pair: Pair) -> None:
    for number in range(500):
        ask(pair, DataChannelOpen(f"{number}"), number % MAX_STREAMS)
    assert len(pair.channels) == 1
    assert len(pair.association._reconfig_queue) <= MAX_STREAMS
    assert len(pair.association._inbound_streams) <= MAX_STREAMS
    assert resets_of(pair) <= 2
    pair.close()


async def test_opening_that_does_not_parse_is_dropped() -> None:
    pair = Pair()
    pair.player_association.connect()
    pair.carry()
    say(pair, b"\x03nonsense", PayloadProtocol.DCEP)
    say(pair, b"\x02\x02", PayloadProtocol.DCEP)
    assert pair.drops["gateway"] == ["malformed_sctp"] * 2
    pair.close()


async def test_acknowledgement_that_nobody_waits_for_opens_nothing(pair: Pair) -> None:
    say(pair, b"\x02", PayloadProtocol.DCEP)
    say(pair, b"\x02", PayloadProtocol.DCEP, stream=3)
    assert pair.opened == 1
    pair.close()


# Messages


@pytest.mark.parametrize(
    ("protocol", "payload", "cause"),
    [
        (PayloadProtocol.BINARY, b"\x01", "signal_not_text"),
        (PayloadProtocol.BINARY_EMPTY, b"\0", "signal_not_text"),
        (PayloadProtocol.STRING, b"\xff\xfe", "signal_not_text"),
        (52, b"part", "signal_not_text"),
        (0, b"nothing", "signal_not_text"),
        (PayloadProtocol.STRING, b"x" * 1201, "oversized_signal"),
    ],
)
async def test_message_that_is_no_text_is_dropped(protocol: int, payload: bytes, cause: str) -> None:
    pair = Pair(terms=ChannelTerms(5000, 65_536, 1200))
    pair.open()
    say(pair, payload, protocol)
    say(pair, b"x" * 1200)
    assert pair.drops["gateway"] == [cause]
    assert pair.listener.heard == ["x" * 1200]
    pair.close()


async def test_fragmented_message_that_is_too_long_is_dropped_whole(pair: Pair) -> None:
    assert player_channel(pair).send("x" * (TERMS.max_message_bytes + 1))
    pair.carry()
    assert player_channel(pair).send("next")
    pair.carry()
    assert pair.drops["gateway"] == ["oversized_signal"]
    assert pair.listener.heard == ["next"]
    pair.close()


async def test_message_that_is_longer_than_the_peer_takes_is_not_sent() -> None:
    pair = Pair(terms=ChannelTerms(5000, 10, 4096))
    pair.open()
    assert channel_of(pair).send("é" * 5)
    assert not channel_of(pair).send("é" * 5 + "e")
    pair.close()


async def test_peer_that_takes_any_length_is_sent_any() -> None:
    pair = Pair(terms=ChannelTerms(5000, 0, 4096))
    pair.open()
    assert channel_of(pair).send("x" * 10_000)
    pair.carry()
    pair.close()


async def test_text_that_is_no_unicode_is_sent_with_what_can_be_said(pair: Pair) -> None:
    assert channel_of(pair).send("a\ud800b")
    pair.carry()
    assert pair.player_listener.heard == ["a?b"]
    pair.close()


async def test_message_before_the_channel_is_open_is_not_sent() -> None:
    pair = Pair()
    channel = pair.player.open(Listener())
    assert not channel.send("too soon")
    pair.close()


# Ending


async def test_channel_that_the_gateway_closes_is_closed_at_the_player(pair: Pair) -> None:
    channel = channel_of(pair)
    assert channel.send("goodbye")
    channel.close()
    channel.close()
    pair.carry()
    assert pair.player_listener.heard == ["goodbye"]
    assert (pair.listener.closed, pair.player_listener.closed) == (0, 1)
    assert not channel.send("x")
    pair.close()
    assert (pair.listener.closed, pair.player_listener.closed) == (0, 1)


async def test_channel_that_the_player_closes_can_be_opened_again(pair: Pair) -> None:
    player_channel(pair).close()
    pair.carry()
    assert pair.listener.closed == 1
    assert not channel_of(pair).send("x")
    pair.listener.closed = 0
    again = pair.open(DataChannelOpen(LABEL))
    assert again.send("again")
    pair.carry()
    assert len(pair.channels) == 2
    assert pair.channels[1].send("and back")
    pair.carry()
    assert (pair.listener.heard, pair.player_listener.heard) == (["again"], ["and back"])
    pair.close()


async def test_end_of_the_session_is_told_once(pair: Pair) -> None:
    pair.gateway.close()
    pair.gateway.close()
    pair.carry()
    assert (pair.listener.closed, pair.player_listener.closed) == (1, 1)
    assert not channel_of(pair).send("x")
    pair.close()


async def test_receiver_that_ends_the_session_hears_no_more(pair: Pair) -> None:
    class Leaving(Listener):
        def on_text(self, text: str, arrival_s: float) -> None:
            super().on_text(text, arrival_s)
            pair.gateway.close()

    leaving = Leaving()
    pair.gateway._receiver = leaving
    first = next_tsn(pair)
    from_player(pair, *(data(first + number) for number in range(3)))
    assert leaving.heard == ["text"]
    assert leaving.closed == 1
    pair.close()
