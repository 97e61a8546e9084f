"""What players of a scenario may do."""

from typing import Any

import pytest
from pydantic import ValidationError

from loadgen.scenario.bounds import MAX_PLAYERS
from loadgen.scenario.fields import FROM_FILE
from loadgen.scenario.players import (
    BetsSpec,
    ImpairmentSpec,
    Leaves,
    PlayersSpec,
    PoissonArrival,
    RampArrival,
    SignalsSpec,
)


def _from_file(**values: Any) -> PlayersSpec:
    values = {"name": "players", "count": 10, **values}
    return PlayersSpec.model_validate(values, context=FROM_FILE, by_alias=True, by_name=False)


def test_players_come_at_once_and_stay_where_nothing_else_is_said() -> None:
    players = _from_file()
    assert players.arrival == RampArrival(at_s=0, ramp_s=0)
    assert (players.streams, players.stay_s, players.away_s, players.ice_restart_every_s) == ("all", None, None, None)
    assert (players.sampled, players.impairment) == (0.02, None)


def test_arrival_is_what_its_keys_say() -> None:
    assert _from_file(arrival={"at": "5s", "ramp": "1m"}).arrival == RampArrival(at_s=5, ramp_s=60)
    assert _from_file(arrival={"rate": "90/m"}).arrival == PoissonArrival(at_s=0, rate_per_s=1.5)


@pytest.mark.parametrize("arrival", [{"ramp": "1s", "rate": "1/s"}, {"rate": "0/s"}, {"rate": "1001/s"}, {"rate": 5}])
def test_arrival_out_of_bounds_is_refused(arrival: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="arrival"):
        _from_file(arrival=arrival)


def test_behaviour_is_read_with_its_units() -> None:
    players = _from_file(
        stay="30s", leaves={"hop": 6, "tab_close": 3, "goodbye": 1}, away="5s", ice_restart_every="2m", sampled="1/10"
    )
    assert (players.stay_s, players.away_s, players.ice_restart_every_s, players.sampled) == (30.0, 5.0, 120.0, 0.1)
    assert players.leaves == Leaves(hop=6, tab_close=3, goodbye=1)
    assert players.leaves.total == 10


@pytest.mark.parametrize("count", [0, -1, MAX_PLAYERS + 1, "many"])
def test_count_out_of_bounds_is_refused(count: object) -> None:
    with pytest.raises(ValidationError, match="count"):
        _from_file(count=count)


@pytest.mark.parametrize("leaves", [{}, {"hop": 0}, {"hop": -1}, {"hop": float("nan")}, {"hop": float("inf")}])
def test_leaves_that_weigh_nothing_are_refused(leaves: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="leaves"):
        _from_file(stay="10s", leaves=leaves)


@pytest.mark.parametrize("behaviour", [{"leaves": {"hop": 1}}, {"away": "5s"}])
def test_leaving_without_a_stay_is_refused(behaviour: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="there is no `stay`"):
        _from_file(**behaviour)


def test_streams_are_all_or_named() -> None:
    assert _from_file(streams="all").streams == "all"
    assert _from_file(streams=["table-1", "all"]).streams == ("table-1", "all")


@pytest.mark.parametrize("streams", [[], "table-1", ["a b"], [1], None])
def test_streams_that_are_no_names_are_refused(streams: object) -> None:
    with pytest.raises(ValidationError, match="streams"):
        _from_file(streams=streams)


def test_impairment_is_read_with_its_units() -> None:
    players = _from_file(impairment={"share": "1/4", "loss": "2%", "burst": 4, "jitter": "20ms", "reorder": "0.1%"})
    assert players.impairment == ImpairmentSpec(share=0.25, loss=0.02, burst=4, jitter_s=0.02, reorder=0.001)


@pytest.mark.parametrize(
    "impairment", [{"share": "101%"}, {"loss": "51%"}, {"burst": 0.5}, {"jitter": "3s"}, {"jitter": 20}, {"loss": 0.02}]
)
def test_impairment_out_of_bounds_is_refused(impairment: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="impairment"):
        _from_file(impairment=impairment)


def test_reordering_without_jitter_is_refused() -> None:
    with pytest.raises(ValidationError, match="nothing to overtake"):
        _from_file(impairment={"reorder": "1%"})


def test_players_watch_by_whep_where_nothing_is_said() -> None:
    assert (_from_file().protocol, _from_file().preload_hints) == ("whep", False)
    players = _from_file(protocol="hls", preload_hints=True)
    assert (players.protocol, players.preload_hints) == ("hls", True)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"protocol": "dash"}, "protocol"),
        ({"preload_hints": True}, "only players of `protocol: hls`"),
        ({"protocol": "hls", "impairment": {"loss": "1%"}}, "have no ICE, and no packets"),
        ({"protocol": "hls", "ice_restart_every": "5s"}, "have no ICE, and no packets"),
        ({"protocol": "none", "signals": {}, "impairment": {"loss": "1%"}}, "have no ICE, and no packets"),
        ({"protocol": "none", "signals": {}, "preload_hints": True}, "only players of `protocol: hls`"),
        ({"protocol": "none"}, "without `signals` there is nothing"),
        ({"protocol": "hls", "signals": {"carrier": "data_channel"}}, "only players of `protocol: whep`"),
        ({"signals": {"carrier": "pigeon"}}, "carrier"),
    ],
)
def test_protocol_that_does_not_suit_is_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        _from_file(**settings)


def test_signals_are_carried_by_what_the_protocol_has() -> None:
    assert _from_file().carrier is None
    assert _from_file(signals={}).carrier == "data_channel"
    assert _from_file(signals={"carrier": "websocket"}).carrier == "websocket"
    assert _from_file(signals={}, protocol="hls").carrier == "websocket"
    assert _from_file(signals={}, protocol="none").carrier == "websocket"


def test_bets_are_read_with_their_units() -> None:
    signals = _from_file(signals={"bets": {"share": "1/4", "per_round": 3, "late": "2%"}}).signals
    assert signals == SignalsSpec(bets=BetsSpec(share=0.25, per_round=3, late=0.02))


@pytest.mark.parametrize(
    "bets", [{"share": "101%"}, {"share": 0.5}, {"per_round": 0}, {"per_round": 21}, {"late": "-1%"}, {"each": 1}]
)
def test_bets_out_of_bounds_are_refused(bets: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="bets"):
        _from_file(signals={"bets": bets})
