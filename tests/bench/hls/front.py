"""nginx: for the same bytes from files, and before the gateway as `daemonset/front` has it."""

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from tests.bench.gateway_process import HOST, free_port
from tests.bench.remote import Service
from tests.front.nginx_process import NginxProcess

_FILES_CONF = """
daemon off;
worker_processes 1;
error_log stderr warn;
pid nginx.pid;
{owner}
events {{ worker_connections 4096; multi_accept on; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_requests 1000000;
    open_file_cache max=16;
    types {{ application/vnd.apple.mpegurl m3u8; video/mp4 m4s; }}
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{
        listen {host}:{port};
        root files;
    }}
}}
"""

_LUA = Path("/usr/lib/nginx/modules/ngx_http_lua_module.so")


def is_installed() -> bool:
    """Whether there is an nginx to measure, and the Lua that the front needs."""
    return _LUA.exists() and shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is not None


class Files(Service):
    """nginx with one worker and plain HTTP, which sends files out of the page cache: what it does best."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self._bodies = bodies
        self._directory = tempfile.TemporaryDirectory(prefix="railbird-bench-", dir=_memory())
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> tuple[str, int]:
        """The URL, and the process of nginx."""
        root, port = Path(self._directory.name), free_port()
        (root / "files").mkdir()
        for path, body in self._bodies.items():
            (root / "files" / path.lstrip("/")).write_bytes(body)
        owner = "user root;" if os.geteuid() == 0 else ""
        (root / "nginx.conf").write_text(_FILES_CONF.format(owner=owner, host=HOST, port=port))
        command = ("nginx", "-p", f"{root}/", "-c", "nginx.conf")
        self._process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL)
        return f"http://{HOST}:{port}", self._process.pid

    async def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()
        self._directory.cleanup()


class Front(Service):
    """`daemonset/front` with one worker, before the gateway at `gateway_port`."""

    def __init__(self, gateway_port: int) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="railbird-bench-", dir=_memory())
        self._nginx = NginxProcess(Path(self._directory.name), gateway_port)

    async def start(self) -> tuple[str, int]:
        """The URL, and the process of nginx."""
        await self._nginx.start()
        return self._nginx.url, self._nginx.pid

    async def close(self) -> None:
        """End it."""
        await self._nginx.stop()
        self._directory.cleanup()


def _memory() -> str | None:
    """A directory without a disk below it, as the front's cache has in production."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
