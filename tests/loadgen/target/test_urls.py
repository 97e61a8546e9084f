"""Where sessions open, on servers of all sorts."""

import pytest

from loadgen.errors import TargetError
from loadgen.target.urls import Endpoints


def test_paths_are_railbirds_unless_said_otherwise() -> None:
    endpoints = Endpoints("https://edge.example:8443")
    assert endpoints.whip("table-1") == "https://edge.example:8443/whip/table-1"
    assert endpoints.whep("table-1") == "https://edge.example:8443/whep/table-1"


def test_stream_stands_where_the_server_wants_it() -> None:
    endpoints = Endpoints("http://[::1]:8889/live/", whip_path="/{stream}/whip", whep_path="/watch?stream={stream}")
    assert endpoints.whip("a") == "http://[::1]:8889/live/a/whip"
    assert endpoints.whep("a") == "http://[::1]:8889/live/watch?stream=a"


def test_stream_cannot_leave_its_place() -> None:
    assert Endpoints("http://h").whep("../x?y#z") == "http://h/whep/..%2Fx%3Fy%23z"


@pytest.mark.parametrize(
    "base", ["", "edge.example", "ftp://edge.example", "http://", "http://h:99999", "http://h/?a=1", "http://h/#a"]
)
def test_base_that_is_no_server_is_refused(base: str) -> None:
    with pytest.raises(TargetError, match=r"is no (target|URL)"):
        Endpoints(base)


@pytest.mark.parametrize("path", ["whep/{stream}", "/whep", "http://other/{stream}", ""])
def test_path_without_its_stream_is_refused(path: str) -> None:
    with pytest.raises(TargetError, match="has to begin with / and to say where"):
        Endpoints("http://h", whep_path=path)


def test_multivariant_playlist_has_a_path_of_its_own() -> None:
    assert Endpoints("http://h/edge/").hls("a b") == "http://h/edge/hls/a%20b/index.m3u8"
    assert Endpoints("http://h", hls_path="/{stream}.m3u8").hls("a") == "http://h/a.m3u8"
