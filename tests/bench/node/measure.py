"""The course of the part about the node: windows by turns, then bursts."""

import os
from dataclasses import asdict, dataclass
from functools import partial

from loadgen.run import machine
from node_tuner.errors import UnavailableError
from tests.bench.node.burst import LIMITS_BYTES, STALLS_S, Burst, rmem_max, stand_still
from tests.bench.node.results import NodeResults, costs
from tests.bench.node.sending import PLAYERS_NET, Site, Window, measure_round
from tests.bench.node.variants import UNTRACKED
from tests.bench.placement import Cores
from tests.bench.progress import say
from tests.conftest import lacking_netns, lacking_nft
from tests.node_tuner.namespaces import Pair, pair

NEEDS = "The node's part is left out: it needs root, network namespaces and nft(8)"


@dataclass(frozen=True, slots=True)
class NodePlan:
    """What to measure."""

    rounds: int
    """Of all loads with all variants."""
    window_s: float


DEFAULT_PLAN = NodePlan(16, 0.06)
QUICK_PLAN = NodePlan(2, 0.02)


def measure_node(plan: NodePlan, cores: Cores) -> NodeResults:
    """All of it, within a minute; nothing but a sentence where this account may not make namespaces."""
    results = NodeResults(machine.describe(), asdict(plan), load_average=os.getloadavg()[0])
    lacking = lacking_netns() or lacking_nft()
    if lacking:
        results.without.append(f"{NEEDS} ({lacking}).")
        return results
    with pair() as both:
        both.far.namespace.run("ip", "route", "add", "local", PLAYERS_NET, "dev", "lo")
        results.costs.extend(costs(_rounds(plan, both, cores.gateway), UNTRACKED))
        try:
            results.bursts.extend(_bursts(both))
        except UnavailableError as error:
            results.without.append(f"Bursts are left out, as net.core.rmem_max cannot be set here: {error}.")
    return results


def _rounds(plan: NodePlan, both: Pair, core: int) -> list[list[Window]]:
    say(f"the node's kernel: {plan.rounds} rounds")
    return [
        both.near.namespace.call(partial(measure_round, _site(both), core, plan.window_s, bool(turn % 2)))
        for turn in range(plan.rounds)
    ]


def _bursts(both: Pair) -> list[Burst]:
    say("bursts into a socket whose reader stands still")
    bursts = []
    for limit_bytes in LIMITS_BYTES:
        with rmem_max(limit_bytes):
            for stall_s in STALLS_S:
                bursts.append(both.near.namespace.call(partial(stand_still, _site(both), limit_bytes, stall_s)))
    return bursts


def _site(both: Pair) -> Site:
    return Site(both.near.namespace.name, both.near.ipv4, both.far.namespace.name, both.near.interface)
