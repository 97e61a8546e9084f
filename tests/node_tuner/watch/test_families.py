"""Samples of what was found, and of the node's own counters."""

from pathlib import Path

import pytest

from node_tuner.machine.roots import Roots
from node_tuner.result import State
from node_tuner.watch.families import FAMILIES, Watched, samples
from tests.node_tuner.watch.rows import row

NOTHING = Roots(proc=Path("/nowhere"))


def _all(watched: Watched, roots: Roots = NOTHING) -> dict[tuple[str, tuple[str, ...]], float]:
    found = [((name, labels), value) for name, labels, value in samples(watched, roots)]
    assert len(dict(found)) == len(found), "a series comes twice: nothing at all is scraped then"
    return dict(found)


def test_samples_before_the_first_verification_say_nothing_of_knobs() -> None:
    found = _all(Watched())
    assert not [name for name, _ in found if name in ("railbird_tuner_knob", "railbird_tuner_overall")]
    assert found["railbird_tuner_verified_timestamp_seconds", ()] == 0


def test_samples_show_each_knob_in_one_state() -> None:
    found = _all(Watched(knobs=(row("a"), row("b", State.FOREIGN, required=False))))
    knobs = {labels for (name, labels), value in found.items() if name == "railbird_tuner_knob" and value}
    assert knobs == {("a", "tuned"), ("b", "foreign")}
    overall = {labels[0]: value for (name, labels), value in found.items() if name == "railbird_tuner_overall"}
    assert overall == {"tuned": 0, "degraded": 1, "failed": 0}


def test_samples_of_two_knobs_of_one_name_are_one_series_each_state() -> None:
    found = _all(Watched(knobs=(row("a"), row("a", State.FAILED))))
    assert (found["railbird_tuner_knob", ("a", "tuned")], found["railbird_tuner_knob", ("a", "failed")]) == (1, 1)


@pytest.mark.parametrize(("is_held", "shown"), [(None, None), (True, 1.0), (False, 0.0)])
def test_samples_show_the_latency_where_it_is_wanted(is_held: bool | None, shown: float | None) -> None:
    found = _all(Watched(is_latency_held=is_held))
    assert found.get(("railbird_tuner_cpu_dma_latency_held", ())) == shown


def test_samples_have_the_nodes_counters(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "sys/net/netfilter").mkdir(parents=True)
    (tmp_path / "net/softnet_stat").write_text("0a 0b 0c\n")
    (tmp_path / "net/snmp").write_text("Udp: InErrors RcvbufErrors\nUdp: 1 2\n")
    (tmp_path / "sys/net/netfilter/nf_conntrack_count").write_text("3\n")
    (tmp_path / "sys/net/netfilter/nf_conntrack_max").write_text("4\n")
    found = _all(Watched(), Roots(proc=tmp_path))
    node = {(name, *labels): value for (name, labels), value in found.items() if name.startswith("railbird_node_")}
    assert node == {
        ("railbird_node_softnet_dropped_total",): 11,
        ("railbird_node_softnet_squeezed_total",): 12,
        ("railbird_node_udp_receive_buffer_errors_total", "4"): 2,
        ("railbird_node_conntrack_entries",): 3,
        ("railbird_node_conntrack_entries_limit",): 4,
    }


def test_samples_are_all_of_a_family_with_as_many_labels() -> None:
    labels = {family.name: len(family.labels) for family in FAMILIES}
    found = _all(Watched(knobs=(row("a"),), is_latency_held=True), Roots())
    assert {name: len(values) for name, values in found} == {name: labels[name] for name, _ in found}
