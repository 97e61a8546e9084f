"""The server as a child process of a test."""

import asyncio
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[3]
START_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0


class StockServer:
    """`async with StockServer("--own-picture") as server`: it serves within, and has ended afterwards."""

    def __init__(self, *flags: str) -> None:
        """`flags` as `python -m tests.loadgen.stock --help` lists them."""
        self.url = ""
        """Without a slash at its end."""
        self._flags = flags
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """AssertionError when it does not serve in time."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.loadgen.stock", *self._flags),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), START_WITHIN_S)
        except TimeoutError:
            line = b""
        self.url = line.decode().strip()
        if not self.url:
            await self._stop()
            raise AssertionError(f"the stock server did not start within {START_WITHIN_S} s")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """AssertionError when it did not end by itself, or badly, and nothing else went wrong before."""
        returncode = await self._stop()
        assert error is not None or returncode == 0, f"the stock server ended with {returncode}"

    async def _stop(self) -> int:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            return await asyncio.wait_for(self._process.wait(), STOP_WITHIN_S)
        except TimeoutError:
            self._process.kill()
            return await self._process.wait()

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def metrics_url(self) -> str:
        """Of its process metrics."""
        return f"{self.url}/metrics"

    def whip(self, stream: str) -> str:
        """Where to publish it."""
        return f"{self.url}/whip/{stream}"

    def whep(self, stream: str) -> str:
        """Where to watch it."""
        return f"{self.url}/whep/{stream}"
