"""The pod as the manifests have it: `tune` first, then the gateway, by what the DaemonSet says of them.

The tuner's profile is the test's own: the shipped one requires knobs of the whole host, which a namespace cannot have.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.auth.issuer import Issuer
from tests.container.containers import Container, Launch, pod, run, running
from tests.container.kubelet import Kubelet
from tests.container.node import MORE_THAN_ANY_HOST_HAS, Node
from tests.daemonset.pods import gateway
from tests.daemonset.rendering import DAEMONSET, together
from tests.e2e.waiting import until
from tests.image.podman import BUILD_LIMIT_S
from tests.node_tuner.media_profile import write_profile

pytestmark = [
    pytest.mark.podman,
    pytest.mark.netns,
    pytest.mark.nft,
    pytest.mark.kubectl,
    pytest.mark.timeout(BUILD_LIMIT_S),
]

GRACE_S = 30
WATCHED_WITHIN_S = 50.0


def kubelet(node: Node, profile: Path, *components: str) -> Kubelet:
    """For the base with these components."""
    objects = together(DAEMONSET / "base", tuple(DAEMONSET / "components" / each for each in components))
    files = {"profile.yml": profile.read_text(), "keys.json": Issuer().key_set.decode()}
    return Kubelet(node, objects, files)


def pre_stop(starts: Kubelet) -> list[str]:
    """What kubelet runs in the gateway's container before SIGTERM."""
    spec = gateway(starts.objects).container("gateway").spec
    return [str(each) for each in spec["lifecycle"]["preStop"]["exec"]["command"]]


def is_started(container: Container) -> bool:
    return bool(container.state["Status"] != "created")


def test_gateway_starts_when_the_node_is_tuned_and_drains_before_it_ends(
    node: Node, measured: Callable[[str], None]
) -> None:
    starts = kubelet(node, write_profile(node.etc))
    with pod(starts.launch("tune"), starts.launch("gateway")) as made:
        started = made.start()
        assert started.status == 0, str(started)
        ready = node.until_answered("/readyz", 200)
        assert ready.lines[1].startswith("node: tuned: profile namespace, written ")
        assert node.answer("/hls/demo/index.m3u8").status == 401  # by the keys of the Secret
        measured(" | ".join(ready.lines))

        drained = made.main.exec(*pre_stop(starts))
        assert drained.status == 0, str(drained)
        assert node.answer("/readyz").lines[0] == "drained"
        status, took_s = made.main.stop(GRACE_S)
        assert status == 0, made.main.log()
        measured(f"ended {took_s:.1f} s after SIGTERM")


def test_gateway_never_starts_where_a_required_knob_is_refused(node: Node) -> None:
    profile = write_profile(node.etc, rmem_max=MORE_THAN_ANY_HOST_HAS, rmem_max_required=True)
    starts = kubelet(node, profile)
    before = node.look()
    with pod(starts.launch("tune"), starts.launch("gateway")) as made:
        started = made.start()
        assert started.status != 0
        assert made.init.state["ExitCode"] == 1
        assert "net.core.rmem_max" in made.init.log()
        assert not is_started(made.main)
    assert node.look() == before


def test_least_privileged_tuner_makes_the_node_fit(node: Node, measured: Callable[[str], None]) -> None:
    """By one capability, and one directory of the node's; what needs more is optional, and said."""
    starts = kubelet(node, write_profile(node.etc), "tuner")
    tune = starts.launch("tune")
    assert "--privileged" not in tune.flags
    before = node.look()
    with pod(tune, starts.launch("gateway")) as made:
        started = made.start()
        assert started.status == 0, made.init.log()
        ready = node.until_answered("/readyz", 200)
        assert ready.lines[1].startswith("node: degraded: profile namespace, written ")
        assert [line.split()[1] for line in ready.lines if "skipped" in line] == ["queues.rps:"]
        tables = node.inside.run("nft", "list", "tables").splitlines()
        assert tables == ["table inet railbird_conntrack", "table inet railbird_dscp"]
        measured(" | ".join(ready.lines))
    restored = run(Launch(tune.flags, ("railbird-tuner", "restore", "--sysctl", "/host/proc/sys")))
    assert restored.status == 0, str(restored)
    assert node.look() == before


async def test_watch_takes_a_node_out_that_is_no_longer_as_it_was_tuned(node: Node) -> None:
    """The sidecar has a tenth of a core, and takes a while to begin."""
    starts = kubelet(node, write_profile(node.etc), "watch")
    watch = starts.launch("watch")
    often = Launch(watch.flags, (*watch.command, "--every=1"))
    with pod(starts.launch("tune"), starts.launch("gateway")) as made, contextlib.ExitStack() as stack:
        started = made.start()
        assert started.status == 0, str(started)
        beside = stack.enter_context(running(often))
        await until(lambda: node.result()["command"] == "watch", WATCHED_WITHIN_S)
        assert node.answer("/readyz").status == 200
        node.inside.run("nft", "delete", "table", "inet", "railbird_dscp")
        refused = node.until_answered("/readyz", 503)
        assert [line.split()[1] for line in refused.lines if "failed" in line] == ["dscp.nft:"]
        status, _ = beside.stop(GRACE_S)
        assert status == 0, beside.log()
