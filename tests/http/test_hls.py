"""LL-HLS as a player asks for it; what the playlists say is tested in tests/hls and tests/hls_conformance."""

import asyncio
import gzip
import re

import pytest

from gateway.wire.formats import TrackFormat
from tests.e2e.waiting import until
from tests.http.conftest import H264, OPUS, Answer, Api, Serve
from tests.http.table_media import TableMedia

VP8 = TrackFormat("video", "video/vp8", 90_000)
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"


class Table:
    """A live stream with three seconds of media, and what a player has learnt of it."""

    def __init__(self, api: Api, formats: tuple[TrackFormat, ...] = (H264, OPUS)) -> None:
        self.api = api
        self.stream = api.go_live(formats=formats)
        self.media = TableMedia(api, self.stream)
        self.media.advance(3.0)
        self.root = ""

    async def join(self, **headers: str) -> Answer:
        """Ask for the multivariant playlist, and remember where it leads."""
        answer = await self.api.request("GET", "/hls/table/index.m3u8", headers=headers)
        if answer.status == 200:
            self.root = answer["Content-Location"].removesuffix("/index.m3u8")
        return answer

    async def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """A request below the generation."""
        return await self.api.request(method, f"{self.root}/{path}", headers=headers)

    async def hint(self, rendition: str = "video") -> str:
        """The URI of the part that comes next."""
        text = (await self.ask(f"{rendition}.m3u8")).text
        found = re.search(r'PRELOAD-HINT:TYPE=PART,URI="([^"]+)"', text)
        assert found is not None
        return found[1]

    async def until_waiting(self, count: int) -> None:
        """So many requests wait."""
        await until(lambda: self.api.gateway.hub.presentations.waiting("table") == count)


@pytest.fixture
async def table(api: Api) -> Table:
    """A table that a player joined a while ago."""
    made = Table(api)
    assert (await made.join()).status == 200
    made.media.advance(2.0)
    return made


async def test_index_leads_to_the_generation(table: Table) -> None:
    answer = await table.join()
    assert answer["Content-Type"] == PLAYLIST_TYPE
    generation = table.root.rsplit("/", 1)[1]
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", generation)
    assert f"{generation}/video.m3u8" in answer.text
    below = await table.ask("index.m3u8")
    assert below.text == answer.text.replace(f"{generation}/", "")


async def test_index_of_an_unknown_stream_is_refused(api: Api) -> None:
    answer = await api.request("GET", "/hls/nobody/index.m3u8")
    assert (answer.status, answer["Retry-After"]) == (404, "2")


async def test_index_of_an_impossible_name_is_refused(api: Api) -> None:
    assert (await api.request("GET", "/hls/-no/index.m3u8")).status == 404


@pytest.mark.parametrize(("formats", "names"), [((VP8, OPUS), "VP8"), ((OPUS,), "no video")])
async def test_index_of_what_hls_cannot_carry_says_so(api: Api, formats: tuple[TrackFormat, ...], names: str) -> None:
    api.go_live(formats=formats)
    answer = await api.request("GET", "/hls/table/index.m3u8")
    assert answer.status == 406
    assert names in answer.text


async def test_index_while_draining_is_refused(table: Table) -> None:
    table.api.gateway.hub.admission.is_draining = True
    assert (await table.join()).status == 503


async def test_index_needs_the_watch_token_and_is_then_for_nobody_else(serve: Serve) -> None:
    table = Table(await serve(tokens={"watch": "secret"}))
    assert (await table.join()).status == 401
    answer = await table.join(Authorization="Bearer secret")
    assert answer.status == 200
    assert answer["Cache-Control"] == "private, no-store"
    assert (await table.ask("video.m3u8")).status == 200, "who knows the generation was let in"


async def test_hls_that_is_switched_off_is_not_there(serve: Serve) -> None:
    table = Table(await serve(hls={"enabled": False}))
    assert (await table.join()).status == 404


