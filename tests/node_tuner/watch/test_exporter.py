"""Scrapes over HTTP."""

import errno
import os
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from wsgiref import simple_server

import pytest
from prometheus_client.parser import text_string_to_metric_families

from node_tuner.errors import MissingError
from node_tuner.machine.roots import Roots
from node_tuner.result import State
from node_tuner.watch.exporter import Exporter
from node_tuner.watch.families import Watched
from node_tuner.watch.listen import Listen
from tests.node_tuner.namespaces import namespace
from tests.node_tuner.watch.rows import row


@pytest.fixture
def watched() -> Watched:
    return Watched(knobs=(row("net.core.rmem_max"),))


@pytest.fixture
def exporter(watched: Watched) -> Iterator[Exporter]:
    with closing(Exporter(Listen("127.0.0.1", 0), watched, Roots())) as made:
        yield made


def _scrape(exporter: Exporter) -> dict[tuple[str, ...], float]:
    with urllib.request.urlopen(f"http://{exporter.listen}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_exporter_shows_what_was_found_last(exporter: Exporter, watched: Watched) -> None:
    assert _scrape(exporter)["railbird_tuner_knob", "net.core.rmem_max", "tuned"] == 1
    watched.knobs = (row("net.core.rmem_max", State.FOREIGN),)
    scraped = _scrape(exporter)
    assert scraped["railbird_tuner_knob", "net.core.rmem_max", "tuned"] == 0
    assert scraped["railbird_tuner_knob", "net.core.rmem_max", "foreign"] == 1


def test_exporter_has_only_metrics_of_railbird(exporter: Exporter) -> None:
    assert {
        name for name, *_ in _scrape(exporter) if not name.startswith(("railbird_tuner_", "railbird_node_"))
    } == set()


def test_exporter_whose_port_is_taken_says_where() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = Listen(*taken.getsockname())
        with pytest.raises(MissingError, match=str(listen)):
            Exporter(listen, Watched(), Roots())


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_exporter_everywhere_listens_to_both_families(watched: Watched, host: str) -> None:
    with closing(Exporter(Listen("::", 0), watched, Roots())) as exporter:
        socket.create_connection((host, exporter.listen.port), timeout=10).close()


@pytest.mark.netns
@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("is_v6only", ["0", "1"])
def test_exporter_everywhere_listens_to_both_families_whatever_the_node_is_set_to(is_v6only: str) -> None:
    def connect() -> None:
        Path("/proc/sys/net/ipv6/bindv6only").write_text(is_v6only)
        with closing(Exporter(Listen("::", 0), Watched(), Roots())) as exporter:
            for host in ("127.0.0.1", "::1"):
                socket.create_connection((host, exporter.listen.port), timeout=10).close()

    with namespace() as node:
        node.call(connect)


def _start_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    def make_server(host: str, *arguments: Any) -> Any:
        if ":" in host:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        return simple_server.make_server(host, *arguments)

    monkeypatch.setattr("node_tuner.watch.exporter.make_server", make_server)


def test_exporter_everywhere_is_served_by_ipv4_where_there_is_no_other(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    _start_without_ipv6(monkeypatch)
    with closing(Exporter(Listen("::", 0), watched, Roots())) as exporter:
        assert exporter.listen.host == "0.0.0.0"
        assert _scrape(exporter)["railbird_tuner_knob", "net.core.rmem_max", "tuned"] == 1


def test_exporter_of_one_ipv6_address_needs_ipv6(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    _start_without_ipv6(monkeypatch)
    with pytest.raises(MissingError, match=r"metrics cannot be served at \[::1\]:0"):
        Exporter(Listen("::1", 0), watched, Roots())


def test_exporter_that_is_closed_gives_its_port_back(watched: Watched) -> None:
    exporter = Exporter(Listen("127.0.0.1", 0), watched, Roots())
    exporter.close()
    socket.create_server((exporter.listen.host, exporter.listen.port)).close()
