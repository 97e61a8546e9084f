"""Who may, and who is asking."""

import pytest
import structlog

from tests.http.conftest import PUBLISH_OFFER, SDP, Serve

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_bearer_with_the_token_lets_in(serve: Serve, scheme: str) -> None:
    api = await serve(tokens={"publish": SECRET})
    assert (await api.publish(Authorization=f"{scheme} {SECRET}")).status == 201


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Basic {SECRET}",
        SECRET,
        f"Bearer {SECRET}x",
        f"Bearer {SECRET[:-1]}",
        "Bearer \xff\u20ac",
    ],
)
async def test_bearer_without_the_token_keeps_out(serve: Serve, authorization: str) -> None:
    api = await serve(tokens={"publish": SECRET})
    answer = await api.publish(Authorization=authorization)
    assert answer.status == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "Access-Control-Allow-Origin" in answer


async def test_bearer_is_in_no_log(serve: Serve) -> None:
    with structlog.testing.capture_logs() as logs:
        api = await serve(tokens={"publish": SECRET})
        await api.publish(Authorization=f"Bearer {SECRET}")
        await api.publish(Authorization=f"Bearer {SECRET}!")
        await api.request("POST", f"/whip/table?token={SECRET}", PUBLISH_OFFER, SDP)
    assert logs
    assert SECRET not in repr(logs)


# Control


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_control_without_a_token_is_for_this_machine(serve: Serve, method: str) -> None:
    api = await serve(trusted_proxies=["127.0.0.1"])
    path = "/api/v1/sessions" if method == "GET" else "/api/v1/sessions/nobody"
    assert (await api.request(method, path)).status == (200 if method == "GET" else 404)
    refused = await api.request(method, path, headers={"X-Forwarded-For": "203.0.113.9"})
    assert refused.status == 403
    assert refused.text == "Without a control token only this machine may do that.\n"
    assert (await api.request(method, path, headers={"X-Forwarded-For": "localhost"})).status == 403


async def test_control_without_a_token_is_not_for_who_comes_by_a_proxy_that_nobody_named(serve: Serve) -> None:
    api = await serve()
    for forwarded in ("203.0.113.9", "127.0.0.1"):
        refused = await api.request("GET", "/api/v1/sessions", headers={"X-Forwarded-For": forwarded})
        assert refused.status == 403


async def test_control_with_a_token_is_for_who_has_it(serve: Serve) -> None:
    api = await serve(tokens={"control": SECRET}, trusted_proxies=["127.0.0.1"])
    assert (await api.request("GET", "/api/v1/sessions")).status == 401
    headers = {"Authorization": f"Bearer {SECRET}", "X-Forwarded-For": "203.0.113.9"}
    assert (await api.request("GET", "/api/v1/sessions", headers=headers)).status == 200
