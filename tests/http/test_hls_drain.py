"""LL-HLS of a table whose players are moved: playlists are there until the time is up, and then somewhere else."""

import asyncio

import pytest

from gateway.clock import monotonic_s
from gateway.config import DrainSettings
from gateway.hub.drain import Order, Stage
from tests.http.conftest import Api, Serve
from tests.http.test_hls import Table

EDGE = "https://b.example"


@pytest.fixture
async def api(serve: Serve) -> Api:
    """A gateway that knows another edge, and whose clockwork does not go on with a drain by itself."""
    made = await serve(drain=DrainSettings(elsewhere=(EDGE,)))
    made.gateway._clockwork.stop()
    return made


@pytest.fixture
async def table(api: Api) -> Table:
    made = Table(api)
    assert (await made.join()).status == 200
    made.media.advance(2.0)
    return made


def leave(api: Api) -> None:
    """As when spread_s and leave_s are over."""
    draining = api.gateway.hub.draining
    draining._streams["table"].stage = Stage.LEAVING
    api.gateway.hub.departures.send_away("table", monotonic_s())


async def test_playlists_and_parts_are_there_while_players_move(api: Api, table: Table) -> None:
    # The stand-in of a studio has no session: somebody has to be there for the table to drain.
    assert (await api.watch()).status == 201
    hint = await table.hint("video")
    api.gateway.hub.draining.order(Order.API, monotonic_s())
    assert (await table.join()).status == 503
    waiting = asyncio.create_task(api.media(f"{table.root}/{hint}"))
    await asyncio.sleep(0.05)
    table.media.advance(1.0)
    assert (await waiting)[0] == 200
    for path in ("index.m3u8", "video.m3u8", "audio.m3u8"):
        assert (await table.ask(path)).status == 200


async def test_playlists_are_elsewhere_when_the_time_is_up(api: Api, table: Table) -> None:
    assert (await api.watch()).status == 201
    hint = await table.hint("video")
    api.gateway.hub.draining.order(Order.API, monotonic_s())
    table.media.advance(1.0)
    leave(api)
    for path in ("index.m3u8", "video.m3u8", "audio.m3u8"):
        answer = await table.ask(path)
        assert (answer.status, answer["Retry-After"]) == (503, "5")
        assert answer["Link"] == f'<{EDGE}/hls/table/index.m3u8>; rel="alternate"'
    assert (await api.media(f"{table.root}/{hint}"))[0] == 200, "what a playlist has named"


async def test_player_who_waits_for_a_playlist_is_let_go_when_the_time_is_up(api: Api, table: Table) -> None:
    assert (await api.watch()).status == 201
    api.gateway.hub.draining.order(Order.API, monotonic_s())
    presentation = api.gateway.hub.presentations.current("table")
    assert presentation is not None
    msn, _ = presentation.rendition("video").hinted
    waiting = asyncio.create_task(table.ask(f"video.m3u8?_HLS_msn={msn + 1}"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    leave(api)
    answer = await asyncio.wait_for(waiting, 2)
    assert (answer.status, "Link" in answer) == (503, True)


async def test_table_is_watched_as_long_as_somebody_asks(api: Api, table: Table) -> None:
    presentations = api.gateway.hub.presentations
    now_s = monotonic_s()
    assert presentations.is_watched("table", now_s)
    assert presentations.is_watched("table", now_s + 3.0)
    assert not presentations.is_watched("table", now_s + 6.0)
    assert not presentations.is_watched("nobody", now_s)
