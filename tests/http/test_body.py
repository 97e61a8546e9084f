"""Bodies that come compressed."""

import gzip
import zlib

import pytest
from structlog.testing import capture_logs

from tests.http.conftest import Api

ROUNDS = "/api/v1/streams/table/rounds"
OPENING = b'{"state": "betting_open", "roundId": "r-1"}'
GZIPPED = gzip.compress(OPENING, mtime=0)
BROKEN = {
    "no gzip": ("gzip", b"no gzip at all"),
    "another checksum": ("gzip", GZIPPED[:-8] + b"\0" * 8),
    "no deflate": ("deflate", b"\xff" * 20),
}


@pytest.mark.parametrize(
    ("path", "content_type"),
    [(ROUNDS, "application/json"), ("/whip/table", "application/sdp"), ("/whep/table", "application/sdp")],
)
@pytest.mark.parametrize(("encoding", "body"), BROKEN.values(), ids=BROKEN)
async def test_compressed_body_that_is_broken_is_refused(
    api: Api, path: str, content_type: str, encoding: str, body: bytes
) -> None:
    api.go_live()
    with capture_logs() as logs:
        answer = await api.request("POST", path, body, {"Content-Type": content_type, "Content-Encoding": encoding})
    assert (answer.status, answer.text) == (400, "The body is not encoded as its headers say.\n")
    assert not any("exc_info" in line for line in logs)


@pytest.mark.parametrize(("encoding", "body"), [("gzip", GZIPPED), ("deflate", zlib.compress(OPENING))])
async def test_compressed_body_that_is_whole_is_read(api: Api, encoding: str, body: bytes) -> None:
    api.go_live()
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    assert (await api.request("POST", ROUNDS, body, headers)).status == 201
