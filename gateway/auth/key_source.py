"""Where the keys are: a file, or a URL. Both are read in bounded time and size."""

import asyncio
from pathlib import Path
from typing import Protocol

import aiohttp

from gateway.auth.key_set import MAX_KEY_SET_BYTES, KeySetError
from gateway.regular_file import NoFileError, content

FETCH_TIMEOUT_S = 5.0
"""For the whole answer: shorter than a player waits for a join."""


class KeySource(Protocol):
    """Where a key set is read from."""

    async def read(self) -> bytes:
        """What is there now; of what is longer than MAX_KEY_SET_BYTES more than that. KeySetError when it cannot be
        read."""


def key_source(jwks: str) -> KeySource:
    """The source that the setting `auth.jwks` names."""
    return KeyUrl(jwks) if "://" in jwks else KeyFile(Path(jwks))


class KeyFile:
    """A file; a link may be turned to another one, as Kubernetes does with what it mounts."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self) -> bytes:
        """See `KeySource`."""
        # Off the loop: the file may lie on a network's share.
        return await asyncio.to_thread(self._read)

    def _read(self) -> bytes:
        try:
            return content(self._path, MAX_KEY_SET_BYTES + 1)
        except NoFileError:
            raise KeySetError("it is no file") from None
        except OSError as error:
            raise KeySetError(f"it cannot be read: {error.strerror}") from None


class KeyUrl:
    """A URL: https, or http on this machine."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def read(self) -> bytes:
        """See `KeySource`."""
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S), aiohttp.ClientSession(auto_decompress=False) as client:
                return await self._fetch(client)
        except TimeoutError:
            raise KeySetError(f"it did not come within {FETCH_TIMEOUT_S:.0f} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Only its kind: a message may hold the address, and that a password.
            raise KeySetError(f"it cannot be fetched: {type(error).__name__}") from None

    async def _fetch(self, client: aiohttp.ClientSession) -> bytes:
        # Another address was never configured, so a redirection is not followed; and a compressed answer may be small
        # on its way only.
        headers = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}
        async with client.get(self._url, headers=headers, allow_redirects=False) as response:
            if response.status != 200:
                raise KeySetError(f"it was answered with status {response.status}")
            data = bytearray()
            while len(data) <= MAX_KEY_SET_BYTES and (chunk := await response.content.read(MAX_KEY_SET_BYTES)):
                data += chunk
            return bytes(data)
