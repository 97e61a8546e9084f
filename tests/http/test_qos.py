"""Quality over HTTP: the scores that everybody may read, and the operators' answer."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from gateway.clock import monotonic_s
from gateway.quality.operations import MAX_DETAILS
from gateway.quality.sampler import EDGE_COLUMNS
from gateway.quality.stream_quality import COLUMNS
from gateway.rounds.causes import AbortCause
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState
from gateway.signals.messages import PROTOCOL
from qos.terms import TERMS
from tests.http.conftest import Api, Serve

OPERATORS_KEYS = {
    "at_unix_s",
    "gateway",
    "edge",
    "bets",
    "upstream",
    "aborts",
    "streams",
    "details",
    "history",
}
ROW_KEYS = {
    "stream",
    "state",
    "score",
    "worst_term",
    "rtt_p50_ms",
    "rtt_p95_ms",
    "rtt_p99_ms",
    "dropped_ingest_share",
    "dropped_egress_share",
    "dropped_player_share",
    "viewers_webrtc",
    "viewers_hls",
    "bitrate_bps",
    "round",
    "rounds_aborted",
}
DETAIL_KEYS = {
    "since_s",
    "publisher",
    "tracks",
    "qos",
    "frames_dropped",
    "rounds",
    "rounds_ended",
    "aborts",
    "signals",
    "pings_unanswered",
    "reports",
    "bets",
}


REPORT = {
    "type": "report",
    "protocol": "webrtc",
    "intervalMs": 1000,
    "framesDecoded": 20,
    "framesDropped": 5,
    "freezeCount": 1,
    "freezesMs": 250,
    "jitterBufferMs": 20,
    "rttMs": 10,
    "delayMs": 100,
    "packetsReceived": 300,
    "packetsLost": 1,
}


async def _get(api: Api, path: str, status: int = 200) -> Any:
    answer = await api.request("GET", path)
    assert answer.status == status, answer.text
    return json.loads(answer.text) if status == 200 else answer.text


async def _said(socket: aiohttp.ClientWebSocketResponse, kind: str) -> Any:
    """The next message of that type."""
    while True:
        message = json.loads((await socket.receive(timeout=30)).data)
        if message["type"] == kind:
            return message


def _sampled(api: Api, seconds: int = 6, *streams: str) -> None:
    """Streams are live, and have been sampled for so long."""
    for name in streams or ("table",):
        api.go_live(name)
    now_s = monotonic_s()
    for second in range(seconds):
        api.gateway.quality.tick(now_s + second)


async def test_qos_of_nothing_has_no_score(api: Api) -> None:
    report = await _get(api, "/api/v1/qos")
    assert report["streams"] == []
    assert {name: window["score"] for name, window in report["edge"]["windows"].items()} == {
        "1m": None,
        "5m": None,
        "1h": None,
    }


async def test_qos_of_a_stream_without_data_says_so_and_takes_no_points(api: Api) -> None:
    _sampled(api)
    (stream,) = (await _get(api, "/api/v1/qos"))["streams"]
    window = stream["windows"]["1m"]
    assert (stream["stream"], window["score"], window["worst_term"]) == ("table", None, None)
    assert [(term["term"], term["value"], term["lost"]) for term in window["terms"]] == [
        (term.name, None, 0) for term in TERMS
    ]


async def test_qos_names_the_term_that_lost_the_points(api: Api) -> None:
    _sampled(api)
    for _ in range(100):
        api.gateway.quality.note_round_trip("table", 0.46)
    api.gateway.quality.tick(monotonic_s() + 6)
    report = await _get(api, "/api/v1/qos")
    window = report["streams"][0]["windows"]["1m"]
    assert window["worst_term"] == "signal_rtt"
    assert window["score"] == pytest.approx(80, abs=0.5)
    assert window["measured"]["rtt"]["pings"] == 100
    assert window["measured"]["rtt"]["p95_ms"] == pytest.approx(460, rel=0.01)
    assert report["edge"]["windows"]["1m"]["worst_stream"] == "table"


async def test_ops_without_the_control_token_is_refused(serve: Serve) -> None:
    api = await serve(tokens={"control": "letmein"})
    assert await _get(api, "/api/v1/ops", 401)
    answer = await api.request("GET", "/api/v1/ops", headers={"Authorization": "Bearer letmein"})
    assert answer.status == 200
    assert answer["Cache-Control"] == "no-store"


async def test_ops_of_nothing_has_all_its_tables(api: Api) -> None:
    report = await _get(api, "/api/v1/ops")
    assert report.keys() == OPERATORS_KEYS
    assert (report["streams"], report["details"]) == ([], {})
    assert report["edge"]["score"] is None
    assert report["gateway"]["sessions"] == {"ingest": 0, "egress": 0}
    assert report["gateway"]["kernel_drops"] == 0
    assert report["upstream"].keys() == {"waiting", "retries", "outcomes"}


async def test_ops_has_a_stream_with_everything_that_the_page_needs(api: Api) -> None:
    _sampled(api)
    rounds, now_s = api.gateway.hub.play.rounds, monotonic_s()
    done = rounds.command("table", Command(RoundState.BETTING_OPEN), now_s)
    rounds.abort("table", done.round_id, AbortCause.INGEST_LOSS, {"loss_share": 0.2}, now_s)
    opened = rounds.command("table", Command(RoundState.BETTING_OPEN, closes_in_s=20), now_s)
    report = await _get(api, "/api/v1/ops?stream=table")
    (row,), stream = report["streams"], report["details"]["table"]
    assert row.keys() == ROW_KEYS
    assert (row["state"], row["round"], row["rounds_aborted"]) == ("live", "betting_open", 1)
    assert (row["viewers_webrtc"], row["viewers_hls"]) == (0, 0)
    assert stream.keys() == DETAIL_KEYS
    assert stream["frames_dropped"]["player"] == {"browser": 0}
    assert stream["frames_dropped"]["ingest"] == {"lost": 0, "oversized": 0, "awaiting_keyframe": 0}
    assert [each["round_id"] for each in stream["rounds"]["open"]] == [opened.round_id]
    (last,) = stream["rounds"]["last"]
    assert (last["round_id"], last["state"], last["cause"]) == (done.round_id, "aborted", "ingest_loss")
    assert last["evidence"] == {"loss_share": 0.2}
    assert {cause: count for cause, count in stream["aborts"].items() if count} == {"ingest_loss": 1}
    assert {cause: count for cause, count in report["aborts"].items() if count} == {"ingest_loss": 1}
    assert stream["qos"]["windows"].keys() == {"1m", "5m", "1h"}


async def test_ops_shows_the_last_twenty_rounds_the_newest_first(api: Api) -> None:
    api.go_live()
    rounds = api.gateway.hub.play.rounds
    for number in range(25):
        rounds.command("table", Command(RoundState.SCHEDULED, f"round-{number}"), monotonic_s())
        rounds.abort("table", f"round-{number}", AbortCause.POLICY, {}, monotonic_s())
    stream = (await _get(api, "/api/v1/ops?stream=table"))["details"]["table"]
    assert [each["round_id"] for each in stream["rounds"]["last"]] == [f"round-{number}" for number in range(24, 4, -1)]


async def test_ops_keeps_the_rounds_of_a_stream_that_is_gone(api: Api) -> None:
    api.gateway.hub.play.rounds.command("gone", Command(RoundState.SCHEDULED, "one"), monotonic_s())
    report = await _get(api, "/api/v1/ops?stream=gone")
    (row,), stream = report["streams"], report["details"]["gone"]
    assert (row.keys(), stream.keys()) == (ROW_KEYS, DETAIL_KEYS)
    assert (row["state"], stream["qos"], len(stream["rounds"]["open"])) == ("gone", None, 1)
    assert report["history"]["streams"] == {}


async def test_ops_plots_have_their_columns_and_only_newer_points_when_asked(api: Api) -> None:
    _sampled(api, 11)
    history = (await _get(api, "/api/v1/ops?stream=table"))["history"]
    assert tuple(history["edge"]) == ("at_unix_s", *EDGE_COLUMNS)
    assert tuple(history["streams"]["table"]) == ("at_unix_s", *COLUMNS)
    times = history["edge"]["at_unix_s"]
    assert len(times) >= 2
    newer = (await _get(api, f"/api/v1/ops?stream=table&since_unix_s={times[-2]}"))["history"]
    assert newer["edge"]["at_unix_s"] == times[-1:]
    assert newer["streams"]["table"]["at_unix_s"] == times[-1:]


async def test_ops_has_details_and_plots_of_the_streams_that_are_named_and_not_too_many(api: Api) -> None:
    names = [f"table-{number:02}" for number in range(MAX_DETAILS + 2)]
    _sampled(api, 2, *names)
    nothing = await _get(api, "/api/v1/ops")
    assert [row["stream"] for row in nothing["streams"]] == names
    assert (nothing["details"], nothing["history"]["streams"]) == ({}, {})
    asked = await _get(api, "/api/v1/ops?stream=table-09&stream=nobody&stream=table-03&stream=table-03")
    assert asked["history"]["streams"].keys() == asked["details"].keys() == {"table-03", "table-09"}
    everything = "&".join(f"stream={name}" for name in ("nobody", *names))
    asked = await _get(api, f"/api/v1/ops?{everything}")
    assert list(asked["details"]) == list(asked["history"]["streams"]) == names[:MAX_DETAILS]


async def test_ops_row_has_the_last_minute_in_figures(api: Api) -> None:
    _sampled(api, 2)
    for _ in range(100):
        api.gateway.quality.note_round_trip("table", 0.46)
    for second in range(5):
        api.gateway.quality.tick(monotonic_s() + 10 + second)
    (row,) = (await _get(api, "/api/v1/ops"))["streams"]
    assert (row["worst_term"], row["score"]) == ("signal_rtt", pytest.approx(80, abs=0.5))
    assert row["rtt_p99_ms"] == pytest.approx(460, rel=0.01)
    assert row["dropped_player_share"] is None


@pytest.mark.parametrize("since", ["yesterday", "nan", "inf", ""])
async def test_ops_since_no_time_is_refused_with_a_sentence(api: Api, since: str) -> None:
    assert await _get(api, f"/api/v1/ops?since_unix_s={since}", 400) == "since_unix_s is a Unix time in seconds.\n"


async def test_ops_tells_no_player_and_no_address(api: Api) -> None:
    api.go_live()
    session_id = (await api.watch())["Location"].rpartition("/")[2]
    text = (await api.request("GET", "/api/v1/ops?stream=table")).text
    assert json.loads(text)["gateway"]["sessions"]["egress"] == 1
    assert session_id not in text
    assert "127.0.0.1" not in text


async def test_what_a_player_says_comes_out_as_quality(serve: Serve) -> None:
    """Pongs and a report by WebSocket, all the way to the score."""
    api = await serve(signals={"ping_s": 0.1, "report_s": 1})
    _sampled(api, 2)
    url = f"http://127.0.0.1:{api.port}/signals/table"
    async with aiohttp.ClientSession() as client, client.ws_connect(url, protocols=(PROTOCOL,)) as socket:
        for _ in range(3):
            ping = await _said(socket, "ping")
            await socket.send_json({"type": "pong", "id": ping["id"]})
        await asyncio.sleep(0.6)  # a report may come when half of its interval is over
        await socket.send_json(REPORT)
        await socket.send_json({"type": "nonsense"})
        await _said(socket, "error")  # what came before it has been read
        report = await _get(api, "/api/v1/ops?stream=table")
    assert report["details"]["table"]["signals"] == report["gateway"]["signals"] == {"websocket": 1}
    api.gateway.quality.tick(monotonic_s() + 10)
    measured = (await _get(api, "/api/v1/qos"))["streams"][0]["windows"]["1m"]["measured"]
    assert measured["rtt"]["pings"] >= 3
    player = measured["frames"]["player"]
    assert (player["frames"], player["dropped"], player["dropped_share"]) == (20, 5, pytest.approx(0.2, abs=0.01))
    assert measured["freezes"]["frozen_s"] == 0.25
