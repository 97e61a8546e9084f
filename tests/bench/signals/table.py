"""Rounds over HTTP, as a studio's back office drives them."""

import json
import urllib.request
from typing import Any

from tests.bench.gateway_process import STREAM, GatewayProcess


class Table:
    """Of the bench's stream."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self._url = f"{gateway.url}/api/v1/streams/{STREAM}/rounds"
        self._round_id = ""

    def open(self, betting_s: float) -> None:
        """A new round, whose bets close by themselves."""
        self._round_id = self._post({"state": "betting_open", "closesInMs": round(betting_s * 1000)})["roundId"]

    def settle(self) -> None:
        """The rest of the round, once its bets are closed."""
        for state in ("result", "settled"):
            self._post({"roundId": self._round_id, "state": state})

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(self._url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as response:
            told: dict[str, Any] = json.load(response)
            return told
