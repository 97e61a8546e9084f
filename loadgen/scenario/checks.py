"""What must fit together in a scenario, and the sums that are bounded."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from math import inf
from typing import NamedTuple

from loadgen.scenario.bounds import MAX_BETS_PER_S, MAX_HLS_PLAYERS, MAX_PLAYERS, MAX_REQUESTS_PER_S, MAX_STREAMS
from loadgen.scenario.durations import DURATION
from loadgen.scenario.fields import InconsistentError
from loadgen.scenario.players import PlayersSpec, PoissonArrival
from loadgen.scenario.studios import StudiosSpec

UNKNOWN_WINDOW_S = 1.0
"""How long bets may be open at the least, where somebody else drives the rounds: to be on the safe side."""


def check(studios: Sequence[StudiosSpec], players: Sequence[PlayersSpec], duration_s: float) -> None:
    """InconsistentError for the first that does not fit."""
    if not studios and not players:
        raise InconsistentError((), "neither studios nor players: there is nothing to do")
    _check_streams(studios)
    _check_groups(players)
    _check_what_is_watched(studios, players)
    _check_times(studios, players, duration_s)
    _check_requests(players)
    _check_bets(studios, players)


def _check_streams(studios: Sequence[StudiosSpec]) -> None:
    seen: set[str] = set()
    for index, group in enumerate(studios):
        if taken := seen.intersection(group.stream_names):
            raise InconsistentError(("studios", index, "name"), f"another studio publishes {min(taken)}")
        seen.update(group.stream_names)
        if len(seen) > MAX_STREAMS:
            raise InconsistentError(("studios", index, "streams"), f"at most {MAX_STREAMS} streams in all")


def _check_groups(players: Sequence[PlayersSpec]) -> None:
    total = by_hls = 0
    for index, group in enumerate(players):
        if group.name in {other.name for other in players[:index]}:
            raise InconsistentError(("players", index, "name"), "another group has this name")
        total += group.count
        if total > MAX_PLAYERS:
            raise InconsistentError(("players", index, "count"), f"at most {MAX_PLAYERS} players in all")
        by_hls += group.count if group.protocol == "hls" else 0
        if by_hls > MAX_HLS_PLAYERS:
            raise InconsistentError(("players", index, "count"), f"at most {MAX_HLS_PLAYERS} players by LL-HLS")


def _check_what_is_watched(studios: Sequence[StudiosSpec], players: Sequence[PlayersSpec]) -> None:
    published = set(chain.from_iterable(group.stream_names for group in studios))
    for index, group in enumerate(players):
        where = ("players", index, "streams")
        if group.streams == "all" and not published:
            raise InconsistentError(where, "name them: there are no studios here whose streams could be all")
        watched = published if group.streams == "all" else set(group.streams)
        if published and (missing := watched - published):
            raise InconsistentError(where, f"no studio publishes {min(missing)}")
        if group.leaves.hop and len(watched) == 1:
            raise InconsistentError(("players", index, "leaves", "hop"), "there is only one stream to watch")


def _check_times(studios: Sequence[StudiosSpec], players: Sequence[PlayersSpec], duration_s: float) -> None:
    starts: list[tuple[tuple[str | int, ...], float]] = [
        (("players", index, "arrival", "at"), group.arrival.at_s) for index, group in enumerate(players)
    ]
    for index, studio in enumerate(studios):
        if studio.rounds is not None:
            starts.append((("studios", index, "rounds", "at"), studio.rounds.at_s))
        starts += [
            (("studios", index, "events", number, "at"), event.at_s) for number, event in enumerate(studio.events)
        ]
    for where, at_s in starts:
        if at_s >= duration_s:
            raise InconsistentError(where, f"by then, the run has ended: it lasts {DURATION.text(duration_s)}")


class _Load(NamedTuple):
    """Requests that players make from `start_s` to `end_s`, on average."""

    start_s: float
    end_s: float
    per_s: float


def _check_requests(players: Sequence[PlayersSpec]) -> None:
    loads = [list(_loads(group)) for group in players]
    for index, own in enumerate(loads):
        peak = max(_per_s(chain.from_iterable(loads), load.start_s) for load in own)
        if peak > MAX_REQUESTS_PER_S:
            sentence = f"{peak:.0f} joins and ICE restarts a second, at most {MAX_REQUESTS_PER_S:.0f}"
            raise InconsistentError(("players", index), sentence)


def _per_s(loads: Iterable[_Load], at_s: float) -> float:
    return sum(load.per_s for load in loads if load.start_s <= at_s < load.end_s)


def _loads(group: PlayersSpec) -> Iterator[_Load]:
    """What a group asks of the server; who comes again does so from the beginning, to be on the safe side."""
    at_s = group.arrival.at_s
    if isinstance(group.arrival, PoissonArrival):
        yield _Load(at_s, at_s + group.count / group.arrival.rate_per_s, group.arrival.rate_per_s)
    else:
        ramp_s = max(group.arrival.ramp_s, 1.0)
        yield _Load(at_s, at_s + ramp_s, group.count / ramp_s)
    if group.stay_s is not None:
        yield _Load(at_s, inf, group.count * _joins_again_per_s(group, group.stay_s))
    if group.ice_restart_every_s is not None:
        yield _Load(at_s, inf, group.count / group.ice_restart_every_s)


def _check_bets(studios: Sequence[StudiosSpec], players: Sequence[PlayersSpec]) -> None:
    windows_s = [group.rounds.betting_s for group in studios if group.rounds is not None]
    per_s = 0.0
    for index, group in enumerate(players):
        bets = group.signals.bets if group.signals is not None else None
        if bets is None:
            continue
        where = ("players", index, "signals", "bets")
        if studios and not windows_s:
            raise InconsistentError(where, "there is nothing to bet on: no studio here has `rounds`")
        per_s += group.count * bets.share * bets.per_round / min(windows_s, default=UNKNOWN_WINDOW_S)
        if per_s > MAX_BETS_PER_S:
            raise InconsistentError(where, f"{per_s:.0f} bets a second, at most {MAX_BETS_PER_S:.0f}")


def _joins_again_per_s(group: PlayersSpec, stay_s: float) -> float:
    """How often one place of the group is taken anew."""
    hops = group.leaves.hop / group.leaves.total
    if group.away_s is None:
        return hops / stay_s
    return 1 / (stay_s + (1 - hops) * group.away_s)
