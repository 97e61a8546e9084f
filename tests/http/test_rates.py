"""Too many requests of an address, of a player; and the trail of who did what."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.app import Gateway
from gateway.config import HostPort, Settings
from gateway.errors import ConfigError
from gateway.ledger.verification import verify
from tests.auth.issuer import Issuer
from tests.http.conftest import Answer, Api, Serve

ISSUER = Issuer("key-a")
LIMITS = {"requests_per_address_per_s": 2, "requests_per_player_per_s": 1}
BEHIND_A_PROXY = {"trusted_proxies": ["127.0.0.1"], "auth": {"open_to_network": True}}


def from_address(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


async def statuses(api: Api, method: str, path: str, count: int, **headers: str) -> list[int]:
    return [(await api.request(method, path, headers=headers)).status for _ in range(count)]


@pytest.mark.usefixtures("still_rates")
@pytest.mark.parametrize("path", ["/whip/table", "/whep/table", "/api/v1/streams/table/rounds"])
async def test_address_that_asks_too_often_is_told_to_wait(serve: Serve, path: str) -> None:
    api = await serve(limits=LIMITS, **BEHIND_A_PROXY)
    given = await statuses(api, "POST", path, 4, **from_address("192.0.2.1"))
    assert 429 not in given
    refused = await api.request("POST", path, headers=from_address("192.0.2.1"))
    assert (refused.status, refused.text) == (429, "This address asks too often.\n")
    assert refused["Retry-After"] == "1"
    assert 429 not in await statuses(api, "POST", path, 4, **from_address("192.0.2.2"))
    assert 'railbird_rate_limited_total{kind="address"} 1.0' in (await api.request("GET", "/metrics")).text


@pytest.mark.usefixtures("still_rates")
async def test_address_of_ipv6_is_its_customer(serve: Serve) -> None:
    api = await serve(limits=LIMITS, **BEHIND_A_PROXY)
    given = [
        (await api.request("POST", "/whep/table", headers=from_address(f"2001:db8::{number}"))).status
        for number in range(1, 6)
    ]
    assert given.count(429) == 1


@pytest.mark.usefixtures("still_rates")
async def test_signals_count_as_a_request(serve: Serve) -> None:
    api = await serve(limits=LIMITS, **BEHIND_A_PROXY)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    given = await statuses(api, "GET", "/signals/table", 5, **upgrade, **from_address("192.0.2.1"))
    assert given[:4] == [400] * 4
    assert given[4] == 429


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v1/streams"), ("GET", "/hls/table/index.m3u8"), ("DELETE", "/whep/table/x"), ("GET", "/metrics")],
)
async def test_what_makes_nothing_new_is_not_limited(serve: Serve, method: str, path: str) -> None:
    api = await serve(limits=LIMITS, **BEHIND_A_PROXY)
    assert 429 not in await statuses(api, method, path, 20, **from_address("192.0.2.1"))


async def test_this_machine_is_not_limited_by_address(serve: Serve) -> None:
    """Load tests, and the clients of a proxy that nobody named."""
    api = await serve(limits=LIMITS)
    assert 429 not in await statuses(api, "POST", "/whep/table", 20)


@pytest.mark.usefixtures("still_rates")
async def test_bad_tokens_count_for_their_address_before_any_cryptography(serve: Serve, tmp_path: Path) -> None:
    api = await serve(limits=LIMITS, trusted_proxies=["127.0.0.1"], auth=_auth(tmp_path))
    headers = {"Authorization": "Bearer guess", **from_address("192.0.2.1")}
    assert await statuses(api, "POST", "/whip/table", 6, **headers) == [401] * 4 + [429] * 2


def _auth(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "keys.json"
    path.write_bytes(ISSUER.key_set)
    return {"jwks": str(path)}


@pytest.mark.usefixtures("still_rates")
async def test_player_who_asks_too_often_is_told_to_wait_wherever_they_come_from(serve: Serve, tmp_path: Path) -> None:
    api = await serve(
        limits=LIMITS | {"requests_per_address_per_s": 100}, trusted_proxies=["127.0.0.1"], auth=_auth(tmp_path)
    )

    async def ask(player: str, address: str) -> Answer:
        bearer = {"Authorization": f"Bearer {ISSUER.token(sub=player)}"}
        return await api.request("POST", "/whep/table", headers={**bearer, **from_address(address)})

    given = [(await ask("p", f"192.0.2.{number}")).status for number in range(2)]
    assert 429 not in given
    refused = await ask("p", "192.0.2.9")
    assert (refused.status, refused.text, refused["Retry-After"]) == (429, "This player asks too often.\n", "1")
    assert (await ask("q", "192.0.2.9")).status != 429
    assert 'railbird_rate_limited_total{kind="player"} 1.0' in (await api.request("GET", "/metrics")).text


# The trail


def audited(logs: list[Any]) -> list[dict[str, Any]]:
    return [dict(entry) for entry in logs if entry["event"] == "audit"]


async def test_trail_tells_who_was_turned_away_where(serve: Serve, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        api = await serve(auth=_auth(tmp_path), audit={"directory": tmp_path / "audit"})
        bearer = {"Authorization": f"Bearer {ISSUER.token(roles='watch')}"}
        assert (await api.request("POST", "/whip/table", headers=bearer)).status == 403
        assert (await api.request("GET", "/api/v1/sessions", headers=bearer)).status == 403
        trail = api.gateway.hub.audit._ledger
        assert trail is not None
        assert await asyncio.to_thread(trail.flush, 5.0)
    told = [(entry["deed"], entry["outcome"], entry["path"], entry["stream"]) for entry in audited(logs)]
    assert told == [
        ("refusal", "role", "/whip/{stream}", "table"),
        ("refusal", "role", "/api/v1/sessions", "*"),
    ]
    assert verify(tmp_path / "audit", "audit").kinds["audit"] == 2


async def test_trail_leaves_out_who_showed_no_token_and_who_wanted_to_watch(serve: Serve, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        api = await serve(auth=_auth(tmp_path))
        assert (await api.request("POST", "/whip/table")).status == 401
        assert (await api.request("POST", "/whep/table", headers={"Authorization": "Bearer guess"})).status == 401
    assert audited(logs) == []


async def test_trail_is_not_filled_by_what_a_client_calls_a_stream(serve: Serve, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        api = await serve(auth=_auth(tmp_path))
        await api.request("POST", "/whip/" + "x" * 5000, headers={"Authorization": "Bearer guess"})
    assert audited(logs)[0]["stream"] == "x" * 64


async def test_trail_tells_of_a_kick_and_of_an_abort_by_an_operator(serve: Serve, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        api = await serve(auth=_auth(tmp_path))
        api.go_live()
        operator = {"Authorization": f"Bearer {ISSUER.token(roles='operate', streams='*', sub='ops-olga')}"}
        dealer = {"Authorization": f"Bearer {ISSUER.token(roles='publish')}"}
        player = f"Bearer {ISSUER.token()}"
        session = (await api.watch(Authorization=player))["Location"].rpartition("/")[2]
        assert (await api.request("DELETE", f"/api/v1/sessions/{session}", headers=operator)).status == 204
        rounds, json_type = "/api/v1/streams/table/rounds", {"Content-Type": "application/json"}
        await api.request("POST", rounds, '{"state": "scheduled", "roundId": "r1"}', dealer | json_type)
        aborted = await api.request("POST", rounds, '{"state": "aborted", "roundId": "r1"}', operator | json_type)
        assert aborted.status == 200, aborted.text
    kick, abort = audited(logs)
    assert (kick["deed"], kick["session"], kick["leg"], kick["proof"]) == ("kick", session, "egress", "key-a")
    assert (abort["deed"], abort["roundId"], abort["stream"]) == ("abort", "r1", "table")
    assert kick["playerHash"] == abort["playerHash"]
    assert "ops-olga" not in repr(logs)


async def test_trail_tells_of_another_key_set(serve: Serve, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        auth = _auth(tmp_path)
        api = await serve(auth=auth)
        _write(Path(auth["jwks"]), Issuer("key-b").key_set)
        bearer = {"Authorization": f"Bearer {Issuer('key-b').token(roles='operate', streams='*')}"}
        await api.request("GET", "/api/v1/sessions", headers=bearer)
    told = [(entry["deed"], entry["outcome"], entry.get("keys")) for entry in audited(logs)]
    assert ("keys", "reloaded", 1) in told


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


async def test_trail_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("a file")
    loopback = HostPort(host="127.0.0.1", port=0)
    with pytest.raises(ConfigError, match="audit"):
        Gateway(
            Settings.model_validate({"http": loopback, "udp": loopback, "audit": {"directory": tmp_path / "audit"}})
        )


async def test_open_doors_are_warned_of_at_the_start_and_guarded_ones_are_not(serve: Serve, tmp_path: Path) -> None:
    def warnings(logs: list[Any]) -> list[dict[str, Any]]:
        return [dict(entry) for entry in logs if entry["event"] == "doors are open, no token is asked for"]

    with structlog.testing.capture_logs() as logs:
        await serve(tokens={"publish": "p"})
    [warning] = warnings(logs)
    assert (warning["log_level"], warning["roles"], warning["to"]) == ("warning", ["bet", "watch"], "this machine")
    with structlog.testing.capture_logs() as logs:
        await serve(tokens={"publish": "p", "watch": "w"})
        await serve(auth=_auth(tmp_path))
    assert warnings(logs) == []


async def test_keys_that_cannot_be_read_stop_the_start_and_give_the_ports_back(tmp_path: Path) -> None:
    loopback = HostPort(host="127.0.0.1", port=0)
    settings = {"http": loopback, "udp": loopback, "auth": {"jwks": str(tmp_path / "none.json")}}
    gateway = Gateway(Settings.model_validate(settings))
    try:
        with pytest.raises(ConfigError, match=r"^auth\.jwks: the key set cannot be taken: it cannot be read: No such"):
            await gateway.start()
    finally:
        await gateway.stop()
