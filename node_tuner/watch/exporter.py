"""/metrics of `watch`."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import Metric
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import Collector

from node_tuner.errors import MissingError
from node_tuner.machine.roots import Roots
from node_tuner.watch.families import FAMILIES, Watched, samples
from node_tuner.watch.listen import Listen

log = structlog.get_logger()

_EVERYWHERE, _EVERYWHERE_BY_IPV4 = "::", "0.0.0.0"


class Exporter:
    """Serves what `watched` says at the time of the scrape."""

    def __init__(self, listen: Listen, watched: Watched, roots: Roots) -> None:
        """MissingError where the address cannot be had."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Metrics(watched, roots))
        try:
            self._server, self._thread = _serve(listen, registry)
        except OSError as error:
            raise MissingError(f"metrics cannot be served at {listen}: {error}") from error
        self.listen = Listen(str(self._server.server_address[0]), self._server.server_port)

    def close(self) -> None:
        """Stop to listen."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server6(ThreadingWSGIServer):
    """At `[::]` IPv4 is served too, whatever net.ipv6.bindv6only says: it has to be said before the bind."""

    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody wants a line for each scrape."""


def _start(host: str, port: int, registry: CollectorRegistry) -> tuple[WSGIServer, Thread]:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    server_class = _Server6 if family == socket.AF_INET6 else ThreadingWSGIServer
    server = make_server(str(address[0]), port, make_wsgi_app(registry), server_class, _Silent)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    return server, thread


def _serve(listen: Listen, registry: CollectorRegistry) -> tuple[WSGIServer, Thread]:
    """`[::]` listens to IPv4 too, and to that alone where this machine has no IPv6. OSError."""
    try:
        return _start(listen.host, listen.port, registry)
    except OSError as error:
        if listen.host != _EVERYWHERE or error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
        log.warning("this machine has no ipv6", consequence="metrics are served by ipv4 only")
        return _start(_EVERYWHERE_BY_IPV4, listen.port, registry)


class _Metrics(Collector):
    """Scrapes come on threads of the server's; `watched` is only ever given whole new values."""

    def __init__(self, watched: Watched, roots: Roots) -> None:
        self._watched, self._roots = watched, roots

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        families = {family.name: family.empty() for family in FAMILIES}
        for name, labels, value in samples(self._watched, self._roots):
            families[name].add_metric(labels, value)
        return [family for family in families.values() if family.samples]
