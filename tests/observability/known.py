"""What may be asked of Prometheus: metrics with their labels, and the values of labels that are one of a few."""

from prometheus_client import CollectorRegistry, Histogram

from gateway.bets.bet import BetState, Delivery
from gateway.hub.drain import Order
from gateway.metrics import FAMILIES, Histograms
from gateway.node.result import KnobState
from gateway.node.verdict import NodeState
from gateway.rounds.causes import AbortCause
from gateway.rounds.states import RoundState
from node_tuner.watch.families import FAMILIES as OF_WATCH
from qos.measurement import LEGS
from qos.terms import TERMS
from qos.windows import SPANS

OF_THE_CLIENT_LIBRARY = {"process_cpu_seconds_total": set[str](), "process_resident_memory_bytes": set[str]()}
OF_PROMETHEUS = {"instance", "job"}
"""Labels that a scrape adds."""

VALUES: dict[str, set[str]] = {
    "cause": {cause.value for cause in AbortCause},
    "outcome": {RoundState.SETTLED.value, RoundState.ABORTED.value} | {each.value for each in Delivery},
    "state": {each.value for states in (BetState, NodeState, KnobState) for each in states} | {"asked", "granted"},
    "leg": set(LEGS),
    "order": {order.value for order in Order},
    "window": {span.name for span in SPANS},
    "term": {term.name for term in TERMS},
    "protocol": {"webrtc", "hls"},
    "direction": {"receive", "send"},
}
"""What a label may be asked for, where it is one of a few."""

OTHER_CAUSES = {
    "railbird_token_refusals_total",
    "railbird_datagrams_dropped_total",
    "railbird_sessions_ended_total",
    "railbird_sessions_refused_total",
}
"""Metrics whose `cause` is not an abort's."""


def histograms() -> dict[str, Histogram]:
    """Name -> one of the gateway's."""
    return {each._name: each for each in vars(Histograms(CollectorRegistry())).values()}


def labels_of_gateway() -> dict[str, set[str]]:
    """Name as it is scraped of a gateway -> its labels."""
    labels = {name: set(family.labels) for name, family in FAMILIES.items()} | OF_THE_CLIENT_LIBRARY
    for name, histogram in histograms().items():
        of_all = set(histogram._labelnames)
        labels |= {f"{name}_bucket": of_all | {"le"}, f"{name}_count": of_all, f"{name}_sum": of_all}
    return labels


def labels_of_watch() -> dict[str, set[str]]:
    """Likewise of the tuner beside it."""
    return {family.name: set(family.labels) for family in OF_WATCH}
