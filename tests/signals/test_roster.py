"""Who gets in, and who does not."""

import pytest

from gateway.auth.identity import nobody
from gateway.errors import SignallingError
from gateway.signals.roster import MAX_CONNECTIONS_OF_PLAYER, MAX_WAITING_STREAMS
from tests.signals.players import House, Wire, player


@pytest.fixture
def house() -> House:
    return House()


def test_player_beyond_the_connections_is_refused() -> None:
    house = House(connections=2)
    house.connect()
    leaving, _ = house.connect()
    with pytest.raises(SignallingError, match="as many players") as refusal:
        house.connect()
    assert (refusal.value.status, refusal.value.headers) == (503, {"Retry-After": "10"})
    leaving.on_closed()
    house.connect()


def test_websockets_of_one_address_are_bounded_and_data_channels_are_not() -> None:
    house = House(connections_per_address=2)
    leaving, _ = house.connect()
    house.connect()
    with pytest.raises(SignallingError, match="this address"):
        house.connect()
    house.connect(wire=Wire("data_channel"))
    house.connect(identity=nobody("192.0.2.2"))
    leaving.on_closed()
    house.connect()


def test_connections_of_one_player_are_bounded(house: House) -> None:
    for _ in range(MAX_CONNECTIONS_OF_PLAYER):
        house.connect(identity=player("ada"))
    with pytest.raises(SignallingError, match="this player"):
        house.connect(identity=player("ada"))
    house.connect(identity=player("bob"))


def test_pages_may_wait_for_so_many_streams_that_are_not_there(house: House) -> None:
    waiting = [house.connect(f"nowhere-{number}")[0] for number in range(MAX_WAITING_STREAMS)]
    house.connect("nowhere-0")
    house.connect("table")
    with pytest.raises(SignallingError, match="Nobody publishes"):
        house.connect("nowhere-else")
    house.known.add("nowhere-1")
    house.connect("nowhere-else")
    waiting[2].on_closed()
    house.connect("nowhere-other")


def test_addresses_without_websockets_are_not_kept(house: House) -> None:
    connections = [house.connect(identity=nobody(f"192.0.2.{number}"))[0] for number in range(5)]
    for connection in connections:
        connection.on_closed()
    assert not house.signals._roster._websockets
    assert not house.signals._roster.by_stream
    assert not house.signals._roster.by_player
