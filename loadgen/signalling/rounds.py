"""Rounds over HTTP, as a studio's back office drives them: `POST /api/v1/streams/{stream}/rounds`."""

from collections.abc import Iterable
from typing import Any

from loadgen.errors import SignallingError
from loadgen.signalling.http import Signalling


class RoundsApi:
    """Of one stream. What is refused is a SignallingError: `http_409` for a status, and those of `Signalling`."""

    def __init__(self, signalling: Signalling, url: str) -> None:
        self._signalling = signalling
        self._url = url

    async def open(self, betting_s: float) -> str:
        """A new round, whose bets close by themselves after so long; its id."""
        told = await self._post({"state": "betting_open", "closesInMs": round(betting_s * 1000)})
        round_id = told.get("roundId")
        if not isinstance(round_id, str):
            raise SignallingError("round", "The server opened a round, and told no roundId.")
        return round_id

    async def move(self, round_id: str, state: str, result: object = None) -> None:
        """The round enters `state`."""
        await self._post({"roundId": round_id, "state": state} | ({} if result is None else {"result": result}))

    async def why_aborted(self, round_id: str) -> str | None:
        """The cause when the server says that this round was aborted; else None."""
        status, told = await self._signalling.exchange_json("GET", self._url)
        rounds = _rounds(told) if status == 200 else ()
        aborted = (each for each in rounds if each.get("roundId") == round_id and each.get("state") == "aborted")
        return next((str(each.get("cause")) for each in aborted), None)

    async def _post(self, body: object) -> dict[str, Any]:
        status, told = await self._signalling.exchange_json("POST", self._url, body)
        if status not in (200, 201) or not isinstance(told, dict):
            raise SignallingError(f"http_{status}", f"POST {self._url}: {status}.")
        return told


def _rounds(told: object) -> Iterable[dict[str, Any]]:
    rounds = told.get("rounds") if isinstance(told, dict) else None
    return [each for each in rounds if isinstance(each, dict)] if isinstance(rounds, list) else []
