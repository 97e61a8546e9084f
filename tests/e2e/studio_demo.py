"""The demo studio as a process of a test: one session of `python -m gateway.demo`, which nobody starts again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Self

from gateway.demo.certificate import write_certificate
from tests.e2e.gateway_process import ROOT, GatewayProcess

END_WITHIN_S = 2.0
"""libavformat may wait longer for a gateway that has gone."""


class DemoStudio:
    """Publishes the drawn table as `demo`, until it is killed or stopped."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self._gateway = gateway
        self._process: asyncio.subprocess.Process | None = None
        self._identity = tempfile.TemporaryDirectory(prefix="railbird-demo-")

    async def start(self) -> Self:
        """Begin to publish, and do not wait for the stream."""
        write_certificate(Path(self._identity.name))
        options = ("--whip", f"{self._gateway.url}/whip/demo", "--session", self._identity.name)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.demo", *options), cwd=ROOT, stdin=asyncio.subprocess.DEVNULL
        )
        return self

    async def kill(self) -> None:
        """End it without a word to the gateway."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        self._identity.cleanup()

    async def stop(self) -> None:
        """End it with a DELETE, if it runs."""
        if self._process is None or self._process.returncode is not None:
            return
        os.kill(self._process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), END_WITHIN_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._identity.cleanup()
