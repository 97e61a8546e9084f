"""Asks a gateway over HTTP whether it is there, and whether it still carries our table.

libavformat itself misses a lost gateway only after 30 s, when ICE consent expires (RFC 7675).
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import Final
from urllib.parse import urlsplit, urlunsplit

ANSWER_WITHIN_S: Final = 2.0
MAX_ANSWER_BYTES: Final = 65_536


class Presence:
    """What the gateway behind a WHIP endpoint says of itself."""

    def __init__(self, whip_url: str, bearer_token: str | None = None) -> None:
        self._whip_url = whip_url
        self._stream_url = stream_url(whip_url)
        self._headers = {"Authorization": f"Bearer {bearer_token}"} if bearer_token else {}

    def is_there(self) -> bool:
        """Whether anything answers at the endpoint, be it with an error."""
        return self._ask(self._whip_url, "OPTIONS") is not None

    def carries_us(self) -> bool:
        """Whether the gateway counts our stream as live; True where it has no such interface to say so."""
        if self._stream_url is None:
            return True
        answer = self._ask(self._stream_url, "GET")
        return answer is not None and _is_live(answer)

    def _ask(self, url: str, method: str) -> bytes | None:
        request = urllib.request.Request(url, method=method, headers=self._headers)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as response:
                body: bytes = response.read(MAX_ANSWER_BYTES)
                return body
        except urllib.error.HTTPError as error:
            error.close()
            return b""
        except (OSError, http.client.HTTPException):
            return None


def stream_url(whip_url: str) -> str | None:
    """http://host/whip/demo -> http://host/api/v1/streams/demo; None for an endpoint of another shape."""
    parts = urlsplit(whip_url)
    before, whip, stream = parts.path.rpartition("/whip/")
    if not whip or not stream or "/" in stream:
        return None
    return urlunsplit((parts.scheme, parts.netloc, f"{before}/api/v1/streams/{stream}", "", ""))


def _is_live(answer: bytes) -> bool:
    try:
        return bool(json.loads(answer)["state"] == "live")
    except (ValueError, KeyError, TypeError):
        return False
