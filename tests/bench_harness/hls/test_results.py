"""What follows from windows with LL-HLS players, and how the goals are judged."""

from dataclasses import replace

import pytest

from tests.bench.hls.processor import Spent
from tests.bench.hls.results import MAX_LATE_MS, HlsResults, Late, Packaging, Requests, players_of
from tests.bench.hls.table import render, verdicts
from tests.bench.hls.tally import Tally

PACKAGING = Packaging(
    streams=10, has_audio=True, off=[0.1, 0.2], on=[0.4, 0.4], threads=0.2, wake_ups_off=100.0, wake_ups_on=300.0
)
TALLY = Tally(playlists=990, parts=1000, refused=10, playlists_late_s=[0.01] * 200, parts_late_s=[0.05] * 200)
COUNTED = {"upstream_requests": 100, "parts_made": 50}
PLAYERS = players_of(50, Spent(10.0, 3.0, 1.0, 0), None, 0.1, replace(TALLY, refused=0), **COUNTED)
BEHIND = players_of(50, Spent(10.0, 1.5, 1.0, 0), Spent(10.0, 0.5, 0.0, 0), 0.1, replace(TALLY, refused=0), **COUNTED)
GATEWAY = Requests("playlist", "gateway", 100, 800, 5.0, 0.3, 3000, 0)
RESULTS = HlsResults(
    {},
    {},
    None,
    [PACKAGING],
    [
        GATEWAY,
        replace(GATEWAY, what="part"),
        replace(GATEWAY, what="hinted part"),
        replace(GATEWAY, server="aiohttp", cpu_s=0.15),
        replace(GATEWAY, what="part", server="aiohttp", cpu_s=0.1),
    ],
    [PLAYERS, BEHIND],
)


def test_packaging_is_what_comes_on_top() -> None:
    assert PACKAGING.core_share == pytest.approx(0.025)
    assert PACKAGING.threads_core_share == pytest.approx(0.02)
    assert PACKAGING.spread == pytest.approx(0.005)
    assert PACKAGING.wake_ups == pytest.approx(20)


def test_players_cost_what_comes_on_top_of_the_stream() -> None:
    assert PLAYERS.gateway_cpu_s == pytest.approx(2.0)
    assert PLAYERS.core_used == pytest.approx(0.3)
    assert PLAYERS.cpu_us == pytest.approx(2e6 / 1990)
    assert PLAYERS.players_a_core == pytest.approx(250)
    assert PLAYERS.upstream_a_part == 2.0


def test_players_behind_nginx_cost_both() -> None:
    assert BEHIND.cpu_s == pytest.approx(1.0)
    assert BEHIND.core_used == pytest.approx(0.2)


def test_level_holds_unless_late_or_refused() -> None:
    assert PLAYERS.holds
    late = Late(1.0, MAX_LATE_MS + 1, MAX_LATE_MS + 1, 200)
    for broken in ({"playlist_late": late}, {"playlist_late": None}, {"refused": 1}, {"missed": 1}):
        assert not replace(PLAYERS, **broken).holds


def test_level_remarks_what_makes_it_doubtful() -> None:
    assert PLAYERS.remarks == []
    assert len(replace(PLAYERS, missed=1, load_share=0.9).remarks) == 2


def test_late_quantiles_of_a_hundred_and_one() -> None:
    late = Late.of([number / 1000 for number in range(101)])
    assert late is not None
    assert (late.p50_ms, late.p99_ms, late.max_ms, late.answers) == pytest.approx((50, 99, 100, 101))
    assert Late.of([0.1]) is None


def test_rivals_of_a_hinted_part_are_those_of_a_part() -> None:
    hinted = RESULTS.requests[2]
    assert RESULTS.rivals(hinted) == {"aiohttp": RESULTS.requests[4]}


@pytest.mark.parametrize(("on", "word"), [([0.44, 0.44], "met"), ([0.5, 0.5], "missed")])
def test_verdict_of_packaging_with_audio(on: list[float], word: str) -> None:
    (line,) = verdicts(replace(RESULTS, packaging=[replace(PACKAGING, on=on)]))
    assert line.startswith(word)


def test_verdict_without_audio_has_its_own_goal() -> None:
    (line,) = verdicts(replace(RESULTS, packaging=[replace(PACKAGING, has_audio=False, on=[0.19, 0.19])]))
    assert line.startswith("missed")
    assert "0.40%" in line


def test_render_shows_each_beside_its_floor() -> None:
    text = render(replace(RESULTS, without="No nginx here."))
    rows = [line for line in text.splitlines() if line.startswith(("| playlist", "| part", "| hinted"))]
    assert [row.split(" | ")[3:5] for row in rows] == [["100 µs", "50 µs"], ["100 µs", "33 µs"], ["100 µs", "33 µs"]]
    assert "No nginx here." in text
    assert "with 50 players, the most that was tried" in text


def test_record_has_what_follows() -> None:
    record = RESULTS.record()
    assert record["packaging"][0]["core_share"] == pytest.approx(0.025)
    assert record["requests"][0]["cpu_us"] == pytest.approx(100)
    assert record["players"][1]["holds"] is True
