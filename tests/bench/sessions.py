"""How studio and players get their sessions: as the load generator's do, from the gateway under measurement alone."""

import time
from collections.abc import AsyncIterator

from gateway.transport.certificate import Certificate
from loadgen.peer.peer import OfferMaker, Peer
from loadgen.signalling.http import Signalling, http_client

SETTLING_CHECKS = 2
"""A browser checks a few times before it settles for one check in 2.5 s."""


class Sessions:
    """Of one process, with the gateway on `host`."""

    def __init__(self, host: str) -> None:
        self._host = host
        # Shared: a browser's is its own, but the gateway does the same work for it.
        self._certificate = Certificate.generateCertificate()

    async def opened(self, url: str, offer: OfferMaker, count: int = 1) -> AsyncIterator[Peer]:
        """`count` connected peers of the endpoint `url`, one after another, each with an HTTP connection of its own.

        SignallingError when the gateway does not do its part. They can only `vanish`: the client is gone by then.
        """
        async with http_client() as http:
            signalling = Signalling(http, self._is_gateway)
            for _ in range(count):
                peer = Peer(self._certificate, signalling, url, offer, self._is_gateway)
                await peer.connect()
                for _ in range(SETTLING_CHECKS):
                    peer.check(time.time())
                yield peer

    def _is_gateway(self, host: str) -> bool:
        return host == self._host
