"""The part itself, as short as it can be, in real namespaces."""

from pathlib import Path

import pytest

from node_tuner.controls.sysctl import Sysctl
from node_tuner.errors import UnavailableError
from node_tuner.machine.roots import Roots
from tests.bench.node import measure
from tests.bench.node.burst import LIMITS_BYTES, RMEM_MAX, TUNED_BYTES, rmem_max
from tests.bench.node.measure import NodePlan, measure_node
from tests.bench.node.sending import LOADS, OUT_MANY
from tests.bench.node.variants import BYPASSED, TRACKED, UNTRACKED, VARIANTS
from tests.bench.placement import Cores
from tests.node_tuner.host_sysctls import kept

PLAN = NodePlan(1, 0.01)


def _now() -> str:
    return Path("/proc/sys/net/core/rmem_max").read_text()


@pytest.mark.netns
@pytest.mark.nft
def test_measure_node_has_every_load_with_every_variant_and_puts_all_back() -> None:
    with kept(RMEM_MAX):
        before = _now()
        results = measure_node(PLAN, Cores.available())
        assert _now() == before
    assert results.without == []
    found = {(each.load, each.variant): each for each in results.costs}
    assert set(found) == {(load, variant.name) for load in LOADS for variant in VARIANTS}
    assert all(each.cpu_ns > 0 and each.packets_a_second > 0 for each in results.costs)
    assert {each.ratio for each in results.costs if each.variant == UNTRACKED} == {1.0}
    assert found[OUT_MANY, TRACKED].tracked > 1_000
    assert max(each.tracked for each in results.costs if each.variant == BYPASSED) == 0
    lost = {
        limit: sum(each.dropped for each in results.bursts if each.rmem_max_bytes == limit) for limit in LIMITS_BYTES
    }
    assert lost[TUNED_BYTES] == 0
    assert lost[LIMITS_BYTES[0]] > lost[LIMITS_BYTES[1]] > 0


def test_measure_node_without_namespaces_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "lacking_netns", lambda: "no network namespaces: none for this account")
    results = measure_node(PLAN, Cores.available())
    assert (results.costs, results.bursts) == ([], [])
    assert results.without == [f"{measure.NEEDS} (no network namespaces: none for this account)."]


@pytest.mark.netns
def test_rmem_max_is_put_back_though_the_bench_breaks_off() -> None:
    def broken_off() -> None:
        with rmem_max(LIMITS_BYTES[0]):
            assert _now() == f"{LIMITS_BYTES[0]}\n"
            raise KeyboardInterrupt

    with kept(RMEM_MAX):
        before = _now()
        with pytest.raises(KeyboardInterrupt):
            broken_off()
        assert _now() == before


def test_rmem_max_that_cannot_be_set_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sysctl, "obstacle", lambda _self: "needs CAP_NET_ADMIN")
    before = Sysctl(RMEM_MAX, Roots()).read()
    with pytest.raises(UnavailableError, match="CAP_NET_ADMIN"), rmem_max(1):
        pass
    assert Sysctl(RMEM_MAX, Roots()).read() == before
