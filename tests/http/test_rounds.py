"""POST and GET of a stream's rounds."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.clock import monotonic_s
from gateway.http.rounds import MAX_NEWEST_TOLD
from gateway.ledger.verification import verify
from gateway.rounds.causes import AbortCause
from gateway.rounds.request import MAX_BODY_BYTES
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState
from tests.http.conftest import Answer, Api, Serve

JSON = {"Content-Type": "application/json"}
PATH = "/api/v1/streams/table/rounds"


async def _say(api: Api, body: object, headers: Mapping[str, str] = JSON, path: str = PATH) -> Answer:
    return await api.request("POST", path, json.dumps(body), headers)


async def _told(api: Api) -> list[dict[str, Any]]:
    answer = await api.request("GET", PATH)
    assert answer.status == 200
    rounds = json.loads(answer.text)["rounds"]
    assert isinstance(rounds, list)
    return rounds


async def _open(api: Api, round_id: str = "r-1", **more: object) -> None:
    assert (await _say(api, {"state": "betting_open", "roundId": round_id, **more})).status == 201


def _heard(api: Api) -> asyncio.Queue[tuple[str, str]]:
    """(round, state) of each change from now on."""
    heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    api.gateway.hub.play.rounds.listeners.append(lambda told, _: heard.put_nowait((told.round_id, told.state.value)))
    return heard


async def _next(heard: asyncio.Queue[tuple[str, str]]) -> tuple[str, str]:
    return await asyncio.wait_for(heard.get(), 10.0)


async def test_round_is_played_over_http(api: Api) -> None:
    api.go_live()
    opened = await _say(api, {"state": "betting_open", "roundId": "r-1", "closesInMs": 60_000})
    assert (opened.status, opened["Content-Type"]) == (201, "application/json; charset=utf-8")
    told = json.loads(opened.text)
    assert (told["roundId"], told["stream"], told["state"], told["bets"]) == ("r-1", "table", "betting_open", 0)
    assert abs(told["at"]["unixMs"] - time.time() * 1000) < 5000
    assert told["closesAtUnixMs"] - told["at"]["unixMs"] in (59_999, 60_000)
    for body in (
        {"state": "betting_closed", "roundId": "r-1"},
        {"state": "result", "roundId": "r-1", "result": {"winner": "banker"}},
        {"state": "settled", "roundId": "r-1"},
    ):
        answer = await _say(api, body)
        assert (answer.status, json.loads(answer.text)["state"]) == (200, body["state"])
    (only,) = await _told(api)
    assert only == json.loads(answer.text)
    assert [step["state"] for step in only["steps"]] == ["betting_open", "betting_closed", "result", "settled"]
    assert only["result"] == {"winner": "banker"}


async def test_round_without_a_name_is_given_one(api: Api) -> None:
    api.go_live()
    answer = await _say(api, {"state": "scheduled"})
    assert answer.status == 201
    round_id = json.loads(answer.text)["roundId"]
    assert (await _say(api, {"state": "aborted", "roundId": round_id})).status == 200


async def test_same_word_again_is_answered_alike(api: Api) -> None:
    """Its answer may have been lost on the way: the studio says it again."""
    api.go_live()
    await _open(api)
    again = await _say(api, {"state": "betting_open", "roundId": "r-1"})
    assert again.status == 200
    assert len(json.loads(again.text)["steps"]) == 1


async def test_window_closes_by_itself_at_its_time(api: Api) -> None:
    api.go_live()
    heard = _heard(api)
    await _open(api, closesInMs=100)
    assert [await _next(heard), await _next(heard)] == [("r-1", "betting_open"), ("r-1", "betting_closed")]
    (closed,) = await _told(api)
    assert closed["at"]["unixMs"] == closed["closesAtUnixMs"]


async def test_windows_close_one_after_the_other(api: Api) -> None:
    """One alarm rings for all."""
    api.go_live()
    heard = _heard(api)
    for round_id, closes_in_ms in (("late", 600), ("early", 400), ("later", 800)):
        await _open(api, round_id, closesInMs=closes_in_ms)
    changes = [await _next(heard) for _ in range(6)]
    assert [round_id for round_id, state in changes if state == "betting_closed"] == ["early", "late", "later"]
    assert all(each["at"]["unixMs"] == each["closesAtUnixMs"] for each in await _told(api))


async def test_abort_by_the_studio_says_so(api: Api) -> None:
    api.go_live()
    await _open(api)
    told = json.loads((await _say(api, {"state": "aborted", "roundId": "r-1"})).text)
    assert (told["state"], told["cause"], told["evidence"]) == ("aborted", "studio_request", {})


async def test_newest_rounds_are_told_and_all_that_are_open(serve: Serve) -> None:
    """All of a long history would keep the event loop from the media."""
    api = await serve(rounds={"history": 1000})
    api.go_live()
    await _open(api, "still-open")
    known = api.gateway.hub.play.rounds
    for number in range(300):
        known.command("table", Command(RoundState.BETTING_OPEN, f"r-{number}"), monotonic_s())
        known.command("table", Command(RoundState.ABORTED, f"r-{number}"), monotonic_s())
    told = [each["roundId"] for each in await _told(api)]
    assert told == ["still-open", *(f"r-{number}" for number in range(300 - MAX_NEWEST_TOLD, 300))]


# What is refused


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"state": "settled", "roundId": "unknown"}, 404, "There is no such round"),
        ({"state": "betting_open", "roundId": "open", "closesInMs": 5}, 400, "ClosesInMs is a whole number"),
        ({"state": "settled", "roundId": "open"}, 409, "The round is betting_open: settled cannot follow."),
        ({"state": "open"}, 400, "State is one of"),
        ([], 400, "The body is not a JSON object."),
    ],
)
async def test_refusal_is_one_sentence(api: Api, body: object, status: int, said: str) -> None:
    api.go_live()
    await _open(api, "open")
    answer = await _say(api, body)
    assert answer.status == status
    assert answer.text.startswith(said)
    assert answer.text.endswith(".\n")
    assert answer["Content-Type"].startswith("text/plain")


async def test_round_of_no_stream_is_not_opened(api: Api) -> None:
    answer = await _say(api, {"state": "betting_open"})
    assert (answer.status, answer.text) == (404, "There is no such stream now.\n")


async def test_stream_that_cannot_be_one_is_not_found(api: Api) -> None:
    answer = await _say(api, {"state": "betting_open"}, path="/api/v1/streams/a%20b/rounds")
    assert answer.status == 404
    assert "A stream's name has" in answer.text


async def test_round_is_ended_while_the_studio_is_away(api: Api) -> None:
    """Its encoder has failed; its back office has not."""
    stream = api.go_live()
    await _open(api)
    assert stream.source is not None
    stream.detach(stream.source, monotonic_s())
    for state in ("betting_closed", "result", "settled"):
        assert (await _say(api, {"state": state, "roundId": "r-1"})).status == 200


async def test_no_round_opens_while_the_gateway_leaves(api: Api) -> None:
    api.go_live()
    await _open(api)
    api.gateway.hub.drain()
    answer = await _say(api, {"state": "betting_open"})
    assert (answer.status, answer["Retry-After"]) == (503, "5")
    (only,) = await _told(api)
    assert (only["cause"], only["evidence"]) == ("policy", {"rule": "shutdown"})


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_body_that_a_page_may_post_without_asking_is_refused(api: Api, content_type: str) -> None:
    """Without a preflight a page of any origin could open rounds by whoever looks at it."""
    api.go_live()
    answer = await _say(api, {"state": "betting_open"}, {"Content-Type": content_type})
    assert (answer.status, answer["Accept-Post"]) == (415, "application/json")


async def test_body_that_is_too_long_is_refused(api: Api) -> None:
    api.go_live()
    answer = await api.request("POST", PATH, b" " * (MAX_BODY_BYTES + 1), JSON)
    assert answer.status == 413


async def test_body_that_is_no_text_is_refused(api: Api) -> None:
    api.go_live()
    assert (await api.request("POST", PATH, b'{"state":"\xff"}', JSON)).status == 400


# Who may


async def test_rounds_ask_for_the_token_of_the_studio(serve: Serve) -> None:
    api = await serve(tokens={"publish": "studio", "control": "operator", "watch": "player"})
    api.go_live()
    studio = JSON | {"Authorization": "Bearer studio"}
    for headers in (JSON, JSON | {"Authorization": "Bearer player"}, JSON | {"Authorization": "Bearer wrong"}):
        assert (await _say(api, {"state": "betting_open"}, headers)).status in (401, 403)
        assert (await api.request("GET", PATH, None, headers)).status in (401, 403)
    assert (await _say(api, {"state": "betting_open"}, studio)).status == 201
    assert (await api.request("GET", PATH, None, studio)).status == 200


async def test_operator_may_abort_and_see_but_nothing_else(serve: Serve) -> None:
    api = await serve(tokens={"publish": "studio", "control": "operator"})
    api.go_live()
    studio, operator = (JSON | {"Authorization": f"Bearer {token}"} for token in ("studio", "operator"))
    await _say(api, {"state": "betting_open", "roundId": "r-1"}, studio)
    for state in ("scheduled", "betting_open", "betting_closed"):
        answer = await _say(api, {"state": state, "roundId": "r-1"}, operator)
        assert (answer.status, answer.text) == (403, "An operator may abort rounds; all else is the studio's.\n")
    aborted = await _say(api, {"state": "aborted", "roundId": "r-1"}, operator)
    assert (aborted.status, json.loads(aborted.text)["cause"]) == (200, "policy")
    assert (await api.request("GET", PATH, None, operator)).status == 200


async def test_pages_of_other_origins_may_drive_rounds(serve: Serve) -> None:
    api = await serve(allowed_origins=["https://studio.example"])
    api.go_live()
    origin = {"Origin": "https://studio.example"}
    preflight = await api.request("OPTIONS", PATH, None, origin | {"Access-Control-Request-Method": "POST"})
    assert preflight.status == 204
    assert preflight["Access-Control-Allow-Origin"] == "https://studio.example"
    assert "POST" in preflight["Access-Control-Allow-Methods"]
    assert {"Authorization", "Content-Type"} <= set(preflight["Access-Control-Allow-Headers"].split(", "))
    answer = await _say(api, {"state": "betting_open"}, JSON | origin)
    assert (answer.status, answer["Access-Control-Allow-Origin"]) == (201, "https://studio.example")


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_page_of_another_origin_is_not_the_operator_whose_browser_opened_it(serve: Serve, origin: str) -> None:
    api = await serve(tokens={"publish": "studio"})
    api.go_live()
    await _say(api, {"state": "betting_open", "roundId": "r-1"}, JSON | {"Authorization": "Bearer studio"})
    aborted = await _say(api, {"state": "aborted", "roundId": "r-1"}, JSON | {"Origin": origin})
    read = await api.request("GET", PATH, None, {"Origin": origin})
    assert (aborted.status, read.status) == (401, 401)
    assert "evidence" not in read.text
    (only,) = await _told(api)
    assert only["state"] == "betting_open"


async def test_page_of_the_gateway_may_operate_on_its_machine(serve: Serve) -> None:
    api = await serve(tokens={"publish": "studio"})
    api.go_live()
    await _say(api, {"state": "betting_open", "roundId": "r-1"}, JSON | {"Authorization": "Bearer studio"})
    own = {"Origin": f"http://127.0.0.1:{api.port}"}
    assert (await _say(api, {"state": "aborted", "roundId": "r-1"}, JSON | own)).status == 200


@pytest.mark.parametrize("path", ["/api/v1/sessions", "/api/v1/streams", "/api/v1/streams/table"])
async def test_pages_of_other_origins_may_not_use_the_rest_of_the_api(api: Api, path: str) -> None:
    api.go_live()
    assert "Access-Control-Allow-Origin" not in await api.request("GET", path, None, {"Origin": "https://evil.example"})


# What is kept


async def test_rounds_are_logged_with_their_stream_and_their_id(api: Api) -> None:
    api.go_live()
    with capture_logs() as logs:
        await _open(api)
        api.gateway.hub.play.rounds.abort("table", "r-1", AbortCause.INGEST_LOSS, {"lossShare": 0.2}, monotonic_s())
    rounds = [line for line in logs if line["event"] == "round"]
    assert [(line["stream"], line["round_id"], line["state"]) for line in rounds] == [
        ("table", "r-1", "betting_open"),
        ("table", "r-1", "aborted"),
    ]
    assert (rounds[1]["cause"], rounds[1]["evidence"]) == ("ingest_loss", {"lossShare": 0.2})
    assert [line["client"] for line in logs if line["event"] == "round command"] == ["127.0.0.1"]


async def test_rounds_that_ended_are_in_the_ledger_and_open_ones_are_ended_with_the_gateway(
    serve: Serve, tmp_path: Path
) -> None:
    api = await serve(rounds={"ledger": tmp_path / "ledger"})
    api.go_live()
    await _open(api, "played")
    for state in ("betting_closed", "result", "settled"):
        await _say(api, {"state": state, "roundId": "played"})
    played = next(each for each in await _told(api) if each["roundId"] == "played")
    await _open(api, "open")
    api.gateway.hub.drain()
    assert api.gateway.ledger is not None
    assert await asyncio.to_thread(api.gateway.ledger.flush, 10.0)
    assert verify(tmp_path / "ledger").kinds == {"file": 1, "round": 2}
    lines = [json.loads(line) for line in (tmp_path / "ledger" / "ledger-000001.jsonl").read_text().splitlines()]
    assert {name: value for name, value in lines[1].items() if name in played} == played
    assert (lines[2]["roundId"], lines[2]["cause"]) == ("open", "policy")


async def test_rounds_are_scraped(serve: Serve, tmp_path: Path) -> None:
    api = await serve(rounds={"ledger": tmp_path})
    api.go_live()
    await _open(api, "one")
    await _say(api, {"state": "aborted", "roundId": "one"})
    await _open(api, "two")
    assert api.gateway.ledger is not None
    assert await asyncio.to_thread(api.gateway.ledger.flush, 10.0)
    text = (await api.request("GET", "/metrics")).text
    for line in (
        'railbird_rounds_open{stream="table"} 1.0',
        'railbird_rounds_total{outcome="aborted",stream="table"} 1.0',
        'railbird_round_aborts_total{cause="studio_request",stream="table"} 1.0',
        "railbird_ledger_lines_total 2.0",
        "railbird_ledger_failures_total 0.0",
    ):
        assert line in text
