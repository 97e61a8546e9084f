"""Names, units and labels of every metric; where the figures come from is the collector's."""

import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from gateway.app import Gateway
from gateway.config import HostPort, Settings
from gateway.metrics import FAMILIES, Family, Histograms

ROOT = Path(__file__).parent.parent
LABELS = {
    "stream",
    "leg",
    "protocol",
    "cause",
    "reason",
    "kind",
    "track",
    "direction",
    "state",
    "carrier",
    "outcome",
} | {
    "window",
    "term",
    "role",
    "knob",
    "class",
    "order",
}
"""None of them names a viewer, a session or an address, of which there is no end."""

SCALED_UNITS = re.compile(r"_(ms|milliseconds|us|minutes|hours|bits|kilobytes|mb|percent)(_|$)")

OF_THE_DESIGN = {
    "railbird_media_rtt_seconds": {"leg"},
    "railbird_frames_dropped_total": {"stream", "leg", "reason"},
    "railbird_viewers": {"stream", "protocol"},
    "railbird_join_seconds": {"protocol"},
    "railbird_first_frame_seconds": {"protocol"},
}


def histograms() -> dict[str, Histogram]:
    """By name."""
    return {histogram._name: histogram for histogram in vars(Histograms(CollectorRegistry())).values()}


def named_labels() -> dict[str, tuple[str, ...]]:
    """The labels of every metric by its name."""
    read_at_scrape = {name: family.labels for name, family in FAMILIES.items()}
    return read_at_scrape | {name: tuple(histogram._labelnames) for name, histogram in histograms().items()}


@pytest.mark.parametrize("name", named_labels())
def test_metric_is_named_by_the_rules(name: str) -> None:
    assert re.fullmatch(r"railbird_[a-z]+(_[a-z]+)*", name)
    assert not SCALED_UNITS.search(name)


@pytest.mark.parametrize("name", named_labels())
def test_labels_are_bounded(name: str) -> None:
    assert set(named_labels()[name]) <= LABELS


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_family_ends_in_total_exactly_where_it_counts(family: Family) -> None:
    assert family.name.endswith("_total") is (family.kind == "counter")


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_family_has_a_meaning_and_its_type(family: Family) -> None:
    made = family.empty()
    assert isinstance(made, CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily)
    assert made.name == family.name.removesuffix("_total")
    assert made.documentation == family.meaning
    assert family.meaning.endswith(".")
    made.add_metric(family.labels, 1.0)
    assert made.samples[0].labels == {label: label for label in family.labels}


def test_families_are_made_anew_for_each_scrape() -> None:
    family = FAMILIES["railbird_ready"]
    family.empty().add_metric((), 1.0)
    assert family.empty().samples == []


def test_histograms_are_in_seconds_with_rising_buckets() -> None:
    for name, histogram in histograms().items():
        assert name.endswith("_seconds")
        assert histogram._upper_bounds == sorted(set(histogram._upper_bounds))
        assert histogram._upper_bounds[0] > 0


def test_round_trips_are_told_apart_from_a_millisecond_on() -> None:
    assert histograms()["railbird_media_rtt_seconds"]._upper_bounds[0] == 0.001


@pytest.mark.parametrize("name", OF_THE_DESIGN)
def test_metric_that_dashboards_are_built_on_has_its_labels(name: str) -> None:
    assert set(named_labels()[name]) == OF_THE_DESIGN[name]


def _mentioned() -> Iterator[tuple[str, str]]:
    for path in (ROOT / "README.md", ROOT / "ARCHITECTURE.md"):
        if path.exists():
            text = path.read_text(encoding="utf-8")
            yield from ((path.name, name) for name in re.findall(r"\brailbird_[a-z_]+[a-z]\b(?!\.|/)", text))


def test_documents_mention_only_metrics_that_there_are() -> None:
    assert [mention for mention in _mentioned() if mention[1] not in named_labels()] == []


async def _scraped(gateway: Gateway) -> dict[str, Metric]:
    bound = await gateway.start()
    async with aiohttp.ClientSession() as client, client.get(f"http://{bound}/metrics") as response:
        text = await response.text()
    await gateway.stop()
    return {metric.name: metric for metric in text_string_to_metric_families(text)}


async def test_scrape_of_a_fresh_gateway_has_every_metric() -> None:
    loopback = HostPort(host="127.0.0.1", port=0)
    scraped = await _scraped(Gateway(Settings(http=loopback, udp=loopback)))
    for name, family in FAMILIES.items():
        metric = scraped[name.removesuffix("_total")]
        assert (metric.type, metric.documentation) == (family.kind, family.meaning)
    assert {scraped[name].type for name in histograms()} == {"histogram"}
    assert {"process_cpu_seconds", "process_resident_memory_bytes", "python_info"} <= set(scraped)


async def test_scrape_of_a_fresh_gateway_says_that_it_is_ready_and_empty() -> None:
    loopback = HostPort(host="127.0.0.1", port=0)
    scraped = await _scraped(Gateway(Settings(http=loopback, udp=loopback)))
    assert [sample.value for sample in scraped["railbird_ready"].samples] == [1.0]
    assert {sample.value for sample in scraped["railbird_sessions"].samples} == {0.0}
    assert scraped["railbird_viewers"].samples == []
