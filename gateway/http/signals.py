"""Bet signals by WebSocket, where a player has no data channel (docs/signals.md)."""

import asyncio
from functools import lru_cache

from aiohttp import WSCloseCode, WSMsgType, web

from gateway.auth.identity import Role
from gateway.clock import monotonic_s
from gateway.errors import SignallingError
from gateway.http.access import identify
from gateway.http.keys import HUB, SETTINGS
from gateway.signals.carrier import CarrierKind
from gateway.signals.connection import Connection
from gateway.signals.messages import PROTOCOL
from gateway.stream.registry import check_name

HEARTBEAT_S = 20.0
"""A WebSocket ping after so long without anything from the peer; half of it later, silence ends the connection."""
CLOSE_TIMEOUT_S = 1.0
"""For the peer's half of the closing handshake."""
MAX_WAITING_BYTES = 65_536
"""What may wait for a slow reader: hundreds of messages. Beyond it the connection is cut."""


async def signals(request: web.Request) -> web.StreamResponse:
    """`GET /signals/{stream}`, a WebSocket. The stream need not be live: a page may wait for its studio."""
    stream = request.match_info["stream"]
    check_name(stream)
    identity = identify(request, Role.WATCH, stream)
    _require_origin(request)
    _require_protocol(request)
    switchboard = request.app[HUB].play.signals
    switchboard.check_room(stream, identity, "websocket")
    socket = web.WebSocketResponse(
        protocols=(PROTOCOL,),
        max_msg_size=request.app[SETTINGS].signals.max_message_bytes,
        heartbeat=HEARTBEAT_S,
        timeout=CLOSE_TIMEOUT_S,
        compress=False,
    )
    try:
        await socket.prepare(request)
    except ConnectionError:  # gone before it began
        return socket
    carrier = WebSocketCarrier(socket, request.transport)
    try:
        connection = switchboard.connect(stream, carrier, identity, monotonic_s())
    except SignallingError as error:
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=error.sentence.encode())
        return socket
    try:
        await _read(socket, connection)
    finally:
        connection.on_closed()
    return socket


ROUTES = [web.get("/signals/{stream}", signals)]


async def _read(socket: web.WebSocketResponse, connection: Connection) -> None:
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            connection.on_text(message.data, monotonic_s())
        else:
            connection.refuse_binary(monotonic_s())


class WebSocketCarrier:
    """Implements `signals.carrier.Carrier`.

    Frames are written here: aiohttp's own writing may wait for a slow reader, and a gateway that tells thousands must
    not wait for one.
    """

    kind: CarrierKind = "websocket"

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self._socket = socket
        self._transport = transport
        self._closing: asyncio.Task[bool] | None = None

    def send(self, text: str) -> bool:
        """See `Carrier`. A reader too slow for what waits already is cut: what it misses it would never know."""
        transport = self._transport
        if transport is None or self._closing is not None or self._socket.closed or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > MAX_WAITING_BYTES:
            transport.abort()
            return False
        transport.write(_frame(text))
        return True

    def close(self) -> None:
        """See `Carrier`."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._socket.close(code=WSCloseCode.GOING_AWAY))


@lru_cache(maxsize=4)
def _frame(text: str) -> bytes:
    """An unmasked text frame (RFC 6455 section 5.2); one of a broadcast is made once."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def _require_origin(request: web.Request) -> None:
    """SignallingError 403 for a page of an origin that is not allowed: WebSockets know no CORS."""
    origin, allowed = request.headers.get("Origin"), request.app[SETTINGS].allowed_origins
    if origin is None or "*" in allowed or origin in allowed:
        return
    # The gateway's own pages; behind a proxy, their scheme may be another one than ours.
    if origin.partition("://")[2] != request.host:
        raise SignallingError(403, "Pages of this origin may not have signals.")


def _require_protocol(request: web.Request) -> None:
    """SignallingError 400 unless our protocol is offered. aiohttp would log what is, and a token may be among it."""
    offered = (name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(","))
    if PROTOCOL not in offered:
        raise SignallingError(400, f"The WebSocket has to offer the subprotocol {PROTOCOL}.")
