"""The HTTP side: WHIP (RFC 9725), WHEP, and /metrics."""

from aiohttp import hdrs, web
from aiortc import AudioStreamTrack, MediaStreamTrack
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from tests.loadgen.stock.pictures import OwnPicture
from tests.loadgen.stock.sessions import OfferError, Publisher, Session, Viewer, offered_kinds

SDP = "application/sdp"
MAX_OFFER_BYTES = 65_536
OWN_TRACKS = {"audio": AudioStreamTrack, "video": OwnPicture}
MAX_SESSIONS = 200
"""aiortc carries far fewer with pictures; a test that asks for more has gone wrong."""
MAX_LEAKED_BYTES = 1_000_000_000
"""The machine must survive the test of a leak."""


class Server:
    """All sessions and streams."""

    def __init__(self, has_own_picture: bool = False, leak_bytes: int = 0) -> None:
        """With `leak_bytes`, every session that ends by DELETE is kept, with that much memory."""
        self._has_own_picture = has_own_picture
        self._leak_bytes = leak_bytes
        self._sessions: dict[str, Session] = {}
        self._publishers: dict[str, Publisher] = {}
        self._leaked: list[tuple[Session, bytes]] = []

    def application(self) -> web.Application:
        """Routes, and the end of all sessions with the end of the application."""
        application = web.Application(client_max_size=MAX_OFFER_BYTES)
        application.add_routes(
            [
                web.post("/whip/{stream}", self._publish),
                web.post("/whep/{stream}", self._watch),
                web.delete("/session/{name}", self._delete),
                web.get("/metrics", _metrics),
            ]
        )
        application.on_shutdown.append(self._close)
        return application

    # Sessions begin

    async def _publish(self, request: web.Request) -> web.Response:
        stream = request.match_info["stream"]
        offer, kinds = await self._offer(request)
        publisher = Publisher(kinds)
        response = await self._created(publisher, offer)
        if (before := self._publishers.get(stream)) is not None:
            await self._end(before)
        self._publishers[stream] = publisher
        return response

    async def _watch(self, request: web.Request) -> web.Response:
        offer, kinds = await self._offer(request)
        return await self._created(Viewer(self._tracks(request.match_info["stream"], kinds)), offer)

    def _tracks(self, stream: str, kinds: frozenset[str]) -> list[MediaStreamTrack]:
        if self._has_own_picture:
            return [OWN_TRACKS[kind]() for kind in sorted(kinds)]
        if (publisher := self._publishers.get(stream)) is None:
            raise web.HTTPNotFound(text="nobody publishes this stream")
        return publisher.tracks(kinds)

    async def _offer(self, request: web.Request) -> tuple[str, frozenset[str]]:
        if request.content_type != SDP:
            raise web.HTTPUnsupportedMediaType(text=f"an offer is {SDP}")
        if len(self._sessions) >= MAX_SESSIONS:
            raise web.HTTPServiceUnavailable(text=f"there are {MAX_SESSIONS} sessions")
        offer = await request.text()
        try:
            return offer, offered_kinds(offer)
        except OfferError as error:
            raise web.HTTPBadRequest(text=str(error)) from error

    async def _created(self, session: Session, offer: str) -> web.Response:
        try:
            answer = await session.answer(offer)
        except OfferError as error:
            await session.close()
            raise web.HTTPBadRequest(text=str(error)) from error
        self._sessions[session.name] = session

        @session.connection.on("connectionstatechange")
        async def end_with_the_peer() -> None:
            if session.connection.connectionState in ("failed", "closed"):
                await self._end(session)

        return web.Response(
            status=201, text=answer, content_type=SDP, headers={hdrs.LOCATION: f"/session/{session.name}"}
        )

    # Sessions end

    async def _delete(self, request: web.Request) -> web.Response:
        session = self._sessions.get(request.match_info["name"])
        if session is None:
            raise web.HTTPNotFound(text="no such session")
        await self._end(session)
        if self._leak_bytes and len(self._leaked) * self._leak_bytes < MAX_LEAKED_BYTES:
            # Not zeros: the kernel gives a page only to who writes to it.
            self._leaked.append((session, b"\x01" * self._leak_bytes))
        return web.Response()

    async def _end(self, session: Session) -> None:
        if self._sessions.pop(session.name, None) is None:
            return
        for stream, publisher in list(self._publishers.items()):
            if publisher is session:
                del self._publishers[stream]
        await session.close()

    async def _close(self, _application: web.Application) -> None:
        for session in list(self._sessions.values()):
            await self._end(session)


async def _metrics(_request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(REGISTRY), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})
