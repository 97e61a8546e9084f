"""Debian's nginx with the configuration of daemonset/front, in a directory of its own and on a free port."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import ssl
from pathlib import Path
from typing import Self

from gateway.demo.certificate import write_certificate

FRONT = Path(__file__).parents[2] / "daemonset" / "front"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin") or "nginx"
"""Debian keeps it where an account that is not root does not look."""
START_WITHIN_S = 10.0
END_WITHIN_S = 5.0


class NginxProcess:
    """nginx with `conf`, in front of the gateway at 127.0.0.1:`gateway_port`."""

    def __init__(self, directory: Path, gateway_port: int, conf: str = "nginx.conf", workers: int = 1) -> None:
        """`directory` has to be there, and becomes nginx's prefix."""
        self.directory = directory
        self.conf = conf
        self.port = _free_port()
        self._process: asyncio.subprocess.Process | None = None
        _install(directory, gateway_port, self.port, workers)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> Self:
        """Return when it accepts connections; AssertionError with what it said when it does not."""
        self._process = await self._run()
        for _ in range(int(START_WITHIN_S / 0.05)):
            if self._process.returncode is not None or self._accepts():
                break
            await asyncio.sleep(0.05)
        assert self._process.returncode is None, f"nginx ended:\n{self.log()}"
        return self

    async def check(self) -> str:
        """What `nginx -t` says; AssertionError when it refuses the configuration."""
        process = await self._run("-t")
        assert await process.wait() == 0, self.log()
        return self.log()

    def reload(self) -> None:
        """Have new workers take over from the old ones, which finish what they have; do not wait."""
        os.kill(self.pid, signal.SIGHUP)

    async def stop(self) -> None:
        """End it by its pid, and see that nothing failed in Lua."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        await asyncio.wait_for(self._process.wait(), END_WITHIN_S)
        faults = [line for line in self.log().splitlines() if "lua" in line]
        assert not faults, "\n".join(faults)

    def log(self) -> str:
        """Its standard error."""
        return (self.directory / "error.log").read_text(errors="replace")

    def tls(self) -> ssl.SSLContext:
        """A client's context that trusts its certificate, and offers both protocols."""
        context = ssl.create_default_context(cafile=self.directory / "site" / "certificate.pem")
        context.check_hostname = False
        return context

    async def _run(self, *arguments: str) -> asyncio.subprocess.Process:
        # A test's directory is open to its owner only: workers that root starts must stay root.
        owner = "user root;" if os.geteuid() == 0 else ""
        with (self.directory / "error.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(NGINX, "-p", f"{self.directory}/", "-c", self.conf, "-g", f"daemon off; {owner}", *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
        except OSError:
            return False
        return True


def _install(directory: Path, gateway_port: int, port: int, workers: int) -> None:
    """The front's directory, with what a site sets: the certificate, both ports, and how many workers."""
    shutil.copytree(FRONT, directory, dirs_exist_ok=True)
    (directory / "run").mkdir()
    write_certificate(directory / "site")
    _replace(directory / "site" / "gateway.conf", r"server 127\.0\.0\.1:8080;", f"server 127.0.0.1:{gateway_port};")
    _replace(directory / "site" / "listen.conf", r"listen \[::\]:443 [^;]*;\n", "")
    _replace(directory / "site" / "listen.conf", r"listen 443 ", f"listen 127.0.0.1:{port} ")
    _replace(directory / "main.conf", r"worker_processes auto;", f"worker_processes {workers};")


def _replace(path: Path, pattern: str, replacement: str) -> None:
    text, count = re.subn(pattern, replacement, path.read_text())
    assert count == 1, f"{path.name}: {pattern}"
    path.write_text(text)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
