"""What Prometheus gets from the load generator, over HTTP."""

import socket
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from gateway.metrics import FAMILIES
from loadgen.distribution import Distribution
from loadgen.errors import ScenarioError
from loadgen.exporter import OWN_FAMILIES, Exporter
from loadgen.figures import HlsCounts, Interval, MediaCounts, StudioCounts
from loadgen.result import Totals
from tests.loadgen.results import MadeUpRun


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    exporter = Exporter("127.0.0.1", 0)
    yield exporter
    exporter.close()


def scraped(exporter: Exporter) -> list[Sample]:
    with urlopen(f"http://127.0.0.1:{exporter.port}/metrics") as response:
        page = response.read().decode()
    return [sample for family in text_string_to_metric_families(page) for sample in family.samples]


def value(samples: list[Sample], name: str, **labels: str) -> float:
    """Of the only sample with that name and those labels."""
    (found,) = [each for each in samples if each.name == name and labels.items() <= each.labels.items()]
    return found.value


def a_run() -> Totals:
    totals = Totals()
    totals.media["table-1"] = MediaCounts(packets=98, recovered=3, lost=5, retransmissions=4, frames_undecodable=7)
    totals.studios["table-1"] = StudioCounts(packets=20, frames=9)
    totals.ended["goodbye"] = 2
    totals.join_failures["http_503"] = 1
    totals.distributions["join_s"] = Distribution([0.03, 0.2, 20.0])
    return totals


def test_scrape_before_the_first_interval_is_empty(exporter: Exporter) -> None:
    assert scraped(exporter) == []


def test_every_sample_plays_the_load_generators_role(exporter: Exporter) -> None:
    exporter.update(Interval(1.0, 1.0), a_run())
    samples = scraped(exporter)
    assert samples
    assert {sample.labels["role"] for sample in samples} == {"loadgen"}


def test_leg_is_named_as_the_gateway_names_it(exporter: Exporter) -> None:
    exporter.update(Interval(1.0, 1.0, viewers=3, joining=2), a_run())
    samples = scraped(exporter)
    assert value(samples, "railbird_packets_total", stream="table-1", leg="ingest") == 20
    assert value(samples, "railbird_packets_lost_total", stream="table-1", leg="egress") == 5
    assert value(samples, "railbird_frames_dropped_total", leg="player", reason="undecodable") == 7
    assert value(samples, "railbird_sessions_ended_total", leg="egress", cause="goodbye") == 2
    assert value(samples, "railbird_sessions_refused_total", leg="egress", cause="http_503") == 1
    assert value(samples, "railbird_sessions", leg="egress") == 5
    assert value(samples, "railbird_viewers", protocol="webrtc") == 3


def test_packets_leave_out_retransmissions_as_the_gateways_do(exporter: Exporter) -> None:
    exporter.update(Interval(1.0, 1.0), a_run())
    samples = scraped(exporter)
    assert value(samples, "railbird_packets_total", leg="egress") == 95
    assert value(samples, "railbird_retransmissions_total") == 4


def test_samples_have_the_labels_of_their_family(exporter: Exporter) -> None:
    exporter.update(Interval(1.0, 1.0), a_run())
    families = FAMILIES | OWN_FAMILIES
    counted = [sample for sample in scraped(exporter) if sample.name in families]
    assert counted
    for sample in counted:
        assert sample.labels.keys() == {"role", *families[sample.name].labels}


def test_histogram_has_the_gateways_buckets(exporter: Exporter) -> None:
    exporter.update(Interval(1.0, 1.0), a_run())
    samples = scraped(exporter)
    assert value(samples, "railbird_join_seconds_bucket", le="0.025") == 0
    assert value(samples, "railbird_join_seconds_bucket", le="0.05") == 1
    assert value(samples, "railbird_join_seconds_bucket", le="10.0") == 2
    assert value(samples, "railbird_join_seconds_bucket", le="+Inf") == 3
    assert value(samples, "railbird_join_seconds_sum", protocol="webrtc") == pytest.approx(20.23)


