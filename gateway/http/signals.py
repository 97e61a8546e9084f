"""Bet signals by WebSocket, where a player has no data channel (docs/signals.md)."""

import asyncio
import contextlib
from functools import lru_cache

from aiohttp import WSCloseCode, WSMsgType, web

from gateway.auth.identity import Role
from gateway.clock import monotonic_s
from gateway.errors import SignallingError
from gateway.http.access import identify
from gateway.http.client import is_foreign_page
from gateway.http.keys import HUB, SETTINGS
from gateway.signals.carrier import CarrierKind
from gateway.signals.connection import Connection
from gateway.signals.messages import PROTOCOL
from gateway.stream.registry import check_name
from gateway.transport.marking import mark_socket

HEARTBEAT_S = 20.0
"""A WebSocket ping after so long without anything from the peer; half of it later, silence ends the connection."""
CLOSE_TIMEOUT_S = 1.0
"""For the peer's half of the closing handshake."""
FRAMES_A_TURN = 16
"""Thousands may come at once: others have their turn after so many."""
MAX_WAITING_BYTES = 65_536
"""What may wait for a slow reader: hundreds of messages. Beyond it the connection is cut."""


async def signals(request: web.Request) -> web.StreamResponse:
    """`GET /signals/{stream}`, a WebSocket. The stream need not be live: a page may wait for its studio."""
    stream = request.match_info["stream"]
    check_name(stream)
    identity = identify(request, Role.WATCH, stream)
    _require_origin(request)
    _require_protocol(request)
    request.app[HUB].admission.refuse_if_draining()
    switchboard = request.app[HUB].play.signals
    switchboard.check_room(stream, identity, "websocket")
    socket = web.WebSocketResponse(
        protocols=(PROTOCOL,),
        max_msg_size=request.app[SETTINGS].signals.max_message_bytes,
        heartbeat=HEARTBEAT_S,
        autoping=False,  # else nobody counts pings
        timeout=CLOSE_TIMEOUT_S,
        compress=False,
    )
    _mark(request)
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
        await _read(socket, connection, carrier)
    finally:
        connection.on_closed()
    return socket


ROUTES = [web.get("/signals/{stream}", signals)]


async def _read(socket: web.WebSocketResponse, connection: Connection, carrier: "WebSocketCarrier") -> None:
    frames = 0
    async for message in socket:
        now_s = monotonic_s()
        if message.type is WSMsgType.TEXT:
            connection.on_text(message.data, now_s)
        elif message.type is WSMsgType.BINARY:
            connection.refuse_binary(now_s)
        elif connection.admits(now_s) and message.type is WSMsgType.PING:
            carrier.pong(message.data)
        if connection.is_over:
            carrier.cut()
            return
        frames += 1
        if frames % FRAMES_A_TURN == 0:
            await asyncio.sleep(0)


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
        return self._write(_frame(text))

    def pong(self, payload: bytes) -> None:
        """Answer a ping of the WebSocket protocol, which has at most 125 bytes."""
        self._write(bytes((0x8A, len(payload))) + payload)

    def close(self) -> None:
        """See `Carrier`."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._socket.close(code=WSCloseCode.GOING_AWAY))

    def cut(self) -> None:
        """Close without reading on: in a closing handshake a flood would have to be read to its end."""
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        self._write(_GOING_AWAY)
        if self._transport is not None:
            self._transport.close()
            # Closing waits for a slow reader to take what was written.
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self._transport.abort)

    def _write(self, frame: bytes) -> bool:
        transport = self._transport
        if transport is None or self._closing is not None or self._socket.closed or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > MAX_WAITING_BYTES:
            transport.abort()
            return False
        transport.write(frame)
        return True


_GOING_AWAY = b"\x88\x02" + WSCloseCode.GOING_AWAY.to_bytes(2, "big")
"""A close frame (RFC 6455 section 5.5.1)."""


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


def _mark(request: web.Request) -> None:
    """Where the media port marks its packets, let this connection's have the mark of signals."""
    codepoints, connection = request.app[HUB].port.socket.codepoints, request.get_extra_info("socket")
    if codepoints is not None and connection is not None:
        with contextlib.suppress(OSError):
            mark_socket(connection, codepoints.bet_signals)


def _require_origin(request: web.Request) -> None:
    """SignallingError 403 for a page of an origin that is not allowed: WebSockets know no CORS."""
    origin, allowed = request.headers.get("Origin"), request.app[SETTINGS].allowed_origins
    if "*" not in allowed and origin not in allowed and is_foreign_page(request):
        raise SignallingError(403, "Pages of this origin may not have signals.")


def _require_protocol(request: web.Request) -> None:
    """SignallingError 400 unless our protocol is offered. aiohttp would log what is, and a token may be among it."""
    offered = (name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(","))
    if PROTOCOL not in offered:
        raise SignallingError(400, f"The WebSocket has to offer the subprotocol {PROTOCOL}.")
