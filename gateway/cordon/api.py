"""The API server, as far as it tells of one node: read in bounded time and size, by the pod's own token."""

import asyncio
import ssl
from pathlib import Path
from urllib.parse import quote

import aiohttp

from gateway.errors import RailbirdError
from gateway.regular_file import content

TIMEOUT_S = 5.0
"""For the whole answer: no longer than the pause between two looks."""

MAX_NODE_BYTES = 4 << 20
"""etcd keeps at most 1.5 MiB of an object, as protobuf; as JSON it is longer."""

MAX_TOKEN_BYTES = 16 << 10
MAX_CA_BYTES = 1 << 20


class ApiError(RailbirdError):
    """The API server did not say; the message says why, the same one as long as nothing changes."""


class ApiServer:
    """Tells of nodes. `credentials` has `token` and `ca.crt`, both read again each time, as the kubelet renews them."""

    def __init__(self, url: str, credentials: Path) -> None:
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._ca = b""
        self._context: ssl.SSLContext | None = None

    async def node(self, client: aiohttp.ClientSession, name: str) -> bytes:
        """The Node of that name as the API server wrote it; ApiError where there is no such answer."""
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "Accept": "application/json",
            # A compressed answer may be small on its way only.
            "Accept-Encoding": "identity",
        }
        context, url = self._tls(), f"{self._url}/api/v1/nodes/{quote(name, safe='')}"
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                # Whoever redirects is not who the token is for.
                client.get(url, headers=headers, ssl=context, allow_redirects=False) as response,
            ):
                if response.status != 200:
                    raise ApiError(f"it answered with status {response.status}")
                return await _body(response)
        except TimeoutError:
            raise ApiError(f"it did not answer within {TIMEOUT_S:.0f} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Only its kind: a message may hold ports and times, and would be another one each time.
            raise ApiError(f"it cannot be asked: {type(error).__name__}") from None

    def _token(self) -> str:
        token = self._credential("token", MAX_TOKEN_BYTES).strip()
        if not token or not token.isascii() or any(byte <= 0x20 for byte in token):
            raise ApiError("the token is none")
        return token.decode("ascii")

    def _tls(self) -> ssl.SSLContext:
        ca = self._credential("ca.crt", MAX_CA_BYTES)
        if self._context is None or ca != self._ca:
            # Not the default context: that believes all the world's authorities where ours are none.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            try:
                context.load_verify_locations(cadata=ca.decode("ascii"))
            except (ssl.SSLError, ValueError):
                raise ApiError("ca.crt holds no certificates") from None
            self._ca, self._context = ca, context
        return self._context

    def _credential(self, name: str, max_bytes: int) -> bytes:
        try:
            return content(self._credentials / name, max_bytes)
        except OSError as error:
            raise ApiError(f"{name} cannot be read: {error.strerror}") from None


async def _body(response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    while chunk := await response.content.read(MAX_NODE_BYTES):
        data += chunk
        if len(data) > MAX_NODE_BYTES:
            raise ApiError(f"its answer is longer than {MAX_NODE_BYTES} bytes")
    return bytes(data)
