from loadgen.figures import Interval
from loadgen.report.key_figures import key_figures
from loadgen.result import RunResult
from tests.loadgen.results import MadeUpRun


def _values(result: RunResult) -> dict[str, tuple[str, str]]:
    return {figure.name: (figure.value, figure.note) for figure in key_figures(result)}


def test_key_figures_have_units_and_what_they_are_of() -> None:
    result = MadeUpRun().result()
    figures = _values(result)
    assert figures["Viewers at the peak"] == ("400", "of 2 streams")
    assert figures["Joins"] == ("400", "2 failed: http_503 2")
    assert figures["Freezes"][0] == f"{result.totals.all_media.freezes}"
    assert figures["Time to join"][0].endswith(" ms")
    assert figures["Load generator"][0].endswith(" µs")


def test_bitrate_at_the_peak_is_that_of_the_fullest_interval() -> None:
    result = MadeUpRun(seconds=10, viewers=100).result()
    result.intervals.append(Interval(at_s=10.02, seconds=0.02, media=result.intervals[-1].media))
    fullest = max(result.intervals, key=lambda interval: interval.all_media.bytes * interval.seconds)
    megabits = fullest.all_media.bytes * 8 / fullest.seconds / 1e6
    assert _values(result)["Bitrate at the peak"][0] == f"{megabits:.0f} Mb/s"


def test_gateway_that_was_not_measured_is_left_out() -> None:
    assert "Gateway" in _values(MadeUpRun().result())
    assert "Gateway" not in _values(MadeUpRun(has_gateway=False).result())


def test_key_figures_of_players_by_hls() -> None:
    figures = _values(MadeUpRun(hls_viewers=20).result())
    assert "median" in figures["Live latency of LL-HLS"][1]
    value, note = figures["Requests by LL-HLS"]
    assert (value, note) == (f"{20 * 20 * 60:,}", "5 % failed: http_503 1")
    assert figures["Load generator"][1] == "of a core, its busiest process"


def test_key_figures_without_players_by_hls_do_not_speak_of_them() -> None:
    assert not any("LL-HLS" in name for name in _values(MadeUpRun().result()))


def test_key_figures_of_bets_and_rounds() -> None:
    figures = _values(MadeUpRun(betting=10).result())
    assert figures["Bets"] == ("600", "90 % accepted; 1 unanswered, 1 broken rule")
    assert figures["Rounds"] == ("3", "3 settled, 1 aborted: ingest_loss 1")
    assert "median" in figures["Round trip of a bet"][1]


def test_key_figures_without_bets_do_not_speak_of_them() -> None:
    assert not {"Bets", "Rounds", "Round trip of a bet"} & set(_values(MadeUpRun().result()))


def test_key_figures_of_players_that_were_closed_without_a_word() -> None:
    result = MadeUpRun().result()
    assert "Closed without a word" not in _values(result)
    result.totals.closed_untold = 3
    assert _values(result)["Closed without a word"] == ("3", "3 saw no picture again")
    result.totals.distributions["back_s"].add(2.5)
    assert _values(result)["Closed without a word"] == ("3", "back after 2.5 s at the most; 2 saw no picture again")


def test_key_figures_of_players_that_were_moved() -> None:
    result = MadeUpRun().result()
    assert "Moved to another edge" not in _values(result)
    result.totals.moved["table-1"] = 3
    result.totals.distributions["move_s"].add(1.5)
    value, note = _values(result)["Moved to another edge"]
    assert (value, note) == ("3", "1.5 s without a picture at the most; 2 saw no picture again")
