"""The control API."""

import json
from typing import Any

from tests.http.conftest import Api


async def _get(api: Api, path: str) -> Any:
    answer = await api.request("GET", path)
    assert answer.status == 200
    assert answer["Content-Type"].startswith("application/json")
    return json.loads(answer.text)


async def test_streams_without_any_are_none(api: Api) -> None:
    assert await _get(api, "/api/v1/streams") == {"streams": []}


async def test_streams_and_one_stream_report_the_same(api: Api) -> None:
    api.go_live("table")
    api.go_live("other")
    listed = (await _get(api, "/api/v1/streams"))["streams"]
    assert sorted(stream["stream"] for stream in listed) == ["other", "table"]
    stream = await _get(api, "/api/v1/streams/table")
    assert stream["viewers"] == 0
    assert [(track["kind"], track["codec"]) for track in stream["tracks"]] == [("video", "H264"), ("audio", "opus")]


async def test_stream_that_is_not_there_is_not_found(api: Api) -> None:
    answer = await api.request("GET", "/api/v1/streams/nobody")
    assert (answer.status, answer.text) == (404, "There is no such stream now.\n")


async def test_streams_tell_nothing_that_ends_a_session(api: Api) -> None:
    """Everybody may read them, and a session's id is all that DELETE asks for."""
    api.go_live()
    session_ids = [answer["Location"].rpartition("/")[2] for answer in (await api.publish(), await api.watch())]
    text = (await api.request("GET", "/api/v1/streams")).text
    assert [session_id for session_id in session_ids if session_id in text] == []


async def test_sessions_are_reported_without_addresses(api: Api) -> None:
    api.go_live()
    await api.watch()
    await api.publish("another")
    sessions = (await _get(api, "/api/v1/sessions"))["sessions"]
    assert sorted((each["stream"], each["leg"], each["state"]) for each in sessions) == [
        ("another", "ingest", "connecting"),
        ("table", "egress", "connecting"),
    ]
    assert "127.0.0.1" not in json.dumps(sessions)


async def test_session_is_ended_by_its_id(api: Api) -> None:
    await api.publish()
    ((session_id,),) = [[each["session"] for each in (await _get(api, "/api/v1/sessions"))["sessions"]]]
    assert (await api.request("DELETE", f"/api/v1/sessions/{session_id}")).status == 204
    assert len(api.gateway.port) == 0
    assert api.gateway.hub.sessions.ended == {("ingest", "operator"): 1}
    assert (await api.request("DELETE", f"/api/v1/sessions/{session_id}")).status == 404
