"""Servers that tests write: what they answer to a peer's offer, and what they were asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from gateway.transport.ice import candidate_lines
from gateway.wire.answer import AnswerMedia, AnswerTransport, serialize_answer
from gateway.wire.sdp import parse_offer

HOST = "127.0.0.1"
SDP = "application/sdp"
ETAG = '"first"'


def answer_to(offer_text: str, hosts: Sequence[str] = (HOST,), port: int = 9) -> str:
    """An answer of a server whose candidates are `hosts` at `port`."""
    offer = parse_offer(offer_text)
    fingerprint = "sha-256 " + ":".join(["AB"] * 32)
    media = [AnswerMedia(section, "sendonly", section.codecs[0]) for section in offer.media]
    candidates = candidate_lines(list(hosts), port)
    return serialize_answer(offer, media, AnswerTransport("server", "q" * 24, fingerprint, "passive", candidates))


@dataclass
class Scripted:
    """A WHEP endpoint that answers what `answer` makes of an offer."""

    answer: Callable[[str], str]
    requests: list[str] = field(default_factory=list)
    """Methods, in order."""

    async def handle(self, request: web.Request) -> web.Response:
        """Any request."""
        self.requests.append(request.method)
        if request.method != "POST":
            return web.Response()
        text = self.answer(await request.text())
        headers = {"Location": "/session/1", "ETag": ETAG}
        return web.Response(status=201, text=text, content_type=SDP, headers=headers)


@dataclass
class Relay:
    """Stands before a real endpoint, and changes what it answers."""

    endpoint: str
    edit: Callable[[str], str] = str
    """Of the body that answers a POST."""
    edit_fragment: Callable[[str], str] = str
    """Of the body that answers a PATCH."""
    patch_status: int = 200
    """What a PATCH is answered that succeeded."""
    _session: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        """Any request."""
        base = self.endpoint[: self.endpoint.index("/", 8)]
        url = self.endpoint if request.method == "POST" else base + self._session
        told = {name: request.headers[name] for name in ("Content-Type", "If-Match") if name in request.headers}
        async with (
            aiohttp.ClientSession() as http,
            http.request(request.method, url, data=await request.text(), headers=told) as response,
        ):
            text, status = await response.text(), response.status
            headers = {name: response.headers[name] for name in ("Location", "ETag") if name in response.headers}
        if request.method == "POST":
            self._session, text = headers["Location"], self.edit(text)
        elif request.method == "PATCH" and status == 200:
            text, status = self.edit_fragment(text), self.patch_status
        return web.Response(status=status, body=text.encode() if status != 204 else None, headers=headers)
