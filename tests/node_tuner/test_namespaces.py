"""The fixture that the tests in namespaces stand on."""

import os
import socket
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.node_tuner.namespaces import LINK, in_child, namespace, pair

pytestmark = pytest.mark.netns


def test_namespace_when_left_is_gone() -> None:
    with namespace() as inside:
        assert Path("/run/netns", inside.name).exists()
        assert "lo" in inside.run("ip", "-o", "link")
    assert not Path("/run/netns", inside.name).exists()


def test_namespace_when_the_test_fails_is_gone() -> None:
    with pytest.raises(KeyError), namespace() as inside:
        raise KeyError
    assert not Path("/run/netns", inside.name).exists()


def test_run_of_a_failing_command_says_what_it_said() -> None:
    with namespace() as inside, pytest.raises(AssertionError, match="nothing0"):
        inside.run("ip", "link", "show", "nothing0")


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_pair_carries_both_families(family: str) -> None:
    # Only the other end can refuse; whom nobody hears times out.
    with pair() as joined, pytest.raises(ConnectionRefusedError):
        joined.near.namespace.call(lambda: socket.create_connection((getattr(joined.far, family), 9), timeout=10))


def test_pair_has_the_queues_that_were_asked_for() -> None:
    with pair(queues=3) as joined:
        for end in (joined.near, joined.far):
            queues = end.namespace.call(lambda: sorted(os.listdir(f"/sys/class/net/{LINK}/queues")))  # noqa: PTH208
            assert queues == ["rx-0", "rx-1", "rx-2", "tx-0", "tx-1", "tx-2"]


def test_call_leaves_this_process_where_it_was() -> None:
    before = Path("/proc/self/ns/net").readlink()
    with namespace() as inside:
        assert inside.call(lambda: [name for _, name in socket.if_nameindex()]) != []
        assert inside.call(lambda: Path("/proc/self/ns/net").readlink()) != before
    assert Path("/proc/self/ns/net").readlink() == before


def test_call_that_raises_raises_here() -> None:
    def fail() -> None:
        raise LookupError("not there")

    with namespace() as inside, pytest.raises(LookupError, match="not there"):
        inside.call(fail)


def test_child_that_dies_is_told_from_one_that_answers_nothing() -> None:
    assert in_child(lambda: None) is None
    with pytest.raises(Exception, match="wait status 256"):
        in_child(lambda: os._exit(1))


def test_child_has_one_thread_whatever_libraries_do_anew_after_a_fork() -> None:
    providers = [TracerProvider(shutdown_on_exit=False) for _ in range(8)]
    for provider in providers:
        provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))

    def threads_and_instances() -> tuple[int, list[object]]:
        return len(os.listdir("/proc/self/task")), list(map(_instance, providers))  # noqa: PTH208

    try:
        # Again and again: a thread that has been joined is still there for a moment, now and then.
        children = [in_child(threads_and_instances) for _ in range(100)]
    finally:
        for provider in providers:
            provider.shutdown()
    assert {threads for threads, _ in children} == {1}
    # Who found the new ones were threads, and they were not waited for in vain.
    assert not {str(each) for _, instances in children for each in instances} & set(map(str, map(_instance, providers)))


def _instance(provider: TracerProvider) -> object:
    return provider.resource.attributes["service.instance.id"]
