"""What the gateway counted and what we counted, side by side."""

from collections import Counter

import pytest

from gateway.app import Gateway
from gateway.config import HostPort, Settings
from gateway.metrics import FAMILIES
from loadgen.distribution import Distribution
from loadgen.figures import HlsCounts, MediaCounts, SignalCounts, StudioCounts
from loadgen.result import Group, ServerCounts, Totals
from loadgen.target import comparison
from loadgen.target.comparison import PACKETS_TO_PLAYERS, compare
from loadgen.target.gateway_watch import GatewayWatch
from loadgen.target.scrape import Scrape

START = """\
process_start_time_seconds 1700000000
railbird_packets_total{stream="a",leg="egress"} 1000
railbird_packets_total{stream="a",leg="ingest"} 50
"""
END = """\
process_start_time_seconds 1700000000
railbird_packets_total{stream="a",leg="egress"} 1900
railbird_packets_total{stream="a",leg="ingest"} 80
railbird_packets_total{stream="elsewhere",leg="egress"} 7777
railbird_retransmissions_total{stream="a",kind="rtx"} 60
railbird_retransmissions_total{stream="a",kind="identical"} 40
railbird_sessions_ended_total{leg="egress",cause="goodbye"} 3
"""


def a_run() -> Totals:
    totals = Totals()
    totals.media["a"] = MediaCounts(packets=880, lost=20, retransmissions=95)
    totals.studios["a"] = StudioCounts(packets=30)
    totals.generator.received_packets = 975
    totals.ended.update(goodbye=3)
    return totals


def compared(start: str = START, end: str = END, totals: Totals | None = None) -> dict[str, ServerCounts]:
    counts = compare(Scrape.parse(start), Scrape.parse(end), totals or a_run()).counts
    return {each.name: each for each in counts}


def test_server_counts_are_of_the_run_and_its_streams_only() -> None:
    packets = compared()["packets, studios to gateway"]
    assert packets == ServerCounts(
        "packets, studios to gateway", 'railbird_packets_total{leg="ingest"}', server=30, client=30
    )


def test_packets_to_players_are_all_that_were_on_the_wire() -> None:
    packets = compared()[PACKETS_TO_PLAYERS]
    assert (packets.server, packets.client) == (1000, 975)
    assert packets.metric == 'railbird_packets_total{leg="egress"} + railbird_retransmissions_total'


def test_sessions_are_counted_whatever_their_stream() -> None:
    ended = compared()["players' sessions ended"]
    assert (ended.server, ended.client) == (3, 3)


def test_run_without_studios_is_not_compared_with_other_peoples() -> None:
    totals = a_run()
    totals.studios.clear()
    assert "packets, studios to gateway" not in compared(totals=totals)
    assert PACKETS_TO_PLAYERS in compared(totals=totals)


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        (None, END, "could not be read"),
        (START, None, "could not be read"),
        ("process_start_time_seconds 1\n", "process_start_time_seconds 1\n", "nothing by railbird's names"),
        (START, END.replace("1700000000", "1700000060"), "restarted during the run"),
    ],
)
def test_comparison_that_cannot_be_is_empty_and_says_why(start: str | None, end: str | None, sentence: str) -> None:
    scrapes = [Scrape.parse(page) if page is not None else None for page in (start, end)]
    result = compare(scrapes[0], scrapes[1], a_run())
    assert result.counts == []
    (remark,) = result.remarks
    assert sentence in remark


def test_difference_that_we_made_ourselves_is_remarked() -> None:
    totals = a_run()
    assert compare(Scrape.parse(START), Scrape.parse(END), totals).remarks == []
    totals.generator.kernel_drops = 12
    totals.ended["tab_close"] = 5
    remarks = compare(Scrape.parse(START), Scrape.parse(END), totals).remarks
    assert [remark.split()[0] for remark in remarks] == ["12", "5"]


@pytest.mark.parametrize("row", [*comparison._OF_STUDIOS, *comparison._OF_PLAYERS], ids=lambda row: row.name)
def test_every_row_names_metrics_and_labels_of_the_gateway(row: comparison._Row) -> None:
    for name, labels in row.counters:
        assert labels.keys() <= set(FAMILIES[name].labels)


async def test_counters_of_a_real_gateway_are_compared() -> None:
    loopback = HostPort(host="127.0.0.1", port=0)
    gateway = Gateway(Settings(http=loopback, udp=loopback))
    bound = await gateway.start()
    try:
        async with GatewayWatch(metrics_url=f"http://{bound}/metrics") as watch:
            start = await watch.counters()
            gateway.registry.open("a").figures.packets += 1000
            result = compare(start, await watch.counters(), a_run())
            assert (await watch.sample()).rss_bytes is not None
    finally:
        await gateway.stop()
    assert [(each.server, each.client) for each in result.counts if each.name == PACKETS_TO_PLAYERS] == [(1000, 975)]


def test_players_by_hls_are_no_sessions_of_the_gateway() -> None:
    totals = a_run()
    totals.ended.update(run_end=2)
    totals.groups["tvs"] = Group(sessions=3, join_failures=Counter(http_404=1), hls=HlsCounts(requests=40))
    totals.hls["a"] = HlsCounts(requests=40)
    counts = compared(end=END + 'railbird_hls_requests_total{kind="part",state="200"} 41\n', totals=totals)
    assert counts["players' sessions ended"].client == 3
    requests = next(each for name, each in counts.items() if name.startswith("requests of players by LL-HLS"))
    assert (requests.server, requests.client) == (41, 40)


def test_bets_are_compared_with_each_message_that_was_answered() -> None:
    bets = 'railbird_bets_total{{stream="a",state="{}"}} {}\n'
    end = END + bets.format("accepted", 8) + bets.format("late", 1) + bets.format("duplicate", 2)
    totals = a_run()
    assert not any("bets" in name for name in compared(end=end))
    totals.signals["a"] = SignalCounts(bets=9, bets_answered=9, accepted=8, late=1, resends=2)
    answered, accepted = (counts for name, counts in compared(end=end, totals=totals).items() if "bets" in name)
    assert (answered.server, answered.client) == (11, 11)
    assert (accepted.server, accepted.client) == (8, 8)


def test_players_by_signals_alone_are_no_sessions_of_the_gateways() -> None:
    totals = a_run()
    totals.ended["run_end"] = 2
    totals.distributions["signal_join_s"] = Distribution([0.1, 0.1])
    assert compared(totals=totals)["players' sessions ended"].client == 3


def test_players_at_several_edges_are_not_set_beside_the_counters_of_one() -> None:
    totals = a_run()
    totals.joins_at.update({"http://a": 2, "http://b": 2})
    compared_with = compare(Scrape.parse(START), Scrape.parse(END), totals)
    assert {counts.name for counts in compared_with.counts} == {row.name for row in comparison._OF_STUDIOS}
    assert any("at 2 edges" in remark for remark in compared_with.remarks)


def test_players_at_one_edge_are_compared() -> None:
    totals = a_run()
    totals.joins_at.update({"http://a": 2})
    assert PACKETS_TO_PLAYERS in compared(totals=totals)