@pytest.mark.parametrize("path", ["video.m3u8", "video/0.0.m4s", "video/0.m4s", "video/init-0.mp4", "index.m3u8"])
async def test_another_generation_is_not_there(table: Table, path: str) -> None:
    table.root = "/hls/table/AAAAAAAAAAAAAAAAAAAAAA"
    assert (await table.ask(path)).status == 404


async def test_generation_of_another_stream_is_not_there(table: Table) -> None:
    table.api.go_live("other")
    table.root = table.root.replace("/table/", "/other/")
    assert (await table.ask("video.m3u8")).status == 404


async def test_playlist_goes_out_zipped_to_who_takes_it(table: Table) -> None:
    plain = await table.ask("video.m3u8", **{"Accept-Encoding": "identity"})
    zipped = await table.ask("video.m3u8", **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain
    assert zipped["Content-Encoding"] == "gzip"
    assert zipped.text == plain.text
    assert int(zipped["Content-Length"]) < len(gzip.compress(plain.text.encode())) + 50
    assert "Accept-Encoding" in plain["Vary"]


async def test_playlist_that_is_known_is_not_sent_again(table: Table) -> None:
    etag = (await table.ask("video.m3u8"))["ETag"]
    again = await table.ask("video.m3u8", **{"If-None-Match": etag})
    assert (again.status, again.text) == (304, "")
    table.media.advance(1.0)
    assert (await table.ask("video.m3u8", **{"If-None-Match": etag})).status == 200


async def test_playlist_waits_for_the_part_that_is_asked_for(table: Table) -> None:
    msn, part = re.fullmatch(r"video/(\d+)\.(\d+)\.m4s", await table.hint()).groups()  # type: ignore[union-attr]
    asked = asyncio.create_task(table.ask(f"video.m3u8?_HLS_msn={msn}&_HLS_part={part}"))
    await table.until_waiting(1)
    assert not asked.done()
    table.media.advance(0.25)
    answer = await asked
    assert f'URI="video/{msn}.{part}.m4s"' in answer.text
    assert answer["Cache-Control"] == "public, max-age=12"


@pytest.mark.parametrize(
    "query",
    [
        "_HLS_part=1",
        "_HLS_msn=-1",
        "_HLS_msn=x",
        "_HLS_msn=",
        "_HLS_msn=1.0",
        "_HLS_msn=9999",
        "_HLS_msn=99999999999999999999",
        "_HLS_msn=1&_HLS_part=-1",
        "_HLS_msn=1&_HLS_part=x",
        "_HLS_msn=2&_HLS_part=500",
        "_HLS_skip=NO",
    ],
)
async def test_playlist_request_that_the_draft_forbids_is_refused_at_once(table: Table, query: str) -> None:
    answer = await table.ask(f"video.m3u8?{query}")
    assert answer.status == 400
    assert answer.text.endswith(".\n")


async def test_directive_of_a_later_draft_is_ignored(table: Table) -> None:
    assert (await table.ask("video.m3u8?_HLS_later=1")).status == 200


async def test_playlist_that_waits_in_vain_ends_at_the_deadline(serve: Serve) -> None:
    table = Table(await serve(hls={"segment_s": 1.0}))
    await table.join()
    msn = (await table.hint()).removeprefix("video/").partition(".")[0]
    began_s = asyncio.get_running_loop().time()
    answer = await table.ask(f"video.m3u8?_HLS_msn={msn}")
    assert (answer.status, answer["Retry-After"]) == (503, "1")
    assert 2.9 < asyncio.get_running_loop().time() - began_s < 15.0


async def test_requests_beyond_the_limit_do_not_wait(serve: Serve) -> None:
    table = Table(await serve(hls={"waiting_requests": 1}))
    await table.join()
    hint = await table.hint()
    first = asyncio.create_task(table.api.media(f"{table.root}/{hint}"))
    await table.until_waiting(1)
    assert (await table.ask(hint)).status == 503
    table.media.advance(0.5)
    assert (await first)[0] == 200


async def test_client_that_goes_away_leaves_nothing_waiting(table: Table) -> None:
    asked = asyncio.create_task(table.ask(await table.hint()))
    await table.until_waiting(1)
    asked.cancel()
    await table.until_waiting(0)


async def test_hinted_part_is_answered_when_it_is_ready(table: Table) -> None:
    hint = await table.hint()
    asked = asyncio.create_task(table.api.media(f"{table.root}/{hint}"))
    await table.until_waiting(1)
    assert not asked.done()
    table.media.advance(0.25)
    status, payload = await asked
    assert status == 200
    assert payload[4:8] == b"moof"


async def test_part_behind_the_hinted_one_is_not_waited_for(table: Table) -> None:
    stem, part = re.fullmatch(r"(video/\d+)\.(\d+)\.m4s", await table.hint()).groups()  # type: ignore[union-attr]
    assert (await table.ask(f"{stem}.{int(part) + 1}.m4s")).status == 404


@pytest.mark.parametrize(
    "path", ["video/99.m4s", "video/99.0.m4s", "video/0.99.m4s", "video/init-9.mp4", "text.m3u8", "video/x.m4s"]
)
async def test_what_is_not_there_is_refused_at_once(table: Table, path: str) -> None:
    assert (await table.ask(path)).status == 404


async def test_segment_is_its_parts(table: Table) -> None:
    _, segment = await table.api.media(f"{table.root}/video/0.m4s")
    parts = b""
    for number in range(10):
        status, payload = await table.api.media(f"{table.root}/video/0.{number}.m4s")
        assert status == 200
        parts += payload
    assert segment == parts


async def test_media_may_be_kept_by_caches(table: Table) -> None:
    answer = await table.ask("video/init-0.mp4", method="HEAD")
    assert answer["Cache-Control"] == "public, max-age=16, immutable"
    assert answer["Content-Type"] == "video/mp4"
    assert "Expires" in answer


async def test_other_origins_may_watch(table: Table) -> None:
    answer = await table.ask("video.m3u8", Origin="https://tables.example")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Vary"] == "Accept-Encoding", "a cache would keep one answer for each origin"
    preflight = await table.api.request("OPTIONS", "/hls/table/index.m3u8")
    assert "authorization" in preflight["Access-Control-Allow-Headers"].lower()
    assert "GET" in preflight["Access-Control-Allow-Methods"]


async def test_requests_are_counted_by_what_became_of_them(table: Table) -> None:
    await table.ask("video.m3u8")
    await table.ask("video.m3u8?_HLS_part=1")
    requests = table.api.gateway.hub.presentations.requests
    assert requests == {("multivariant", "200"): 1, ("playlist", "200"): 1, ("playlist", "400"): 1}


async def test_stream_without_sound_has_no_audio_rendition(api: Api) -> None:
    table = Table(api, formats=(H264,))
    answer = await table.join()
    assert "AUDIO" not in answer.text
    assert (await table.ask("audio.m3u8")).status == 404
    assert "RENDITION-REPORT" not in (await table.ask("video.m3u8")).text


async def test_sound_that_is_no_opus_is_left_out(api: Api) -> None:
    table = Table(api, formats=(H264, TrackFormat("audio", "audio/pcmu", 8000)))
    answer = await table.join()
    assert answer.status == 200
    assert "AUDIO" not in answer.text


async def test_stream_that_ends_ends_its_playlists(table: Table) -> None:
    waiting = asyncio.create_task(table.ask("video.m3u8?_HLS_msn=2"))
    await table.until_waiting(1)
    table.stream.detach(table.stream.source, -1000.0)  # type: ignore[arg-type]
    table.api.gateway.hub.tick_streams(-1000.0 + 61)
    answer = await waiting
    assert answer.text.endswith("#EXT-X-ENDLIST\n")
    assert (await table.join()).status == 404
