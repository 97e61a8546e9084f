"""Marks on the wire: a gateway without any privilege, players and a studio at the other end of a veth, and every packet
that arrives there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.e2e.gateway_process import Metrics
from tests.e2e.wire_traffic import SOMEBODY, Traffic, asked, captured, unprivileged_gateway, url_of
from tests.loadgen.e2e.command import Loadgen
from tests.loadgen.e2e.scenarios import players, scenario
from tests.node_tuner.namespaces import Pair, pair
from tests.node_tuner.wire import offload
from tests.node_tuner.wire_packet import Checksum

pytestmark = pytest.mark.netns

OF_MEDIA: Final = ("audio", "video", "retransmission", "dtls", "rtcp", "stun")
OFF: Final = dict.fromkeys((*OF_MEDIA, "websocket", "http"), 0)
ON: Final = OFF | {"audio": 46, "video": 34, "retransmission": 36, "dtls": 18, "rtcp": 34, "stun": 34, "websocket": 18}
"""The defaults of railbird.example.yml; HTTP stays unmarked."""

_SOURCE: Final = {"size": "320x180", "bitrate": "2Mbps", "keyframe_interval": "1s"}
SCENARIO: Final = scenario(
    "7s",
    players(4, impairment={"loss": "5%"}, arrival={"at": "2s"}, signals={}),
    players(1, "television", protocol="none", signals={}),
    studios=({"name": "table-1", "source": _SOURCE},),
)
"""Players lose some, and ask for it again; their signals come by data channel, one player's by WebSocket."""


FAMILIES: Final = {"ipv4": 4, "ipv6": 6}
"""Attribute of an end of a pair, and the version in its packets."""


class Run(NamedTuple):
    """What arrived, the gateway's figures, and what /readyz said."""

    traffic: Traffic
    metrics: Metrics
    ready: list[str]


@pytest.fixture
def joined() -> Iterator[Pair]:
    """What leaves the near end is cut there, as for a network card that cannot: each datagram is seen by itself."""
    with _joined() as made:
        yield made


@contextlib.contextmanager
def _joined() -> Iterator[Pair]:
    with pair() as made:
        offload(made.near, segmentation=False)
        yield made


def assert_is_unprivileged(pid: int) -> None:
    status = Path(f"/proc/{pid}/status").read_text()
    assert f"Uid:\t{SOMEBODY}\t" in status
    assert f"CapEff:\t{0:016x}\n" in status


async def _by_family(directory: Path, settings: Mapping[str, str]) -> dict[str, Run]:
    """Two runs side by side, each in namespaces of its own."""

    async def run(family: str, joined: Pair) -> Run:
        own = directory / family
        own.mkdir()
        return await _run(joined, getattr(joined.near, family), own, settings)

    with contextlib.ExitStack() as stack:
        pairs = {family: stack.enter_context(_joined()) for family in FAMILIES}
        async with asyncio.TaskGroup() as group:
            runs = {family: group.create_task(run(family, joined)) for family, joined in pairs.items()}
    return {family: each.result() for family, each in runs.items()}


async def _run(joined: Pair, host: str, directory: Path, settings: Mapping[str, str]) -> Run:
    within = ("ip", "netns", "exec", joined.far.namespace.name)
    async with unprivileged_gateway(joined, host, directory, settings) as gateway:
        assert_is_unprivileged(gateway.pid)
        with captured(joined) as seen:
            async with Loadgen(directory, SCENARIO, url_of(host), within=within) as loadgen:
                await loadgen.finished()
            traffic = await asyncio.to_thread(seen)
        metrics = await asyncio.to_thread(asked, joined, host, "/metrics")
        ready = await asyncio.to_thread(asked, joined, host, "/readyz")
    return Run(traffic, Metrics(metrics), ready.splitlines())


async def test_each_class_has_its_mark_on_the_wire(tmp_path: Path, measured: Callable[[str], None]) -> None:
    for family, run in (await _by_family(tmp_path, {"DSCP__ENABLED": "true"})).items():
        sends = _assert_is_marked(run, FAMILIES[family])
        counts = ", ".join(f"{len(run.traffic.of(kind))} {kind}" for kind in ON)
        measured(f"{family}: {counts}; {sends:.2f} packets a send")


def _assert_is_marked(run: Run, version: int) -> float:
    """By default's codepoints. Packets a send."""
    traffic, metrics, ready = run
    assert traffic.marks == {kind: {dscp} for kind, dscp in ON.items()}
    assert {each.ecn for kind in OF_MEDIA for each in traffic.of(kind)} == {0}
    assert Checksum.WRONG not in {each.checksum for each in traffic.packets}
    assert {each.version for each in traffic.packets} == {version}
    # They were runs when they left the gateway.
    packets, sends = metrics.value("railbird_packets_total", leg="egress"), metrics.value("railbird_sends_total")
    assert metrics.value("railbird_gso_enabled") == 1
    assert packets > 1.5 * sends
    assert metrics.by_label("railbird_dscp", "class") == {
        "bet_signals": 18,
        "audio": 46,
        "video": 34,
        "retransmission": 36,
    }
    assert ready[-1] == "dscp: bet_signals 18, audio 46, video 34, retransmission 36"
    return packets / sends


async def test_nothing_is_marked_by_default(tmp_path: Path) -> None:
    for traffic, metrics, ready in (await _by_family(tmp_path, {})).values():
        assert traffic.marks == {kind: {dscp} for kind, dscp in OFF.items()}
        assert metrics.by_label("railbird_dscp", "class") == {}
        assert ready[-1] == "dscp: off"


async def test_marks_are_those_that_the_operator_chose(joined: Pair, tmp_path: Path) -> None:
    """Out of a card that adds no checksums, either: the kernel then does."""
    offload(joined.near, checksum=False)
    chosen = {"BET_SIGNALS": "CS5", "AUDIO": "VA", "VIDEO": "AF31", "RETRANSMISSION": "DF"}
    settings = {"DSCP__ENABLED": "true", **{f"DSCP__{name}": dscp for name, dscp in chosen.items()}}
    traffic, _, _ = await _run(joined, joined.near.ipv4, tmp_path, settings)
    expected = OFF | {"audio": 44, "video": 26, "rtcp": 26, "stun": 26, "dtls": 40, "websocket": 40}
    assert traffic.marks == {kind: {dscp} for kind, dscp in expected.items()}
    assert {each.checksum for each in traffic.packets} == {Checksum.RIGHT}
