"""The worker that plays all studios."""

import asyncio
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.transport.certificate import Certificate
from loadgen.errors import TargetError
from loadgen.figures import Interval, SessionFigures, StudioCounts
from loadgen.peer.peer import Peer
from loadgen.scenario.schema import Scenario, StudiosSpec
from loadgen.signalling.http import Signalling, http_client
from loadgen.signalling.rounds import RoundsApi
from loadgen.studios.dealer import Dealer
from loadgen.studios.packetizer import PacketizedClip
from loadgen.studios.source import load
from loadgen.studios.studio import Studio
from loadgen.studios.whip_peer import OfferMaker
from loadgen.target.resolver import PermittedResolver
from loadgen.workers.target import Target

ON_AIR_WITHIN_S = 20.0
"""For all studios to be live, or the run cannot begin."""


@dataclass(frozen=True, slots=True)
class StudiosPlan:
    """What the worker plays."""

    scenario: Scenario
    target: Target


class StudiosService:
    """See `workers.serving.Service`."""

    receives = False

    def __init__(self, plan: StudiosPlan) -> None:
        target = plan.target
        self._plan = plan
        self._certificate = Certificate.generateCertificate()
        self._http = http_client(PermittedResolver(target.permission))
        self._signalling = Signalling(self._http, target.permission.may_send_requests_to, target.publish_token)
        self._studios: list[Studio] = []
        self._publishing: list[asyncio.Task[None]] = []
        self._dealers: list[Dealer] = []

    async def prepare(self) -> None:
        """Encode what is to be encoded, publish everything. LoadgenError when that cannot be done."""
        loop = asyncio.get_running_loop()
        for spec in self._plan.scenario.studios:
            clip = await loop.run_in_executor(None, load, spec.source, spec.pacing)
            studios = [self._studio(spec, stream, clip) for stream in spec.stream_names]
            self._studios += studios
            self._dealers += self._dealers_of(spec, studios)
        self._publishing = [asyncio.create_task(studio.run()) for studio in self._studios]
        try:
            async with asyncio.timeout(ON_AIR_WITHIN_S):
                await asyncio.gather(*(studio.is_on_air.wait() for studio in self._studios))
        except TimeoutError:
            raise TargetError(self._why_not_live()) from None

    def _studio(self, spec: StudiosSpec, stream: str, clip: PacketizedClip) -> Studio:
        return Studio(stream, clip, spec.events, functools.partial(self._peer, stream), StudioCounts())

    def _dealers_of(self, spec: StudiosSpec, studios: Iterable[Studio]) -> Iterator[Dealer]:
        if spec.rounds is None:
            return
        for studio in studios:
            url = self._plan.target.endpoints.rounds(studio.stream)
            yield Dealer(spec.rounds, RoundsApi(self._signalling, url), studio.counts, self._plan.scenario.duration_s)

    def _peer(self, stream: str, offer: OfferMaker) -> Peer:
        target = self._plan.target
        url = target.endpoints.whip(stream)
        return Peer(self._certificate, self._signalling, url, offer, target.permission.may_send_media_to)

    def _why_not_live(self) -> str:
        failed = next((studio for studio in self._studios if studio.last_error is not None), None)
        if failed is None:
            return f"The studios were not live within {ON_AIR_WITHIN_S:.0f} s."
        return f"The studio of {failed.stream} cannot publish: {failed.last_error}"

    async def run(self, began_s: float) -> None:
        """See `Service`. The scenario's events count from now on."""
        for studio in self._studios:
            studio.begin(began_s)
        dealing = [asyncio.create_task(dealer.run(began_s)) for dealer in self._dealers]
        try:
            await asyncio.gather(*self._publishing, *dealing)
        finally:
            for task in dealing:
                task.cancel()
            await asyncio.gather(*dealing, return_exceptions=True)

    def take(self) -> tuple[Interval, list[SessionFigures]]:
        """See `Service`."""
        interval = Interval(at_s=0.0, seconds=0.0)
        for studio in self._studios:
            interval.studios[studio.stream] = studio.take_counts()
            interval.generator.lateness_s = max(interval.generator.lateness_s, studio.take_lateness_s())
        for dealer in self._dealers:
            dealer.take(interval)
        return interval, []

    async def end(self, cause: str) -> None:
        """See `Service`."""
        for task in self._publishing:
            task.cancel()
        await asyncio.gather(*self._publishing, return_exceptions=True)
        try:
            await asyncio.gather(*(dealer.close() for dealer in self._dealers))
            await asyncio.gather(*(studio.close() for studio in self._studios))
        finally:
            await self._http.close()
