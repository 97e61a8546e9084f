"""How long a connection goes on: who is sent elsewhere must not come back by the old one."""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path

import pytest
import yaml

from gateway.config import DrainSettings
from tests.e2e.waiting import until
from tests.front.conftest import OpenClient
from tests.front.nginx_process import FRONT, NginxProcess
from tests.front.stub_origin import StubOrigin

SHORT_S = 1
BASE = FRONT.parent / "base" / "railbird.yml"


def _keepalive_s() -> int:
    (found,) = re.findall(r"^keepalive_time (\d+)s;$", (FRONT / "http.conf").read_text(), re.MULTILINE)
    return int(found)


def test_connection_ends_before_players_are_sent_away() -> None:
    """Who was told to move is refused by the old connection until it ends; the old session has to last as long."""
    drain = DrainSettings(**yaml.safe_load(BASE.read_text(encoding="utf-8"))["drain"])
    assert _keepalive_s() < drain.leave_s


@pytest.fixture
async def front(tmp_path: Path, origin: StubOrigin, cleanup: contextlib.AsyncExitStack) -> NginxProcess:
    """Its connections are old after SHORT_S."""
    nginx = NginxProcess(tmp_path, origin.port)
    conf = tmp_path / "http.conf"
    conf.write_text(conf.read_text().replace(f"keepalive_time {_keepalive_s()}s;", f"keepalive_time {SHORT_S}s;"))
    cleanup.push_async_callback(nginx.stop)
    return await nginx.start()


@pytest.mark.nginx
async def test_old_connection_answers_once_more_and_ends(
    front: NginxProcess, origin: StubOrigin, open_client: OpenClient
) -> None:
    client = open_client(front)
    async with client.get("/watch/t") as young:
        assert "close" not in young.headers.get("Connection", "")
    await asyncio.sleep(SHORT_S + 0.2)
    async with client.get("/watch/t") as old:
        assert (old.status, old.headers["Connection"]) == (200, "close")


@pytest.mark.nginx
async def test_old_connection_of_http_2_ends_likewise_and_drops_no_answer(
    front: NginxProcess, origin: StubOrigin
) -> None:
    """The first of three requests, one after the other, is held for as long as a connection may be young."""
    origin.hold = asyncio.Event()
    paths = ("/hls/t/g/video/0.0.m4s", "/watch/a", "/watch/b")
    targets = [word for path in paths for word in ("--output", "/dev/null", front.url + path)]
    says = "%{http_version} %{response_code} %{num_connects}\n"
    options = ("--silent", "--insecure", "--http2", "--max-time", "20", "--write-out", says)
    curl = await asyncio.create_subprocess_exec("curl", *options, *targets, stdout=asyncio.subprocess.PIPE)
    await until(lambda: origin.asked[paths[0]] == 1)  # Only then there surely is a connection.
    asyncio.get_running_loop().call_later(SHORT_S + 0.2, origin.hold.set)
    said = (await curl.communicate())[0].decode().split("\n")[:-1]
    assert said == ["2 200 1", "2 200 0", "2 200 1"]
