"""Pages of servers, parsed as far as they matter."""

import random

import pytest
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from loadgen.target.scrape import CPU_SECONDS, RSS_BYTES, START_TIME, Scrape

PAGE = """\
# HELP railbird_packets_total RTP packets received (ingest) or sent (egress).
# TYPE railbird_packets_total counter
railbird_packets_total{stream="table-1",leg="ingest"} 100.0
railbird_packets_total{stream="table-1",leg="egress"} 3e+04
railbird_packets_total{stream="table-2",leg="egress"} 7.0
# TYPE railbird_sessions_ended_total counter
railbird_sessions_ended_total{leg="egress",cause="goodbye"} 4.0
railbird_sessions_ended_total{leg="ingest",cause="goodbye"} 1.0
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 12.5
# TYPE process_max_fds gauge
process_max_fds NaN
# TYPE other gauge
other{this is broken
"""


def test_total_is_of_the_labels_and_streams_that_were_asked_for() -> None:
    scrape = Scrape.parse(PAGE)
    assert scrape.total("railbird_packets_total", {"leg": "egress"}, {"table-1"}) == 30_000
    assert scrape.total("railbird_packets_total", {"leg": "egress"}, {"table-1", "table-2"}) == 30_007
    assert scrape.total("railbird_packets_total", {}, {"table-1"}) == 30_100


def test_total_without_a_stream_label_is_of_all_streams() -> None:
    assert Scrape.parse(PAGE).total("railbird_sessions_ended_total", {"leg": "egress"}, {"table-1"}) == 4


def test_total_of_what_is_not_there_is_zero() -> None:
    assert Scrape.parse(PAGE).total("railbird_bytes_total", {}, {"table-1"}) == 0


def test_value_of_what_is_not_there_or_no_number_is_none() -> None:
    scrape = Scrape.parse(PAGE)
    assert scrape.value(CPU_SECONDS) == 12.5
    assert scrape.value(RSS_BYTES) is None
    assert scrape.value("process_max_fds") is None


def test_other_servers_do_not_know_railbirds_names() -> None:
    assert Scrape.parse(PAGE).knows_railbird
    assert not Scrape.parse("process_cpu_seconds_total 1\n").knows_railbird
    assert not Scrape.parse("").knows_railbird


def test_page_of_prometheus_own_client_is_read() -> None:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    scrape = Scrape.parse(generate_latest(registry).decode())
    for name in (CPU_SECONDS, RSS_BYTES, START_TIME):
        assert (scrape.value(name) or 0) > 0


@pytest.mark.parametrize(
    "line",
    [
        "process_cpu_seconds_total",
        "process_cpu_seconds_total{",
        'process_x{a="b} 1',
        'process_x{a="b", ="c"} 1',
        "process_x one",
    ],
)
def test_line_that_is_broken_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Scrape.parse(line)


def test_garbled_page_raises_nothing_but_value_errors() -> None:
    source = random.Random(11)
    for _ in range(2_000):
        garbled = list(PAGE)
        for _ in range(source.randrange(1, 12)):
            garbled[source.randrange(len(garbled))] = source.choice('{}="\\\n #,x0')
        try:
            Scrape.parse("".join(garbled))
        except ValueError:
            continue
