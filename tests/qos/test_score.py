"""The score: bounded, additive, never higher for a worse measurement, and honest where nothing was measured."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qos.measurement import Measurement
from qos.score import BEST, Score, edge_score, score
from qos.sketch import Sketch
from qos.terms import TERMS
from tests.qos.measurements import WORSE, good, measurements

BY_NAME = {term.name: term for term in TERMS}

RUINED: dict[str, Callable[[Measurement], Measurement]] = {
    "signal_rtt": lambda of: replace(of, rtt=Sketch([3.0] * 10)),
    "frames_dropped": lambda of: replace(of, ingest_dropped=of.ingest_frames),
    "frozen": lambda of: replace(of, frozen_ms=of.watched_ms),
    "freezes": lambda of: replace(of, freezes=1000),
    "packets_lost": lambda of: replace(of, egress_lost=of.egress_packets),
    "rounds_aborted": lambda of: replace(of, aborts=of.rounds, network_aborts=of.rounds),
}


def _points(of: Score) -> float:
    assert of.points is not None
    return of.points


@given(measurements())
def test_score_is_within_its_bounds(measured: Measurement) -> None:
    judged = score(measured)
    assert judged.points is None or 0 <= judged.points <= BEST
    for each in judged.terms:
        assert 0 <= each.lost <= each.term.points


@given(measurements())
def test_score_is_what_its_terms_leave(measured: Measurement) -> None:
    judged = score(measured)
    if judged.points is not None:
        assert judged.points == pytest.approx(max(BEST - sum(each.lost for each in judged.terms), 0.0))


@given(measurements(), st.sampled_from(sorted(WORSE)), st.integers(1, 10_000))
def test_score_of_a_worse_measurement_is_never_higher(measured: Measurement, how: str, amount: int) -> None:
    before, after = score(measured), score(WORSE[how](measured, amount))
    if before.points is not None:
        assert _points(after) <= before.points + 1e-9
    for one, other in zip(before.terms, after.terms, strict=True):
        assert other.lost >= one.lost - 1e-9


@pytest.mark.parametrize("how", WORSE)
def test_score_of_a_much_worse_measurement_is_lower(how: str) -> None:
    assert _points(score(good())) == BEST
    assert _points(score(WORSE[how](good(), 100_000))) < BEST


@given(st.lists(st.floats(0.001, 5.0), min_size=1, max_size=30), st.floats(1.0, 3.0))
def test_score_of_slower_pings_is_never_higher(pings: list[float], factor: float) -> None:
    slower = [seconds * factor for seconds in pings]
    before, after = (score(replace(good(), rtt=Sketch(each))) for each in (pings, slower))
    assert _points(after) <= _points(before)


def test_every_term_can_be_ruined() -> None:
    assert RUINED.keys() == BY_NAME.keys()


@pytest.mark.parametrize("name", RUINED)
def test_ruined_term_costs_its_points_and_is_named(name: str) -> None:
    judged = score(RUINED[name](good()))
    assert {each.term.name: each.lost for each in judged.terms if each.lost} == {name: BY_NAME[name].points}
    assert judged.points == BEST - BY_NAME[name].points
    assert judged.worst is not None
    assert judged.worst.term.name == name


@given(st.sets(st.sampled_from(sorted(RUINED)), min_size=1))
def test_what_terms_cost_adds_up(names: set[str]) -> None:
    measured = good()
    for name in names:
        measured = RUINED[name](measured)
    assert score(measured).points == max(BEST - sum(BY_NAME[name].points for name in names), 0.0)


def test_good_measurement_loses_nothing() -> None:
    judged = score(good())
    assert (judged.points, judged.worst) == (BEST, None)


def test_nothing_measured_is_no_score() -> None:
    judged = score(Measurement(window_ms=60_000))
    assert judged.points is None
    assert [each.value for each in judged.terms] == [None] * len(TERMS)


def test_term_without_data_costs_nothing_and_says_so() -> None:
    judged = score(Measurement(rtt=Sketch([0.8])))
    assert judged.points == pytest.approx(BEST - BY_NAME["signal_rtt"].points, abs=0.6)
    assert [each.term.name for each in judged.terms if each.value is not None] == ["signal_rtt"]


# The edge


def _at(points: float) -> Score:
    """A score that lost its points by aborted rounds, or by more."""
    lost, terms = BEST - points, []
    for each in score(good()).terms:
        taken = min(lost, each.term.points)
        terms.append(replace(each, lost=taken))
        lost -= taken
    return Score(points, tuple(terms))


def test_edge_is_the_mean_over_viewers_and_names_the_worst_stream() -> None:
    edge = edge_score({"full": (_at(90), 300), "empty": (_at(40), 0), "small": (_at(50), 100)})
    assert edge.points == pytest.approx(80)
    assert edge.worst_stream == "empty"


def test_edge_that_nobody_watches_is_the_mean_over_streams() -> None:
    assert edge_score({"one": (_at(90), 0), "other": (_at(70), 0)}).points == pytest.approx(80)


def test_edge_leaves_out_streams_without_data() -> None:
    nothing = score(Measurement())
    edge = edge_score({"one": (_at(90), 1), "silent": (nothing, 1000)})
    assert (edge.points, edge.worst_stream) == (90, "one")
    assert edge_score({"silent": (nothing, 10)}).points is None
    assert edge_score({}).points is None


@given(st.dictionaries(st.text(max_size=3), st.tuples(st.floats(0, 100), st.integers(0, 1000)), min_size=1, max_size=6))
def test_edge_is_between_its_streams_and_its_losses_explain_it(streams: dict[str, tuple[float, int]]) -> None:
    edge = edge_score({name: (_at(points), viewers) for name, (points, viewers) in streams.items()})
    assert edge.points is not None
    known = [points for points, _ in streams.values()]
    assert min(known) - 1e-6 <= edge.points <= max(known) + 1e-6
    assert edge.points == pytest.approx(BEST - sum(edge.lost.values()), abs=1e-6)
