"""Every door, and every token that must not open it: over real HTTP, each with its status and its sentence."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.auth.verifier import MAX_TOKEN_BYTES
from gateway.signals.messages import PROTOCOL
from tests.auth.issuer import Issuer, key_set, with_another_signature, with_payload
from tests.http.conftest import PUBLISH_OFFER, SDP, WATCH_OFFER, Answer, Api, Serve
from tests.http.table_media import TableMedia

ISS, AUD = "https://id.example", "edge"
CURRENT = Issuer("current")
NEXT = Issuer("next", "EdDSA")
STRANGER = Issuer("stranger")
OTHER_KIND = Issuer("other-kind", "RS256")
WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@dataclass(frozen=True)
class Door:
    """A request, and who it lets in."""

    method: str
    path: str
    roles: str
    """Those of a token that opens it."""
    opened: int
    """The status of one that does."""
    body: str | None = None
    headers: Mapping[str, str] | None = None
    deed: str = "watch"
    streams: str = "table"

    async def knock(self, api: Api, authorization: Mapping[str, str]) -> Answer:
        """Ask with these headers on top."""
        return await api.request(self.method, self.path, self.body, {**(self.headers or {}), **authorization})


DOORS = {
    "WHIP": Door("POST", "/whip/table", "publish", 201, PUBLISH_OFFER, SDP, deed="publish"),
    "WHIP PATCH": Door("PATCH", "/whip/table/nobody", "publish", 404, "", deed="publish"),
    "WHIP DELETE": Door("DELETE", "/whip/table/nobody", "publish", 404, deed="publish"),
    "WHEP": Door("POST", "/whep/table", "watch", 201, WATCH_OFFER, SDP),
    "WHEP PATCH": Door("PATCH", "/whep/table/nobody", "watch", 404, ""),
    "WHEP DELETE": Door("DELETE", "/whep/table/nobody", "watch", 404),
    "LL-HLS": Door("GET", "/hls/table/index.m3u8", "watch", 200),
    "signals": Door("GET", "/signals/table", "watch", 101, headers={**WEBSOCKET, "Sec-WebSocket-Protocol": PROTOCOL}),
    "rounds": Door(
        "POST",
        "/api/v1/streams/table/rounds",
        "publish",
        201,
        '{"state": "scheduled"}',
        {"Content-Type": "application/json"},
        deed="publish or operate this gateway",
    ),
    "rounds that were": Door(
        "GET", "/api/v1/streams/table/rounds", "operate", 200, deed="publish or operate this gateway"
    ),
    "operations": Door("GET", "/api/v1/ops", "operate", 200, deed="operate this gateway", streams="*"),
    "sessions": Door("GET", "/api/v1/sessions", "operate", 200, deed="operate this gateway", streams="*"),
    "drain": Door("GET", "/api/v1/drain", "operate", 200, deed="operate this gateway", streams="*"),
    "begin to drain": Door("POST", "/api/v1/drain", "operate", 202, deed="operate this gateway", streams="*"),
    "serve again": Door("DELETE", "/api/v1/drain", "operate", 200, deed="operate this gateway", streams="*"),
    "kick": Door("DELETE", "/api/v1/sessions/nobody", "operate", 404, deed="operate this gateway", streams="*"),
}


def good(door: Door, issuer: Issuer = CURRENT, **claims: Any) -> str:
    """A token that opens `door`, but for what `claims` say."""
    usual: dict[str, Any] = {"iss": ISS, "aud": AUD, "roles": door.roles, "streams": door.streams}
    return issuer.token(**(usual | claims))


@dataclass(frozen=True)
class Refusal:
    """What a token must be answered with."""

    make: Callable[[Door], str]
    status: int
    sentence: str
    code: str | None = "invalid_token"
    cause: str = ""


def _none(door: Door) -> str:
    _header, payload, _signature = good(door).split(".")
    return f"{CURRENT.unsigned().split('.')[0]}.{payload}."


UNKNOWN_KEY = "The token is signed by a key that is not known here."
WRONG_SIGNATURE = "The token's signature is wrong."

REFUSALS = {
    "none at all": Refusal(lambda door: "", 401, "A bearer token is needed.", None, "missing"),
    "expired": Refusal(lambda door: good(door, exp=time.time() - 60), 401, "The token has expired.", cause="expired"),
    "not yet valid": Refusal(
        lambda door: good(door, nbf=time.time() + 60), 401, "The token is not valid yet.", cause="not_yet_valid"
    ),
    "wrong stream": Refusal(
        lambda door: good(door, streams=["other"]),
        403,
        "The token is not for {streams}.",
        "insufficient_scope",
        "stream",
    ),
    "wrong role": Refusal(
        lambda door: good(door, roles="bet"),
        403,
        "The token does not let its bearer {deed}.",
        "insufficient_scope",
        "role",
    ),
    "no streams": Refusal(
        lambda door: good(door, streams=None), 403, "The token is not for {streams}.", "insufficient_scope", "stream"
    ),
    "unknown kid": Refusal(
        lambda door: good(door, STRANGER),
        401,
        "The token is signed by a key that is not known here.",
        cause="unknown_key",
    ),
    "no kid": Refusal(
        lambda door: good(door, Issuer(None, name="current")),
        401,
        "The token does not say which key signed it (kid).",
        cause="no_key_id",
    ),
    "alg none": Refusal(_none, 401, "The token is signed in a way that is not taken here.", cause="algorithm"),
    "tampered payload": Refusal(
        lambda door: with_payload(good(door), sub="somebody-else"),
        401,
        "The token's signature is wrong.",
        cause="signature",
    ),
    "tampered signature": Refusal(
        lambda door: with_another_signature(good(door)), 401, WRONG_SIGNATURE, cause="signature"
    ),
    "HMAC with the public key": Refusal(
        lambda door: CURRENT.by_hmac_with_the_public_key(),
        401,
        "The token is signed in a way that is not taken here.",
        cause="algorithm",
    ),
    "another key's kid": Refusal(
        lambda door: STRANGER.token({"kid": "current"}), 401, WRONG_SIGNATURE, cause="signature"
    ),
    "a kid of another algorithm": Refusal(
        lambda door: CURRENT.token({"kid": "other-kind"}),
        401,
        "The token's algorithm is not the one of its key.",
        cause="key_mismatch",
    ),
    "a critical extension": Refusal(
        lambda door: CURRENT.token({"crit": ["exp"]}),
        401,
        "The token demands an extension (crit) that is not known here.",
        cause="extension",
    ),
    "wrong issuer": Refusal(
        lambda door: good(door, iss="https://evil.example"), 401, "The token is from another issuer.", cause="issuer"
    ),
    "wrong audience": Refusal(
        lambda door: good(door, aud=["shop"]), 401, "The token is for another audience.", cause="audience"
    ),
    "no expiry": Refusal(lambda door: good(door, exp=None), 401, "The token's claim exp is missing.", cause="claims"),
    "malformed claims": Refusal(
        lambda door: good(door, streams=[7]), 401, "The token's claim streams is no list of names.", cause="claims"
    ),
    "garbage": Refusal(lambda door: "garbage-hunter2", 401, "The token is no JSON Web Token.", cause="malformed"),
    "too long": Refusal(
        lambda door: good(door, padding="x" * MAX_TOKEN_BYTES), 401, "The token is too long.", cause="too_long"
    ),
}

presented: list[str] = []


def bearer(token: str) -> dict[str, str]:
    """The header; noted, for it must be in no log."""
    presented.append(token)
    return {"Authorization": f"Bearer {token}"} if token else {}


@pytest.fixture(autouse=True)
def _no_token_in_any_log(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Looks through all that was logged, by structlog, by logging, and to standard output and error."""
    presented.clear()
    caplog.set_level("DEBUG")
    with structlog.testing.capture_logs() as logs:
        yield
    written = capfd.readouterr()
    text = repr(logs) + caplog.text + written.out + written.err
    assert logs
    for token in presented:
        for part in token.split("."):
            assert len(part) < 12 or part not in text
        assert "player-7" not in text


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A key set of two keys."""
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(CURRENT.jwk, OTHER_KIND.jwk))
    return path


def _rotate(keys: Path, data: bytes) -> None:
    keys.write_bytes(data)


@pytest.fixture
async def api(serve: Serve, keys: Path) -> Api:
    """A gateway that asks for tokens, with a live table."""
    served = await serve(auth={"jwks": str(keys), "issuer": ISS, "audience": AUD})
    TableMedia(served, served.go_live()).advance(2.5)
    return served


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_token_that_is_not_good_opens_no_door(api: Api, door: Door, refusal: Refusal) -> None:
    answer = await door.knock(api, bearer(refusal.make(door)))
    streams = "all streams" if door.streams == "*" else "this stream"
    assert (answer.status, answer.text) == (
        refusal.status,
        refusal.sentence.format(deed=door.deed, streams=streams).removesuffix(".") + ".\n",
    )
    challenge = 'Bearer realm="railbird"'
    assert answer["WWW-Authenticate"] == (challenge if not refusal.code else f'{challenge}, error="{refusal.code}"')
    assert await _refusals(api) == {refusal.cause: 1.0}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
async def test_good_token_opens_its_door_again_and_again(api: Api, door: Door) -> None:
    token = good(door)
    for _ in range(2):
        answer = await door.knock(api, bearer(token))
        assert answer.status == door.opened or (door.path.endswith("rounds") and answer.status == 201), answer.text
    assert await _refusals(api) == {}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
async def test_token_of_a_key_that_was_rotated_in_is_taken_at_once(api: Api, keys: Path, door: Door) -> None:
    _rotate(keys, key_set(CURRENT.jwk, NEXT.jwk))
    for issuer in (NEXT, CURRENT):
        answer = await door.knock(api, bearer(good(door, issuer)))
        assert answer.status == door.opened, answer.text


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
async def test_token_of_a_key_that_was_rotated_away_is_refused_though_it_was_taken_before(
    api: Api, keys: Path, door: Door
) -> None:
    token = good(door)
    assert (await door.knock(api, bearer(token))).status == door.opened
    _rotate(keys, key_set(NEXT.jwk))
    # Whoever comes with the new key makes the gateway look.
    assert (await door.knock(api, bearer(good(door, NEXT)))).status == door.opened
    answer = await door.knock(api, bearer(token))
    assert (answer.status, answer.text) == (401, "The token is signed by a key that is not known here.\n")


async def test_bad_key_set_leaves_the_doors_as_they_were(api: Api, keys: Path) -> None:
    _rotate(keys, b"{")
    door = DOORS["sessions"]
    assert (await door.knock(api, bearer(good(door, NEXT)))).status == 401
    assert (await door.knock(api, bearer(good(door)))).status == 200
    metrics = (await api.request("GET", "/metrics")).text
    assert "railbird_jwks_reload_failures_total 1.0" in metrics
    assert "railbird_jwks_keys 2.0" in metrics


async def _refusals(api: Api) -> dict[str, float]:
    lines = (await api.request("GET", "/metrics")).text.splitlines()
    counted = [line for line in lines if line.startswith("railbird_token_refusals_total{")]
    return {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in counted}


async def test_playlist_behind_a_token_is_for_its_bearer_alone(api: Api) -> None:
    door = DOORS["LL-HLS"]
    assert (await door.knock(api, bearer(good(door))))["Cache-Control"] == "private, no-store"


# Where a page can set no header


def _offer(token: str) -> dict[str, str]:
    presented.append(token)
    return {"Sec-WebSocket-Protocol": f"{PROTOCOL}, bearer.{token}"}


async def test_token_among_the_subprotocols_opens_the_signals_and_is_not_the_chosen_one(api: Api) -> None:
    door = DOORS["signals"]
    answer = await door.knock(api, _offer(good(door)))
    assert (answer.status, answer["Sec-WebSocket-Protocol"]) == (101, PROTOCOL)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_token_that_is_not_good_does_not_do_among_the_subprotocols_either(api: Api, refusal: Refusal) -> None:
    door = DOORS["signals"]
    answer = await door.knock(api, _offer(refusal.make(door)))
    assert answer.status == refusal.status


# What asks for no token


FREE = {
    "/",
    "/watch/{stream}",
    "/studio/{stream}",
    "/ops",
    "/web",
    "/livez",
    "/readyz",
    "/metrics",
    "/api/v1/streams",
    "/api/v1/streams/{stream}",
    "/api/v1/qos",
}
"""Pages; what operations ask; what streams there are, and how good they are: no person, no session, no address."""


async def test_every_route_is_a_door_of_the_table_or_known_to_ask_for_nothing(api: Api) -> None:
    asked = {
        (door.method, door.path.replace("/table", "/{stream}").replace("/nobody", "/{session}"))
        for door in DOORS.values()
    }
    routes = {
        (route.method, route.resource.canonical)
        for route in api.gateway._http._runner.app.router.routes()
        if route.resource is not None and route.method not in ("OPTIONS", "HEAD")
    }
    assert asked <= routes
    # Below a generation of LL-HLS its name is the right to it.
    assert {path for _method, path in routes - asked if "{generation}" not in path} <= FREE
