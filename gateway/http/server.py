"""The HTTP application, and the server around it."""

import errno
import socket

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.config import HostPort, Settings
from gateway.http import api, drain, hls, operations, pages, qos, rounds, signals
from gateway.http.access import ACCESS, Access, newest_keys
from gateway.http.keys import HUB, METRICS, OPERATIONS, QUALITY, SETTINGS
from gateway.http.malformed import Malformed
from gateway.http.middleware import cors, refusals
from gateway.http.signalling import WHEP, WHIP
from gateway.http.tracing import install as install_tracing
from gateway.hub.hub import Hub
from gateway.quality.operations import Operations
from gateway.tracing import Tracing
from gateway.wire.sdp import MAX_OFFER_BYTES

log = structlog.get_logger()

_BACKLOG = 1024
_IPV4 = "0.0.0.0"


def application(
    settings: Settings,
    hub: Hub,
    metrics: CollectorRegistry,
    access: Access,
    operating: Operations,
    tracing: Tracing,
) -> web.Application:
    """All routes of the gateway."""
    app = web.Application(middlewares=[cors, refusals, newest_keys], client_max_size=MAX_OFFER_BYTES)
    app[SETTINGS], app[HUB], app[METRICS], app[ACCESS] = settings, hub, metrics, access
    app[OPERATIONS], app[QUALITY] = operating, operating.quality
    app.add_routes([*WHIP.routes(), *WHEP.routes(), *operations.ROUTES, *api.ROUTES, *rounds.ROUTES, *pages.ROUTES])
    app.add_routes([*signals.ROUTES, *qos.ROUTES, *drain.ROUTES])
    if settings.hls.enabled:
        app.add_routes(hls.routes())
    install_tracing(app, tracing)
    return app


class HttpServer:
    """Serves the application until stopped."""

    def __init__(self, app: web.Application, listen: HostPort, malformed: Malformed) -> None:
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=malformed.logger,
            shutdown_timeout=1.0,
            # A player that goes away while its request waits for media must not keep a place among those who wait.
            handler_cancellation=True,
        )
        self._listen = listen

    async def start(self) -> HostPort:
        """Bind; the address that was bound, port 0 resolved. OSError when it is taken."""
        await self._runner.setup()
        host = self._listen.host
        both = _both_families(self._listen.port) if host == "::" else None
        if both is not None:
            await web.SockSite(self._runner, both, backlog=_BACKLOG).start()
        else:
            host = _IPV4 if host == "::" else host
            await web.TCPSite(self._runner, host, self._listen.port, backlog=_BACKLOG).start()
        return HostPort(host=host, port=self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Answer what is under way, then close."""
        await self._runner.cleanup()


def _both_families(port: int) -> socket.socket | None:
    """Listens to IPv6 and IPv4, as asyncio's own sockets do not; None where this machine has no IPv6. OSError."""
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG)
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
    log.warning("this machine has no ipv6", consequence="http is served by ipv4 only")
    return None
