"""Draining by HTTP: what operators ask, and what everybody else is answered meanwhile."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.http.middleware import _SHARED
from gateway.hub.drain import Order
from tests.http.conftest import Answer, Api, Serve

EDGES = ["https://edge-b.example", "https://edge-c.example:8443/"]
OPEN = {"state": "betting_open", "roundId": "r1"}


async def drain(api: Api, method: str, status: int) -> dict[str, Any]:
    answer = await api.request(method, "/api/v1/drain")
    assert (answer.status, answer["Cache-Control"]) == (status, "no-store")
    told = json.loads(answer.text)
    assert isinstance(told, dict)
    return told


async def say(api: Api, **command: Any) -> Answer:
    path = "/api/v1/streams/table/rounds"
    return await api.request("POST", path, json.dumps(command), {"Content-Type": "application/json"})


async def test_drain_is_begun_looked_at_and_withdrawn(api: Api) -> None:
    assert (await drain(api, "GET", 200))["isDraining"] is False
    api.go_live()
    assert (await say(api, **OPEN)).status == 201
    begun = await drain(api, "POST", 202)
    assert (begun["isDraining"], begun["isDrained"], begun["orders"], begun["roundsOpen"]) == (True, False, ["api"], 1)
    assert begun["deadlineUnixMs"] - begun["sinceUnixMs"] == 120_000
    assert await drain(api, "GET", 200) == begun
    assert (await drain(api, "DELETE", 200))["orders"] == []
    assert (await api.request("GET", "/readyz")).status == 200


async def test_drain_by_api_is_drained_when_nobody_is_left_and_goes_on(api: Api) -> None:
    await drain(api, "POST", 202)
    answer = await api.request("GET", "/readyz")
    assert (answer.status, answer.text) == (503, "drained\ndraining: 0 rounds open, 0 sessions\n")
    assert (await api.request("GET", "/livez")).status == 200


async def test_drain_by_another_order_is_not_withdrawn_by_the_api(api: Api) -> None:
    api.gateway.hub.draining.order(Order.FILE, 0.0)
    await drain(api, "POST", 202)
    assert (await drain(api, "DELETE", 200))["orders"] == ["file"]
    assert (await api.request("GET", "/readyz")).status == 503


async def test_orders_of_an_operator_are_audited_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    deeds: list[tuple[str, str]] = []
    monkeypatch.setattr(api.gateway.hub.audit, "note", lambda deed, what, *_: deeds.append((deed.value, what)))
    for method, status in (("POST", 202), ("POST", 202), ("DELETE", 200), ("DELETE", 200)):
        await drain(api, method, status)
    assert deeds == [("drain", "begun"), ("drain", "withdrawn")]


# What others are answered


async def refused(api: Api) -> dict[str, Answer]:
    """What is asked of a gateway that drains."""
    websocket = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "railbird.signals.v1",
    }
    return {
        "/whip/other": await api.publish("other"),
        "/whep/table": await api.watch(),
        "/hls/table/index.m3u8": await api.request("GET", "/hls/table/index.m3u8"),
        "/signals/table": await api.request("GET", "/signals/table", headers=websocket),
        "/api/v1/streams/table/rounds": await say(api, state="betting_open", roundId="r2"),
    }


async def test_who_is_new_is_refused_and_told_where_else_to_go(serve: Serve) -> None:
    api = await serve(drain={"elsewhere": EDGES, "retry_after_s": 7})
    api.go_live()
    await say(api, **OPEN)
    await drain(api, "POST", 202)
    for number, (path, answer) in enumerate((await refused(api)).items()):
        edge = EDGES[number % 2].rstrip("/")
        assert (answer.status, answer["Retry-After"]) == (503, "7")
        assert answer["Link"] == f'<{edge}{path}>; rel="alternate"'
        assert answer.text == "This gateway is shutting down.\n"
        assert answer["Connection"] == "close", "the next one leads a load balancer's client elsewhere"


async def test_who_is_new_is_refused_without_a_hint_where_no_other_edge_is_known(api: Api) -> None:
    api.go_live()
    await say(api, **OPEN)
    await drain(api, "POST", 202)
    for answer in (await refused(api)).values():
        assert (answer.status, answer["Retry-After"], "Link" in answer) == (503, "5", False)


async def test_refusal_for_want_of_room_has_no_hint(serve: Serve) -> None:
    api = await serve(drain={"elsewhere": EDGES}, limits={"sessions": 1})
    await api.publish()
    answer = await api.publish("other")
    assert (answer.status, "Link" in answer) == (503, False)


async def test_hint_repeats_no_bytes_of_the_request_that_would_end_it(serve: Serve) -> None:
    api = await serve(drain={"elsewhere": EDGES})
    await drain(api, "POST", 202)
    answer = await api.request("GET", "/hls/ta%3E;%22%0d%0aX-Evil:%20yes/index.m3u8")
    assert (answer.status, "X-Evil" in answer) == (503, False)
    assert re.fullmatch(r'<[^<>"\s]+>; rel="alternate"', answer["Link"])


def test_pages_of_other_origins_may_read_the_hint() -> None:
    assert all("Link" in exposed.split(", ") for _path, (_methods, exposed) in _SHARED)


async def test_file_orders_a_drain(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "drain"
    path.touch()
    api = await serve(drain={"file": path})
    assert (await drain(api, "GET", 200))["orders"] == ["file"]
