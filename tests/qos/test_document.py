"""docs/qos.md says what the code does: its tables are read, and its example is computed again."""

import re
from pathlib import Path

import pytest

from gateway.hub.collector import GatewayCollector
from gateway.metrics import FAMILIES
from gateway.quality.counters import NETWORK_CAUSES
from gateway.rounds.causes import AbortCause
from qos.measurement import LEGS, Measurement
from qos.score import score
from qos.sketch import Sketch
from qos.terms import TERMS
from qos.windows import SPANS
from tests.hub.desk import Desk

TEXT = (Path(__file__).parent.parent.parent / "docs" / "qos.md").read_text(encoding="utf-8")


def table(*columns: str) -> list[list[str]]:
    """The rows under the header with these columns, as text, without backquotes."""
    header = "| " + " | ".join(columns) + " |\n"
    assert header in TEXT
    lines = TEXT.split(header, 1)[1].splitlines()[1:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


def test_terms_are_those_of_the_code() -> None:
    rows = table("term", "measure", "unit", "begins", "all", "points")
    assert [(row[0], row[1], row[2], *map(float, row[3:])) for row in rows] == [
        (term.name, term.meaning, term.unit, term.begins_at, term.all_at, term.points) for term in TERMS
    ]


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_every_term_says_where_it_comes_from_and_why(term: object) -> None:
    name = getattr(term, "name", "")
    assert name in [row[0] for row in table("term", "from")]
    assert f"**`{name}`**" in TEXT


def test_metrics_are_those_that_there_are() -> None:
    named = set(re.findall(r"\brailbird_[a-z_]+[a-z]\b", TEXT))
    assert named
    assert named <= FAMILIES.keys()


def test_windows_are_those_of_the_code() -> None:
    assert all(f"`{span.name}`" in TEXT for span in SPANS)


def test_causes_are_those_of_the_code() -> None:
    (row,) = [row[1] for row in table("term", "from") if row[0] == "rounds_aborted"]
    ours, others = row.split("Not ")
    assert set(re.findall(r"`(\w+)`", ours)) == {cause.value for cause in NETWORK_CAUSES}
    assert set(re.findall(r"`(\w+)`", others)) == {cause.value for cause in set(AbortCause) - NETWORK_CAUSES}


async def test_every_reason_for_a_dropped_frame_is_explained(desk: Desk) -> None:
    """Those that a scrape tells from the beginning, and the browsers'."""
    desk.studio()
    told = {
        (labels[1], labels[2])
        for name, labels, _ in GatewayCollector(desk.hub).samples()
        if name == "railbird_frames_dropped_total"
    }
    explained = {(row[0], row[1]) for row in table("leg", "reason", "a frame is counted when")}
    assert explained == told | {("player", "browser")}
    assert {leg for leg, _ in explained} == set(LEGS)


def test_example_is_what_the_code_says() -> None:
    measured = Measurement(
        window_ms=60_000,
        viewer_ms=600_000,
        rtt=Sketch([0.05] * 90 + [0.25] * 10),
        ingest_frames=1764,
        ingest_dropped=36,
        egress_frames=17_640,
        player_frames=17_552,
        player_dropped=88,
        player_dropped_ms=3000,
        freezes=3,
        frozen_ms=2400,
        watched_ms=600_000,
        attended_ms=60_000,
        ingest_packets=20_000,
        egress_packets=200_000,
        egress_lost=1000,
        rounds=2,
    )
    judged = score(measured)
    rows = table("term", "value", "lost")
    assert [row[0] for row in rows] == [each.term.name for each in judged.terms]
    for (_, value, lost), each in zip(rows, judged.terms, strict=True):
        assert each.value == pytest.approx(float(value), rel=0.01)
        assert each.lost == pytest.approx(float(lost), abs=0.1)
    assert judged.points == pytest.approx(float(re.findall(r"= \*\*([\d.]+)\*\*", TEXT)[0]), abs=0.05)
    assert judged.worst is not None
    assert judged.worst.term.name == "frames_dropped"
