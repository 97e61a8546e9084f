"""What every answer has in common."""

import pytest
import structlog

from gateway.hub.sessions import Sessions
from tests.http.conftest import Api, Serve

ORIGIN = "https://tables.example"


async def test_cors_by_default_lets_in_every_origin(api: Api) -> None:
    answer = await api.publish(Origin=ORIGIN)
    assert answer["Access-Control-Allow-Origin"] == "*"
    exposed = {name.strip() for name in answer["Access-Control-Expose-Headers"].split(",")}
    assert {"Location", "ETag", "Link", "Accept-Patch", "Retry-After"} <= exposed


async def test_cors_preflight_allows_what_clients_send(api: Api) -> None:
    answer = await api.request("OPTIONS", "/whep/table", headers={"Origin": ORIGIN})
    allowed = {name.strip().lower() for name in answer["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type", "if-match", "etag"} <= allowed
    assert int(answer["Access-Control-Max-Age"]) > 0


async def test_cors_of_a_listed_origin_names_it(serve: Serve) -> None:
    api = await serve(allowed_origins=["https://other.example", ORIGIN])
    answer = await api.request("OPTIONS", "/whip/table", headers={"Origin": ORIGIN})
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert answer["Vary"] == "Origin"


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
async def test_cors_of_another_origin_allows_nothing(serve: Serve, headers: dict[str, str]) -> None:
    api = await serve(allowed_origins=[ORIGIN])
    answer = await api.request("OPTIONS", "/whip/table", headers=headers)
    assert "Access-Control-Allow-Origin" not in answer
    assert answer["Vary"] == "Origin"


async def test_cors_is_for_signalling_only(api: Api) -> None:
    assert "Access-Control-Allow-Origin" not in await api.request("GET", "/api/v1/streams", headers={"Origin": ORIGIN})


async def test_refusal_is_plain_text_for_people_and_readable_for_pages(api: Api) -> None:
    answer = await api.watch()
    assert answer["Content-Type"].startswith("text/plain")
    assert answer["Access-Control-Allow-Origin"] == "*"


async def test_failure_of_ours_tells_the_log_and_not_the_client(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(Sessions, "open", fail)
    with structlog.testing.capture_logs() as logs:
        answer = await api.publish()
    assert answer.status == 500
    assert answer.text == "The gateway failed to answer; its log says why.\n"
    assert [(entry["event"], entry["path"]) for entry in logs] == [("request failed", "/whip/table")]


@pytest.mark.parametrize("path", ["/nowhere", "/whip", "/whip/a/b/c", "/api/v1/nothing"])
async def test_unknown_path_is_not_found(api: Api, path: str) -> None:
    assert (await api.request("GET", path)).status == 404
