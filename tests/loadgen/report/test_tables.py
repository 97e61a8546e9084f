from loadgen.distribution import Distribution
from loadgen.figures import MediaCounts, SessionFigures
from loadgen.report import tables
from loadgen.result import ServerCounts, Totals
from tests.loadgen.results import MadeUpRun


def _session(
    stream: str, first_frame_s: float | None, frozen_s: float = 0.0, join_s: float | None = 0.1
) -> SessionFigures:
    media = MediaCounts(frozen_s=frozen_s)
    return SessionFigures(stream, "crowd", 0.0, 10.0, "run_end", join_s, first_frame_s, media)


def test_slowest_begin_with_who_joined_and_saw_nothing() -> None:
    sessions = [
        _session("quick", 0.2),
        _session("slow", 3.0),
        _session("dark", None),
        _session("refused", None, join_s=None),
    ]
    assert [row[0] for row in tables.slowest(sessions)] == ["dark", "slow", "quick"]


def test_worst_to_watch_begin_with_the_longest_frozen() -> None:
    sessions = [_session("a", 0.2, 0.1), _session("b", 0.2, 4.0), _session("c", None)]
    assert [row[0] for row in tables.worst_to_watch(sessions)] == ["b", "a"]


def test_worst_are_few() -> None:
    assert len(tables.slowest(MadeUpRun().result().sessions)) == tables.WORST


def test_times_leave_out_what_has_no_values() -> None:
    distributions = {name: Distribution() for name in tables.TIMES} | {"join_s": Distribution([0.02, 0.04])}
    ((name, *cells),) = tables.times(distributions)
    assert name == "Join"
    assert cells[-2:] == ["40 ms", "2"]


def test_both_sides_show_the_difference_and_its_share() -> None:
    counts = [
        ServerCounts("packets", "m", 1000, 990),
        ServerCounts("same", "m", 5, 5),
        ServerCounts("drops", "m", 0, 7),
    ]
    assert [row.difference for row in tables.both_sides(counts)] == ["-10 (1 %)", "none", "+7"]


def test_streams_without_a_studio_of_ours_have_no_frames_sent() -> None:
    totals = MadeUpRun().result().totals
    del totals.studios["table-2"]
    assert [row[:2] for row in tables.streams(totals)] == [("table-1", "1,800"), ("table-2", "—")]


def test_streams_are_in_the_order_of_their_numbers() -> None:
    names = ["table-10", "table-2", "lobby-7", "table-2b"]
    totals = Totals(media={name: MediaCounts() for name in names})
    assert [row[0] for row in tables.streams(totals)] == ["lobby-7", "table-2", "table-2b", "table-10"]


def test_settings_are_named_as_set_takes_them() -> None:
    settings = {"seed": 7, "players": [{"count": 1000, "stay": None, "streams": ("a", "b")}], "thresholds": []}
    assert dict(tables.settings(settings)) == {
        "seed": "7",
        "players.0.count": "1000",
        "players.0.stay": "none",
        "players.0.streams.0": "a",
        "players.0.streams.1": "b",
        "thresholds": "none",
    }
