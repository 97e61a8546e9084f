"""Every metric of `watch`: names, labels, units. Made when they are asked for, from what was found last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from node_tuner.machine.counters import conntrack, softnet, udp_receive_buffer_errors
from node_tuner.machine.roots import Roots
from node_tuner.result import KnobResult, Overall, State, overall

Sample = tuple[str, tuple[str, ...], float]
"""(family's name, label values, value)."""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric."""

    name: str
    kind: Literal["counter", "gauge"]
    labels: tuple[str, ...]
    meaning: str

    def empty(self) -> CounterMetricFamily | GaugeMetricFamily:
        """A family to add samples to."""
        make = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        return make(self.name, self.meaning, labels=self.labels)


FAMILIES = (
    Family("railbird_tuner_knob", "gauge", ("knob", "state"), "1 for the state that a knob of the profile is in."),
    Family("railbird_tuner_overall", "gauge", ("state",), "1 for what all knobs together make of the node."),
    Family(
        "railbird_tuner_verified_timestamp_seconds",
        "gauge",
        (),
        "When all knobs were last read back (Unix time); 0 before the first time.",
    ),
    Family(
        "railbird_tuner_verifications_total",
        "counter",
        ("outcome",),
        "Times that knobs were to be read back: done, or broken off by an error.",
    ),
    Family("railbird_tuner_result_write_failures_total", "counter", (), "Times that the result could not be written."),
    Family(
        "railbird_tuner_cpu_dma_latency_held",
        "gauge",
        (),
        "1 while /dev/cpu_dma_latency is held open; not there where the profile does not want it.",
    ),
    Family(
        "railbird_node_softnet_dropped_total",
        "counter",
        (),
        "Datagrams that a core's backlog had no room for (net.core.netdev_max_backlog), the whole node's.",
    ),
    Family(
        "railbird_node_softnet_squeezed_total",
        "counter",
        (),
        "Times that net.core.netdev_budget was used up before the work was done, the whole node's.",
    ),
    Family(
        "railbird_node_udp_receive_buffer_errors_total",
        "counter",
        ("ip_version",),
        "Datagrams that a full socket of this namespace had no room for.",
    ),
    Family("railbird_node_conntrack_entries", "gauge", (), "Connections that this namespace tracks."),
    Family("railbird_node_conntrack_entries_limit", "gauge", (), "Connections that may be tracked."),
)

DONE, BROKEN_OFF = "done", "broken_off"


@dataclass
class Watched:
    """What `watch` knows so far."""

    knobs: Sequence[KnobResult] = ()
    verified_unix_s: float = 0.0
    verifications: dict[str, int] = field(default_factory=lambda: {DONE: 0, BROKEN_OFF: 0})
    write_failures: int = 0
    is_latency_held: bool | None = None
    """None: the profile does not want it."""


def samples(watched: Watched, roots: Roots) -> Iterator[Sample]:
    """All of them now; the node's own counters are read at once."""
    yield from _of_knobs(watched.knobs)
    yield "railbird_tuner_verified_timestamp_seconds", (), watched.verified_unix_s
    for outcome, count in watched.verifications.items():
        yield "railbird_tuner_verifications_total", (outcome,), count
    yield "railbird_tuner_result_write_failures_total", (), watched.write_failures
    if watched.is_latency_held is not None:
        yield "railbird_tuner_cpu_dma_latency_held", (), float(watched.is_latency_held)
    yield from _of_node(roots)


def _of_knobs(knobs: Sequence[KnobResult]) -> Iterator[Sample]:
    # Two knobs of one name are one series: who shows each twice is not scraped at all.
    found = {(knob.name, knob.state) for knob in knobs}
    for name in dict.fromkeys(knob.name for knob in knobs):
        for state in State:
            yield "railbird_tuner_knob", (name, state.value), float((name, state) in found)
    if knobs:
        for each in Overall:
            yield "railbird_tuner_overall", (each.value,), float(each is overall(knobs))


def _of_node(roots: Roots) -> Iterator[Sample]:
    counted = softnet(roots)
    if counted is not None:
        yield "railbird_node_softnet_dropped_total", (), counted.dropped
        yield "railbird_node_softnet_squeezed_total", (), counted.squeezed
    for ip_version, count in udp_receive_buffer_errors(roots).items():
        yield "railbird_node_udp_receive_buffer_errors_total", (ip_version,), count
    tracked = conntrack(roots)
    if tracked is not None:
        yield "railbird_node_conntrack_entries", (), tracked.entries
        yield "railbird_node_conntrack_entries_limit", (), tracked.most
