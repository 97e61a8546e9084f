import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from loadgen.report.page import STREAMS_SHOWN, page, write_page
from loadgen.result import Outcome
from tests.loadgen.results import MadeUpRun

HOSTILE = '<img src=x onerror="alert(1)">'
MAX_PAGE_BYTES = 600_000


class _Headings(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_heading = tag in {"h1", "h2"}

    def handle_data(self, data: str) -> None:
        if self._is_heading:
            self.found.append(data)
        self._is_heading = False


def _headings(html: str) -> list[str]:
    parser = _Headings()
    parser.feed(html)
    return parser.found


def test_page_says_the_verdict_first_and_the_machine_last() -> None:
    assert _headings(page(MadeUpRun(Outcome.MISSED).result())) == [
        "Threshold missed",
        "Before believing the figures",
        "Thresholds",
        "Key figures",
        "How long things took",
        "What both sides counted",
        "Streams",
        "Over time",
        "Slowest to a first frame",
        "Worst to watch",
        "Settings and machine",
    ]


def test_groups_stand_after_what_both_sides_counted_when_there_are_some_to_compare() -> None:
    headings = _headings(page(MadeUpRun(seated=150).result()))
    assert headings[headings.index("What both sides counted") + 1] == "Groups of players"


@pytest.mark.parametrize("outcome", Outcome)
def test_page_begins_with_the_outcome(outcome: Outcome) -> None:
    html = page(MadeUpRun(outcome, seconds=5, viewers=5).result())
    assert f'data-outcome="{outcome.name}"' in html
    assert _headings(html)[0].lower().startswith(outcome.value)


def test_page_of_a_run_that_did_not_come_about_says_why_and_shows_no_figures() -> None:
    result = MadeUpRun(Outcome.FAILED, seconds=0, viewers=0).result()
    result.remarks = ["The target refuses connections."]
    html = page(result)
    assert _headings(html) == ["Could not run", "Why", "Settings and machine"]
    assert "The target refuses connections." in html


def test_foreign_text_stays_text() -> None:
    result = MadeUpRun(Outcome.MISSED, seconds=10, viewers=200, seated=100).result()
    result.totals.groups[HOSTILE] = result.totals.groups.pop("crowd")
    result.scenario_name = result.summary = result.target = HOSTILE
    result.remarks.append(HOSTILE)
    result.settings[HOSTILE] = result.machine[HOSTILE] = HOSTILE
    result.totals.media[HOSTILE] = result.totals.media.pop("table-1")
    result.totals.ended[HOSTILE] = result.totals.join_failures[HOSTILE] = 1
    for session in result.sessions:
        session.stream = session.group = session.end = HOSTILE
    html = page(result)
    assert "<img" not in html
    assert html.count("&lt;img src=x") > 20


def test_page_needs_nothing_from_anywhere() -> None:
    html = page(MadeUpRun().result())
    assert "<script" not in html
    assert not re.search(r"url\((?!data:)|@import|<link(?![^>]*href=\"data:)|\bsrc=", html)
    assert "default-src 'none'" in html


def test_page_of_a_long_run_is_small_and_says_what_a_point_is() -> None:
    html = page(MadeUpRun(seconds=3600, viewers=20).result())
    assert len(html.encode()) < MAX_PAGE_BYTES
    assert "One point is 6 s" in html


def test_page_says_what_was_not_measured() -> None:
    html = page(MadeUpRun(has_gateway=False).result())
    assert "Not measured at all: CPU of the gateway; Memory of the gateway." in html
    assert "The gateway's own counters were not read" in html.replace("&#39;", "'")


def test_many_streams_are_folded() -> None:
    result = MadeUpRun(seconds=5, viewers=5).result()
    assert "<summary>All" not in page(result)
    for number in range(STREAMS_SHOWN):
        result.totals.media[f"extra-{number}"] = result.totals.media["table-1"]
    assert f"<summary>All {STREAMS_SHOWN + 2}</summary>" in page(result)


def test_write_page_is_utf8(tmp_path: Path) -> None:
    result = MadeUpRun(seconds=5, viewers=5).result()
    result.summary = "Björns Tische: 牌"
    write_page(result, tmp_path / "report.html")
    assert result.summary in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_page_of_players_by_hls_names_what_failed() -> None:
    html = page(MadeUpRun(seconds=10, viewers=5, hls_viewers=5).result())
    assert "Requests by LL-HLS that failed: http_503 1." in html
    assert "Rules of LL-HLS that playlists broke: part_too_long 1." in html
    assert "Live latency of LL-HLS" in html


def test_page_without_players_by_hls_does_not_speak_of_them() -> None:
    assert "LL-HLS" not in page(MadeUpRun(seconds=10, viewers=5).result())


def test_page_tells_of_bets_only_where_there_are_some() -> None:
    words = ("What bets were answered: accepted 540, late 60.", "two_answers 1", "ingest_loss 1", "http_404 1")
    told, silent = page(MadeUpRun(betting=10).result()), page(MadeUpRun().result())
    assert all(word in told for word in words)
    assert not any(word in silent for word in (*words, "Round trip of a bet"))
    assert "Round trip of a bet" in told
