"""Scrapes over HTTP."""

import errno
import os
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from threading import Thread
from wsgiref.simple_server import WSGIServer

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from node_tuner.errors import MissingError
from node_tuner.machine.roots import Roots
from node_tuner.result import State
from node_tuner.watch.exporter import Exporter
from node_tuner.watch.families import Watched
from node_tuner.watch.listen import Listen
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


def _start_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    def start_http_server(port: int, addr: str, registry: CollectorRegistry) -> tuple[WSGIServer, Thread]:
        if ":" in addr:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        return prometheus_client.start_http_server(port, addr, registry)

    monkeypatch.setattr("node_tuner.watch.exporter.start_http_server", start_http_server)


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
