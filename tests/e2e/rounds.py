"""Rounds as a studio's back office drives and sees them, over HTTP."""

from __future__ import annotations

from typing import Any

from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.waiting import eventually


class RoundOf:
    """One round of a stream."""

    def __init__(self, gateway: GatewayProcess, stream: str, round_id: str) -> None:
        self.stream = stream
        self.round_id = round_id
        self._gateway = gateway

    @classmethod
    async def opened(cls, gateway: GatewayProcess, stream: str) -> RoundOf:
        """A new round, whose bets are open."""
        told = await _post(gateway, stream, {"state": "betting_open"})
        return cls(gateway, stream, told["roundId"])

    async def move_to(self, state: str, **details: Any) -> dict[str, Any]:
        """Move it on; the round as it is then."""
        return await _post(self._gateway, self.stream, {"state": state, "roundId": self.round_id, **details})

    async def told(self) -> dict[str, Any]:
        """What the API tells of it."""
        async with self._gateway.http.get(f"/api/v1/streams/{self.stream}/rounds") as response:
            rounds: list[dict[str, Any]] = (await response.json())["rounds"]
        return next(each for each in rounds if each["roundId"] == self.round_id)

    async def until_aborted(self, within_s: float = 15.0) -> dict[str, Any]:
        """Wait for its abort; what the API tells of it then."""
        return await eventually(self.told, lambda told: told["state"] == "aborted", within_s)


async def _post(gateway: GatewayProcess, stream: str, body: dict[str, Any]) -> dict[str, Any]:
    async with gateway.http.post(f"/api/v1/streams/{stream}/rounds", json=body) as response:
        told: dict[str, Any] = await response.json(content_type=None)
        assert response.status in (200, 201), told
        return told
