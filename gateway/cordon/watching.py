"""Look after look at the node, and the drain file kept accordingly."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection

import structlog

from gateway.cordon.api import ApiError
from gateway.cordon.decision import Action, NodeError, action, parse_node, reason_to_drain
from gateway.cordon.drain_file import DrainFile

log = structlog.get_logger()

Fetch = Callable[[str], Awaitable[bytes]]
"""From a node's name to the API server's answer; ApiError."""


class Watch:
    """Of one node. Nothing that goes wrong ends it, or changes the file; each thing that does is said once."""

    def __init__(self, node: str, taints: Collection[str], fetch: Fetch, file: DrainFile) -> None:
        self._node = node
        self._taints = frozenset(taints)
        self._fetch = fetch
        self._file = file
        self._fault: str | None = None
        self._looked_s = time.monotonic()

    @property
    def age_s(self) -> float:
        """Since the last look ended, well or not."""
        return time.monotonic() - self._looked_s

    async def run(self, every_s: float) -> None:
        """Look now, and each `every_s` after the end of the look before; until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(every_s)

    async def look(self) -> None:
        """Once."""
        try:
            self._keep(reason_to_drain(parse_node(await self._fetch(self._node), self._node), self._taints))
            fault = None
        except ApiError as error:
            fault = f"the API server does not say: {error}"
        except NodeError as error:
            fault = f"what the API server says is not understood: {error}"
        except OSError as error:
            fault = f"the drain file cannot be kept: {error.strerror}"
        self._looked_s = time.monotonic()
        self._say(fault)

    def _keep(self, reason: str | None) -> None:
        wanted = action(reason, self._file.found())
        if wanted is Action.MAKE and reason is not None:
            self._file.make(f"the node {self._node} is to be emptied: {reason}")
            log.info("drain file made", node=self._node, reason=reason)
        elif wanted is Action.REMOVE:
            self._file.remove()
            log.info("drain file removed", node=self._node)

    def _say(self, fault: str | None) -> None:
        if fault == self._fault:
            return
        self._fault = fault
        if fault is None:
            log.info("node is looked after again", node=self._node)
        else:
            log.warning("node is not looked after", node=self._node, reason=fault, consequence="nothing changes")
