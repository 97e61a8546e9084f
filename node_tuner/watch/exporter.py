"""/metrics of `watch`."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from node_tuner.errors import MissingError
from node_tuner.machine.roots import Roots
from node_tuner.watch.families import FAMILIES, Watched, samples
from node_tuner.watch.listen import Listen


class Exporter:
    """Serves what `watched` says at the time of the scrape."""

    def __init__(self, listen: Listen, watched: Watched, roots: Roots) -> None:
        """MissingError where the address cannot be had."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Metrics(watched, roots))
        try:
            self._server, self._thread = start_http_server(listen.port, listen.host, registry)
        except OSError as error:
            raise MissingError(f"metrics cannot be served at {listen}: {error}") from error
        self.listen = Listen(listen.host, self._server.server_port)

    def close(self) -> None:
        """Stop to listen."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


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