def test_next_interval_replaces_the_last(exporter: Exporter) -> None:
    exporter.update(Interval(1.0, 1.0, viewers=3), Totals())
    exporter.update(Interval(2.0, 1.0, viewers=4), Totals())
    assert value(scraped(exporter), "railbird_viewers") == 4


def test_port_that_is_taken_is_refused_by_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ScenarioError, match=f"127.0.0.1:{port}"):
            Exporter("127.0.0.1", port)


def test_port_that_is_none_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"127\.0\.0\.1:70000"):
        Exporter("127.0.0.1", 70_000)


def test_players_by_hls_have_metrics_of_their_own(exporter: Exporter) -> None:
    totals = a_run()
    totals.hls["table-1"] = HlsCounts(parts=70, stalls=2)
    totals.hls_failures["http_503"] = 3
    totals.broken_rules["part_too_long"] = 4
    totals.distributions["hls_latency_s"] = Distribution([0.8, 0.9])
    exporter.update(Interval(1.0, 1.0, viewers=5, hls_viewers=2), totals)
    samples = scraped(exporter)
    assert value(samples, "railbird_viewers", protocol="webrtc") == 3
    assert value(samples, "railbird_viewers", protocol="hls") == 2
    assert value(samples, "railbird_sessions", leg="egress") == 3
    assert value(samples, "railbird_loadgen_hls_parts_total", stream="table-1") == 70
    assert value(samples, "railbird_loadgen_hls_stalls_total", stream="table-1") == 2
    assert value(samples, "railbird_loadgen_hls_failures_total", cause="http_503") == 3
    assert value(samples, "railbird_loadgen_hls_broken_rules_total", rule="part_too_long") == 4
    assert value(samples, "railbird_loadgen_hls_latency_seconds_bucket", le="0.75") == 0
    assert value(samples, "railbird_loadgen_hls_latency_seconds_bucket", le="1.0") == 2


def test_bets_and_rounds_are_named_as_the_gateway_names_them(exporter: Exporter) -> None:
    result = MadeUpRun(betting=10).result()
    exporter.update(result.intervals[-1], result.totals)
    samples = scraped(exporter)
    assert value(samples, "railbird_bets_total", stream="table-1", state="accepted") == 540
    assert value(samples, "railbird_bets_total", stream="table-1", state="late") == 60
    assert value(samples, "railbird_rounds_total", stream="table-1", outcome="settled") == 3
    assert value(samples, "railbird_round_aborts_total", cause="ingest_loss") == 1
    assert value(samples, "railbird_bet_signal_rtt_seconds_count") == 600
    assert value(samples, "railbird_loadgen_bets_total") == 600
    assert value(samples, "railbird_loadgen_bets_unanswered_total") == 1
    assert value(samples, "railbird_loadgen_bet_rtt_seconds_count") == 600
    assert value(samples, "railbird_loadgen_signal_broken_rules_total", rule="two_answers") == 1
    assert value(samples, "railbird_loadgen_signal_failures_total", cause="http_503") == 1
    assert value(samples, "railbird_loadgen_round_failures_total", cause="http_404") == 1


def test_players_by_signals_alone_are_no_viewers(exporter: Exporter) -> None:
    exporter.update(Interval(1.0, 1.0, viewers=9, hls_viewers=2, signal_players=4), a_run())
    assert value(scraped(exporter), "railbird_viewers", protocol="webrtc") == 3


def test_moves_are_told_by_stream_and_by_cause(exporter: Exporter) -> None:
    totals = a_run()
    totals.moved["table-1"] = 3
    totals.moves_refused["not_permitted"] = 2
    totals.distributions["move_s"] = Distribution([0.25, 1.5])
    exporter.update(Interval(1.0, 1.0), totals)
    samples = scraped(exporter)
    assert value(samples, "railbird_loadgen_moved_total", stream="table-1") == 3
    assert value(samples, "railbird_loadgen_moves_refused_total", cause="not_permitted") == 2
    assert value(samples, "railbird_loadgen_move_seconds_bucket", le="1.0") == 1
