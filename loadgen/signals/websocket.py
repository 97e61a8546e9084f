"""Signals over a WebSocket (RFC 6455), as a page has it where there is no data channel."""

import asyncio
import contextlib
import time
from types import SimpleNamespace

import aiohttp
from aiohttp.abc import AbstractResolver

from loadgen.errors import SignallingError
from loadgen.signalling.links import alternate_in
from loadgen.signals.carrier import Listener
from loadgen.signals.messages import SUBPROTOCOL

MAX_MESSAGE_BYTES = 256 * 1024
"""A welcome tells of the rounds that a server remembers: that is its largest message."""

OPEN_WITHIN_S = 10.0
CLOSE_WITHIN_S = 2.0
"""For the server to answer our close frame."""


def websocket_client(resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """For any number of players, each with a connection of its own. Redirects are refused: no browser follows them, and
    they could lead where no load may go."""
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0, resolver=resolver),
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[trace],
    )


async def _refuse_redirect(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, parameters: aiohttp.TraceRequestRedirectParams
) -> None:
    raise SignallingError("http_redirect", f"{parameters.url}: a WebSocket is not redirected.")


class WebSocketCarrier:
    """See `Carrier`. It reads from the event loop's next turn on."""

    is_reliable = True

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, listener: Listener) -> None:
        self._socket = socket
        self._listener = listener
        self._sends: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self._reading = asyncio.create_task(self._read())

    def send(self, text: str) -> None:
        """See `Carrier`. Tasks begin in the order in which they were made: so do the messages."""
        task = asyncio.create_task(self._send(text))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def _send(self, text: str) -> None:
        with contextlib.suppress(aiohttp.ClientError, ConnectionError, RuntimeError):
            await self._socket.send_str(text)

    async def _read(self) -> None:
        on_text, now = self._listener.on_text, time.time
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    on_text(message.data, now())
        if not self._is_closing:
            self._listener.on_closed()

    async def close(self) -> None:
        """See `Carrier`."""
        self._is_closing = True
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await asyncio.gather(*self._sends)
                await self._socket.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    def abandon(self) -> None:
        """See `Carrier`."""
        if not self._is_closing:
            self._is_closing = True
            self._closing = asyncio.ensure_future(self._vanish())

    async def _vanish(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._socket.close()


async def connect_websocket(http: aiohttp.ClientSession, url: str, token: str | None, listener: Listener) -> None:
    """Open a connection to `url` (http or https; `token` is sent as bearer token, and appears in no message).

    SignallingError: `http_401` for a status that refuses, `http_timeout`, `http_error`, `http_redirect`, and
    `subprotocol` when the server speaks another one.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with asyncio.timeout(OPEN_WITHIN_S):
            socket = await http.ws_connect(
                url, protocols=(SUBPROTOCOL,), headers=headers, max_msg_size=MAX_MESSAGE_BYTES, compress=0
            )
    except TimeoutError:
        raise SignallingError("http_timeout", f"{url}: no WebSocket in time.") from None
    except aiohttp.WSServerHandshakeError as error:
        alternate = alternate_in(error.headers or {}, url) if error.status == 503 else None
        raise SignallingError(f"http_{error.status}", f"{url}: {error.status}.", alternate) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise SignallingError("http_error", f"{url}: {type(error).__name__}.") from None
    if socket.protocol != SUBPROTOCOL:
        await socket.close()
        raise SignallingError("subprotocol", f"{url}: the server does not speak {SUBPROTOCOL}.")
    listener.on_open(WebSocketCarrier(socket, listener))
