"""An edge of a test: a gateway with a studio, and what it says of its players."""

from __future__ import annotations

from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.studio_av import AvStudio

STREAM = "card"


class Edge:
    """A gateway with a studio of its own, whose ground tells its picture from another edge's."""

    def __init__(self, gateway: GatewayProcess, ground: str) -> None:
        self.gateway = gateway
        self._ground = ground
        self._studio: AvStudio | None = None

    async def publish(self) -> None:
        """Start the studio, and wait until the stream is live."""
        await self.stop()
        self._studio = await AvStudio(self.gateway, STREAM, self._ground).start()
        await self.gateway.live(STREAM)

    async def stop(self) -> None:
        """End the studio, if there is one: with a DELETE, where its session goes on."""
        if self._studio is None:
            return
        sessions = await self.gateway.sessions() if self.gateway.returncode is None else []
        is_heard = any(each["leg"] == "ingest" for each in sessions)
        await (self._studio.stop() if is_heard else self._studio.kill())

    @property
    def url(self) -> str:
        return self.gateway.url

    async def players(self) -> int:
        """How many watch by WebRTC."""
        return len([each for each in await self.gateway.sessions() if each["leg"] == "egress"])

    async def signals(self, carrier: str) -> float:
        """How many connections of bet signals are open."""
        metrics = await self.gateway.metrics()
        return metrics.value("railbird_signal_connections", stream=STREAM, carrier=carrier)

    async def drain(self) -> None:
        async with self.gateway.http.post("/api/v1/drain") as response:
            assert response.status == 202, await response.text()

    async def serve_again(self) -> None:
        async with self.gateway.http.delete("/api/v1/drain") as response:
            assert response.status == 200, await response.text()

    async def open_round(self, round_id: str) -> None:
        body = {"state": "betting_open", "roundId": round_id}
        async with self.gateway.http.post(f"/api/v1/streams/{STREAM}/rounds", json=body) as response:
            assert response.status in (200, 201), await response.text()

    async def answers(self) -> dict[str, float]:
        """How often each answer was given to a bet; one that took long and was asked for again is one."""
        answers = (await self.gateway.metrics()).by_label("railbird_bets_total", "state")
        return {state: count for state, count in answers.items() if count and state != "duplicate"}
