"""How a run ends, for the shell and for the sums."""

from collections import Counter

from loadgen.figures import DISTRIBUTIONS, HlsCounts, MediaCounts, SessionFigures, SignalCounts
from loadgen.result import Group, Outcome, Totals


def test_only_a_passed_run_exits_with_zero() -> None:
    assert [outcome for outcome in Outcome if outcome.exit_status == 0] == [Outcome.PASSED]


def test_outcomes_are_told_apart_by_their_exit_status() -> None:
    assert len({outcome.exit_status for outcome in Outcome}) == len(Outcome)


def test_interrupted_run_exits_as_a_shell_expects_of_ctrl_c() -> None:
    assert Outcome.INTERRUPTED.exit_status == 128 + 2


def test_totals_have_a_distribution_for_each_of_an_interval() -> None:
    left, right = Totals(), Totals()
    left.distributions["gap_s"].add(1.0)
    assert tuple(left.distributions) == DISTRIBUTIONS
    assert right.distributions["gap_s"].count == 0


def test_totals_of_all_streams_leave_the_streams_alone() -> None:
    totals = Totals(media={"a": MediaCounts(packets=1), "b": MediaCounts(packets=2)})
    assert totals.all_media.packets == 3
    assert totals.media["a"].packets == 1


def test_group_has_one_value_of_each_session_that_has_one() -> None:
    group = Group()
    dark = SessionFigures("table", "seated", 0.0, join_s=0.3)
    shown = SessionFigures(
        "table", "seated", 0.0, join_s=0.1, first_frame_s=0.2, longest_gap_s=0.5, delay_p99_s=0.04, bet_rtt_p95_s=0.02
    )
    refused = SessionFigures("table", "seated", 0.0, end="http_503")
    for session in (dark, shown, refused):
        group.add(session)
    assert (group.sessions, group.join_failures) == (3, Counter({"http_503": 1}))
    assert {name: (values.count, values.largest) for name, values in group.distributions.items()} == {
        "join_s": (2, 0.3),
        "first_frame_s": (1, 0.2),
        "gap_s": (1, 0.5),
        "delay_p50_s": (0, 0.0),
        "delay_p99_s": (1, 0.04),
        "latency_p50_s": (0, 0.0),
        "latency_p95_s": (0, 0.0),
        "bet_rtt_p50_s": (0, 0.0),
        "bet_rtt_p95_s": (1, 0.02),
        "move_s": (0, 0.0),
        "back_s": (0, 0.0),
    }


def test_group_by_hls_adds_what_its_players_asked_for() -> None:
    group = Group()
    group.add(SessionFigures("table", "seated", 0.0))
    assert group.hls is None
    for parts in (3, 4):
        group.add(SessionFigures("table", "tvs", 0.0, hls=HlsCounts(parts=parts), latency_p95_s=0.8))
    assert group.hls == HlsCounts(parts=7)
    assert group.distributions["latency_p95_s"].count == 2


def test_group_with_signals_adds_its_bets() -> None:
    group = Group()
    group.add(SessionFigures("table", "seated", 0.0))
    assert group.signals is None
    for bets in (3, 4):
        group.add(SessionFigures("table", "seated", 0.0, signals=SignalCounts(bets=bets)))
    assert group.signals == SignalCounts(bets=7)


def test_frames_dropped_are_those_that_could_not_be_shown() -> None:
    media = MediaCounts(frames_complete=90, frames_incomplete=2, frames_undecodable=3, frames_late=7)
    assert Group(media=media).frames_dropped == 5
