"""TLS and HTTP/2."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from tests.front.nginx_process import NginxProcess
from tests.front.stub_origin import StubOrigin

pytestmark = pytest.mark.nginx

STREAMS = 30


async def _negotiate(
    front: NginxProcess, protocols: list[str], newest: ssl.TLSVersion
) -> tuple[str | None, str | None]:
    context = front.tls()
    context.set_alpn_protocols(protocols)
    context.maximum_version = newest
    _reader, writer = await asyncio.open_connection("127.0.0.1", front.port, ssl=context)
    secured: ssl.SSLObject = writer.get_extra_info("ssl_object")
    agreed = secured.selected_alpn_protocol(), secured.version()
    writer.close()
    return agreed


@pytest.mark.parametrize(
    ("protocols", "newest", "agreed"),
    [
        (["h2", "http/1.1"], ssl.TLSVersion.TLSv1_3, ("h2", "TLSv1.3")),
        (["h2"], ssl.TLSVersion.TLSv1_2, ("h2", "TLSv1.2")),
        (["http/1.1"], ssl.TLSVersion.TLSv1_3, ("http/1.1", "TLSv1.3")),
    ],
)
async def test_protocol_is_negotiated(
    protocols: list[str], newest: ssl.TLSVersion, agreed: tuple[str, str], front: NginxProcess
) -> None:
    assert await _negotiate(front, protocols, newest) == agreed


async def test_streams_of_one_connection_share_one_request(front: NginxProcess, origin: StubOrigin) -> None:
    """HTTP/2 as curl speaks it: all on one connection, and all but the first are followers."""
    msn, part = origin.next_part()
    path = f"/hls/t/g/video/{msn}.{part}.m4s"
    targets = [word for _ in range(STREAMS) for word in ("--output", "/dev/null", front.url + path)]
    says = "%{http_version} %{response_code} %{num_connects}\n"
    options = ("--silent", "--insecure", "--http2", "--parallel", "--parallel-max", str(STREAMS), "--write-out", says)
    curl = await asyncio.create_subprocess_exec("curl", *options, *targets, stdout=asyncio.subprocess.PIPE)
    said = sorted((await curl.communicate())[0].decode().split("\n")[:-1])
    assert said == ["2 200 0"] * (STREAMS - 1) + ["2 200 1"]
    assert origin.asked[path] == 1
