"""From where a request came, by proxies that are known and ones that are not."""

import socket

import pytest
from multidict import CIMultiDict

from tests.http.conftest import PUBLISH_OFFER, SDP, Api, Serve

ALL_MAY_COME = {"open_to_network": True}


async def _client_of(api: Api, *forwarded: str) -> str:
    """Whom a publisher's session counts for."""
    headers = SDP if not forwarded else SDP | {"X-Forwarded-For": ", ".join(forwarded)}
    answer = await api.request("POST", "/whip/table", PUBLISH_OFFER, headers)
    session = api.gateway.port.session(answer["Location"].rpartition("/")[2])
    assert session is not None
    return session.client


async def test_client_without_a_trusted_proxy_is_who_connected(serve: Serve) -> None:
    api = await serve(auth=ALL_MAY_COME)
    assert await _client_of(api) == "127.0.0.1"
    assert await _client_of(api, "203.0.113.9") == "127.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (("203.0.113.9",), "203.0.113.9"),
        (("10.0.0.1", "203.0.113.9"), "203.0.113.9"),
        (("10.0.0.1", "203.0.113.9", "192.0.2.80"), "203.0.113.9"),
        (("2001:db8:1:2:3::4",), "2001:db8:1:2::"),
        (("::ffff:203.0.113.9",), "203.0.113.9"),
        (("192.0.2.80",), "192.0.2.80"),
        ((" ,",), "127.0.0.1"),
    ],
)
async def test_client_behind_trusted_proxies_is_the_last_that_is_none(
    serve: Serve, forwarded: tuple[str, ...], client: str
) -> None:
    api = await serve(trusted_proxies=["127.0.0.1", "192.0.2.80"], auth=ALL_MAY_COME)
    assert await _client_of(api, *forwarded) == client


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:{port}", 200),
        ("https://127.0.0.1:{port}", 200),
        ("http://127.0.0.1:1", 403),
        ("http://localhost:{port}", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
async def test_page_is_foreign_unless_it_came_from_where_it_asks(serve: Serve, origin: str, status: int) -> None:
    api = await serve()
    headers = {"Origin": origin.format(port=api.port)}
    assert (await api.request("GET", "/api/v1/sessions", headers=headers)).status == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:{port}", 200),
        ("edge.localhost", 200),
        (f"{socket.gethostname()}:{{port}}", 200),
        ("[::1]:{port}", 200),
        ("192.0.2.1", 200),
        ("evil.example:{port}", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("[evil", 403),
    ],
)
@pytest.mark.parametrize("is_page", [False, True])
async def test_page_whose_own_name_leads_here_operates_nothing(
    serve: Serve, host: str, status: int, is_page: bool
) -> None:
    """DNS rebinding: to a browser it is of the same origin."""
    api = await serve()
    named = host.format(port=api.port)
    headers = {"Host": named} | ({"Origin": f"http://{named}"} if is_page else {})
    assert (await api.request("GET", "/api/v1/drain", headers=headers)).status == status
    if is_page:
        begun = await api.request("POST", "/api/v1/drain", headers=headers)
        assert begun.status == (202 if status == 200 else status)
        assert (api.gateway.hub.draining.since_s is None) == (status == 403)
    assert (await api.request("GET", "/api/v1/streams", headers=headers)).status == 200


async def test_client_cannot_hide_behind_a_header_of_its_own(serve: Serve) -> None:
    """Some proxies append their hop as one more header instead of to the one that is there."""
    api = await serve(trusted_proxies=["127.0.0.1"], auth=ALL_MAY_COME)
    forwarded = [("X-Forwarded-For", "10.9.9.9"), ("X-Forwarded-For", "203.0.113.9")]
    answer = await api.request("POST", "/whip/table", PUBLISH_OFFER, CIMultiDict([*SDP.items(), *forwarded]))
    session = api.gateway.port.session(answer["Location"].rpartition("/")[2])
    assert session is not None
    assert session.client == "203.0.113.9"
